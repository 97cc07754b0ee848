//! How a node answers its own users, told by a command of the operator's: an access log or metrics, counted by whatever counts them.
//! What the counts say is `domain::fernet::watch`.

use super::refusal::{self, Effect};
use super::run;
use super::script::{fill, is_host};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::watch::Counts;
use crate::engine::ports::nodes::NodeTraffic;
use async_trait::async_trait;
use std::time::Duration;

/// The command for one node.
pub struct AnswerCount {
    node: String,
    argv: Vec<String>,
    timeout: Duration,
}

impl AnswerCount {
    /// Checks the parameters; runs nothing. `{node}` in the argv stands for the node's name.
    ///
    /// Errors: a name that a command would interpret, or an empty command.
    pub fn new(node: &str, command: &[String], timeout: Duration) -> Result<Self, Fault> {
        if !is_host(node) || command.first().is_none_or(String::is_empty) {
            let text = format!("count what {node:?} answers: its name is not a host's, or the command is empty");
            return Err(Fault::new(Service::Configuration, FaultKind::Invalid, text));
        }
        let argv = command.iter().map(|word| fill(word, &[("{node}", node)])).collect();
        Ok(Self { node: node.to_owned(), argv, timeout })
    }
}

#[async_trait]
impl NodeTraffic for AnswerCount {
    /// Three whole numbers, which rise: all answers, those that refused a token (401, and 404 of `/v3/auth/tokens`), those of 5xx.
    async fn counts(&self) -> Result<Counts, Fault> {
        const DOING: &str = "count what it answers";
        let ended = run::run(&self.argv, &[], self.timeout).await;
        let ended =
            ended.map_err(|failure| refusal::failure(&self.node, DOING, failure, self.timeout, Effect::Reads))?;
        if ended.code != Some(0) {
            return Err(refusal::judge(&self.node, DOING, &ended, Effect::Reads));
        }
        counts(&ended.output.0).ok_or_else(|| {
            let text = format!("{DOING} on {}: the command printed something else than three numbers", self.node);
            Fault::new(Service::Node, FaultKind::Malformed, text).hint(
                "the watch's command must print all answers, those that refused a token, and those of 5xx: \"1200 3 0\"",
            )
        })
    }
}

fn counts(output: &[u8]) -> Option<Counts> {
    let text = std::str::from_utf8(output).ok()?;
    let numbers: Option<Vec<u64>> = text.split_whitespace().map(|word| word.parse().ok()).collect();
    let &[requests, refused, failed] = numbers?.as_slice() else { return None };
    (refused <= requests && failed <= requests).then_some(Counts { requests, refused, failed })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn counted(script: &str) -> Result<Counts, Fault> {
        let command = ["sh", "-c", script, "{node}"].map(String::from);
        AnswerCount::new("node1", &command, Duration::from_secs(60)).unwrap().counts().await
    }

    #[tokio::test]
    async fn three_numbers_are_counts_and_everything_else_is_told() {
        let expected = Counts { requests: 1200, refused: 3, failed: 0 };
        assert_eq!(counted("test \"$0\" = node1 && echo 1200 3; echo 0").await.unwrap(), expected);
        for bad in ["true", "echo 1 2", "echo 1 2 3 4", "echo a b c", "echo 3 4 0", "echo -1 0 0"] {
            let fault = counted(bad).await.unwrap_err();
            assert!(fault.message.contains("node1") && fault.advice().contains("1200 3 0"), "{bad}: {fault}");
        }
        assert_eq!(counted("exit 7").await.unwrap_err().kind, FaultKind::Exited(7));
    }

    #[test]
    fn a_name_that_is_none_and_a_command_that_is_empty_are_refused() {
        assert!(AnswerCount::new("-oProxyCommand=x", &["x".to_owned()], Duration::ZERO).is_err());
        assert!(AnswerCount::new("node1", &[], Duration::ZERO).is_err());
    }
}
