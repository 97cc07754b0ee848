//! Judges `[state]`: where the journal rests, and how its server's password is found.
//!
//! How single values are written is `values`.

use super::file::StateTable;
use super::rules::{NOWHERE, Rules};
use super::{Password, State};
use toml::Spanned;

impl Rules<'_> {
    pub(super) fn state(&mut self, table: StateTable) -> State {
        let directory = table.directory.unwrap_or_else(|| {
            let written = State::default().directory.to_string_lossy().into_owned();
            Spanned::new(NOWHERE, written)
        });
        let directory = self.path("state.directory", Some(directory)).unwrap_or_default();
        let others = [
            ("state.password_file", table.password_file.as_ref().map(Spanned::span)),
            ("state.password_command", table.password_command.as_ref().map(Spanned::span)),
            ("state.ca_file", table.ca_file.as_ref().map(Spanned::span)),
        ];
        if table.url.is_none() {
            for (field, span) in others.iter().filter_map(|(field, span)| Some((field, span.as_ref()?))) {
                self.wrong(field, span, "is for a server, and there is no state.url: add url, or take this away");
            }
        } else if let [(first, Some(_)), (field, Some(span)), _] = &others {
            let message = format!("{first} is there already; one source of the password is enough, take one away");
            self.wrong(field, span, message);
        }
        let url = match table.url {
            Some(written) => {
                let span = written.span();
                // Whatever stands there may hold a password: it is neither quoted nor shown.
                match url(written.get_ref()) {
                    Ok(url) => Some(url),
                    Err(message) => {
                        self.problems.add_hidden(self.source, &span, "state.url", message);
                        None
                    }
                }
            }
            None => None,
        };
        let password = match (self.private_file("state.password_file", table.password_file), table.password_command) {
            (Some(path), _) => Password::File(path),
            (None, Some(command)) => Password::Command(self.argv("state.password_command", command, &[], &[])),
            (None, None) => Password::None,
        };
        State { directory, url, password, ca_file: self.trusted("state.ca_file", table.ca_file) }
    }
}

/// `postgres://user@host:port/database`.
fn url(text: &str) -> Result<String, String> {
    let right =
        "write \"postgres://user@host/database\", or \"postgres://user@localhost/database?host=/folder\" for a socket";
    let parsed = reqwest::Url::parse(text).map_err(|_| format!("is not an address; {right}"))?;
    if !matches!(parsed.scheme(), "postgres" | "postgresql") {
        return Err(format!("is not the address of a PostgreSQL server; {right}"));
    }
    if parsed.password().is_some() || parsed.query_pairs().any(|(key, _)| key == "password") {
        return Err("holds a password, which others could read here: take it away (and change it), and use state.password_file or state.password_command".into());
    }
    if let Some((key, _)) = parsed.query_pairs().find(|(key, _)| key != "host") {
        return Err(format!(
            "holds the parameter {key:?}, which is not known here; TLS is always verified except on this machine, see state.ca_file"
        ));
    }
    if !parsed.has_host() || parsed.username().is_empty() || parsed.path().trim_matches('/').is_empty() {
        return Err(format!("lacks the user, the host or the database; {right}"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_user_host_and_database_and_no_password() {
        for good in [
            "postgres://cg@db.example.net/cg",
            "postgresql://cg@127.0.0.1:5433/cg",
            "postgres://a@localhost/b?host=/run/postgresql",
        ] {
            assert_eq!(url(good).as_deref(), Ok(good));
        }
        for bad in ["postgres://cg:hunter2@db/cg", "postgres://cg@db/cg?password=hunter2"] {
            let message = url(bad).unwrap_err();
            assert!(message.contains("password_file") && !message.contains("hunter2"), "{message}");
        }
        for bad in
            ["", "db", "mysql://a@b/c", "postgres://db/cg", "postgres://cg@db", "postgres://cg@db/cg?sslmode=disable"]
        {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
