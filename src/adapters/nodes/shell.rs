//! A node and the command that reaches it: the script goes in as one argument, keys on standard input, what comes back is read by
//! whoever wrote the script.

use super::refusal::{self, Effect};
use super::run::{self, Ended, Output};
use super::script;
use crate::domain::fault::{Fault, FaultKind, Service};
use std::time::Duration;

/// What must be known of one node.
#[derive(Clone, Debug)]
pub struct NodeParameters {
    /// Its name: what `{node}` stands for, and what messages say.
    pub name: String,
    /// The argv with `{node}` and `{script}`, such as `["ssh", "{node}", "sudo", "-n", "sh", "-c", "{script}"]`. No shell reads it on
    /// this side; `{script}` is put in POSIX single quotes, since the far login shell parses the joined words again.
    pub command: Vec<String>,
    /// For one run of the command that reads, or changes files.
    pub timeout: Duration,
    /// For one in which `keystone-manage` runs: importing Keystone takes seconds of CPU (seen: 12 s under load).
    pub rotate_timeout: Duration,
}

impl NodeParameters {
    /// The limits that were enough for everything seen: 15 s, and 60 s where `keystone-manage` runs.
    pub fn new(name: &str, command: &[String]) -> Self {
        let (timeout, rotate_timeout) = (Duration::from_secs(15), Duration::from_secs(60));
        Self { name: name.to_owned(), command: command.to_vec(), timeout, rotate_timeout }
    }
}

/// One node. Cheap to keep; every call is a process of its own.
#[derive(Debug)]
pub struct NodeShell {
    name: String,
    /// The argv with everything but `{script}` filled in.
    argv: Vec<String>,
    timeout: Duration,
    rotate_timeout: Duration,
}

impl NodeShell {
    /// Checks the parameters; runs nothing.
    ///
    /// Errors: a name that ssh or a shell would interpret, an empty command, or one without `{script}`.
    pub fn new(parameters: NodeParameters) -> Result<Self, Fault> {
        let invalid = |message: String| Fault::new(Service::Configuration, FaultKind::Invalid, message);
        let NodeParameters { name, command, timeout, rotate_timeout } = parameters;
        if !script::is_host(&name) {
            return Err(invalid(format!("use node {name:?}: it is not a host's name")));
        }
        if command.first().is_none_or(String::is_empty) {
            return Err(invalid(format!("reach node {name}: its command is empty")));
        }
        if !command.iter().any(|word| word.contains("{script}")) {
            return Err(invalid(format!("reach node {name}: its command has no {{script}}"))
                .hint("such as [\"ssh\", \"{node}\", \"sudo\", \"-n\", \"sh\", \"-c\", \"{script}\"]"));
        }
        let argv = command.iter().map(|word| script::fill(word, &[("{node}", &name)])).collect();
        Ok(Self { name, argv, timeout, rotate_timeout })
    }

    /// The node's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs a script that only reads.
    pub(super) async fn read(&self, doing: &str, script: &str) -> Result<Output, Fault> {
        let ended = self.run(doing, script, &[], self.timeout, Effect::Reads).await?;
        self.accept(doing, ended, Effect::Reads)
    }

    /// Runs a script that changes something, with keys on its input.
    pub(super) async fn change(&self, doing: &str, script: &str, input: &[u8]) -> Result<Output, Fault> {
        self.change_within(doing, script, input, self.timeout).await
    }

    /// The same within a limit of its own: for stages with pauses between them.
    pub(super) async fn change_within(
        &self,
        doing: &str,
        script: &str,
        input: &[u8],
        limit: Duration,
    ) -> Result<Output, Fault> {
        let ended = self.run(doing, script, input, limit, Effect::Changes).await?;
        self.accept(doing, ended, Effect::Changes)
    }

    /// Runs a script in which `keystone-manage` runs. Gives what it complained about as well, sanitized: the only place where it says
    /// why it did nothing.
    pub(super) async fn rotate(&self, doing: &str, script: &str) -> Result<(Output, String), Fault> {
        let ended = self.run(doing, script, &[], self.rotate_timeout, Effect::Changes).await?;
        let complaint = refusal::complaint(&ended.errors);
        Ok((self.accept(doing, ended, Effect::Changes)?, complaint))
    }

    /// The limit for reading and changing files.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    async fn run(
        &self,
        doing: &str,
        script: &str,
        input: &[u8],
        limit: Duration,
        effect: Effect,
    ) -> Result<Ended, Fault> {
        let quoted = script::quoted(script);
        let argv: Vec<String> = self.argv.iter().map(|word| script::fill(word, &[("{script}", &quoted)])).collect();
        let ended = run::run(&argv, input, limit).await;
        ended.map_err(|failure| refusal::failure(&self.name, doing, failure, limit, effect))
    }

    fn accept(&self, doing: &str, ended: Ended, effect: Effect) -> Result<Output, Fault> {
        if ended.code == Some(0) {
            return Ok(ended.output);
        }
        let stop = (ended.code == Some(script::STOPPED)).then(|| script::stop(&ended.output.0)).flatten();
        Err(match stop {
            Some(stop) => stop.because(&refusal::complaint(&ended.errors)).fault(&self.name, doing),
            None => refusal::judge(&self.name, doing, &ended, effect),
        })
    }

    /// The fault of an answer that a script does not give.
    pub(super) fn garbled(&self, doing: &str, why: &str) -> Fault {
        Fault::new(Service::Node, FaultKind::Malformed, format!("{doing} on {}: {why}", self.name)).hint(
            "the command that reaches the node prints something that is not the script's; run it by hand with `true` as the \
             script, it must print nothing",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(command: &[&str]) -> Result<NodeShell, Fault> {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        NodeShell::new(NodeParameters::new("node1", &command))
    }

    #[tokio::test]
    async fn the_script_arrives_as_it_was_written_though_a_shell_parses_the_words_again() {
        // As ssh does: the words are joined by spaces and given to a shell.
        let joined = ["sh", "-c", "sh -c \"$*\"", "ssh", "sh", "-c", "{script}"];
        let node = node(&joined).unwrap();
        let script = "printf '%s|' \"a  b\" 'it'\"'\"'s' \\$HOME {node} {script}\nprintf '%s' \"$(cat)\"";
        let output = node.change("try", script, b"in put").await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.0), "a  b|it's|$HOME|{node}|{script}|in put");
    }

    #[tokio::test]
    async fn a_stop_of_the_script_is_told_in_its_own_words() {
        let node = node(&["sh", "-c", "sh -c {script}"]).unwrap();
        let script = format!("{}\nstop content 'key 3 is other'", script::HEAD);
        let fault = node.change("install the keys", &script, b"").await.unwrap_err();
        assert_eq!(fault.message, "install the keys on node1: key 3 is other");
        assert_eq!(fault.kind, FaultKind::Conflict);
        let fault = node.read("look", "exit 9").await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Exited(9));
    }

    #[test]
    fn names_that_ssh_would_take_for_options_and_commands_without_a_script_are_refused() {
        assert!(node(&["ssh", "{node}"]).unwrap_err().message.contains("no {script}"));
        assert!(node(&[]).is_err());
        for name in ["-oProxyCommand=x", "a b", "", "a;b", "a'b"] {
            assert!(NodeShell::new(NodeParameters::new(name, &["{script}".to_owned()])).is_err(), "{name}");
        }
    }
}
