//! When the second mail may go out: which places must show the live key right before it, by the operators' own policy.

/// The policy. The object is always asked: clients download what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondMail {
    /// The server's interface shows the live key (and step 6 is done).
    pub interface: bool,
    /// The console API, where one is configured, serves it to each of those who are mailed.
    pub console: bool,
}

impl Default for SecondMail {
    /// The strictest.
    fn default() -> Self {
        Self { interface: true, console: true }
    }
}

impl SecondMail {
    /// Reads the places that are asked. Errs where one is not known, or the object is missing.
    pub fn read(words: &[&str]) -> Result<Self, String> {
        if let Some(word) = words.iter().find(|word| !matches!(**word, "object" | "interface" | "console")) {
            return Err(format!("{word:?} is no place; write some of \"object\", \"interface\" and \"console\""));
        }
        if !words.contains(&"object") {
            return Err("must hold \"object\": clients download what the object says".into());
        }
        Ok(Self { interface: words.contains(&"interface"), console: words.contains(&"console") })
    }

    /// The places that are not asked.
    pub fn unasked(self) -> Vec<String> {
        let places = [("interface", self.interface), ("console", self.console)];
        places.into_iter().filter(|(_, asked)| !asked).map(|(place, _)| place.to_owned()).collect()
    }

    /// What must be known of that, in words; nothing where every place is asked.
    pub fn told(unasked: &[String]) -> Option<String> {
        let places = unasked.join(" and ");
        (!unasked.is_empty()).then(|| {
            format!("the second mail goes out without asking whether the {places} has the live key (notices.reconfigure_needs)")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_is_always_asked_and_an_unknown_place_is_named() {
        assert_eq!(SecondMail::read(&["console", "object", "interface"]), Ok(SecondMail::default()));
        assert!(SecondMail::read(&["interface"]).unwrap_err().contains("\"object\""));
        assert!(SecondMail::read(&[]).is_err());
        assert!(SecondMail::read(&["object", "swift"]).unwrap_err().contains("\"swift\""));
    }

    #[test]
    fn a_weaker_policy_names_what_it_does_not_ask() {
        assert_eq!(SecondMail::told(&SecondMail::default().unasked()), None);
        let weaker = SecondMail::read(&["object"]).unwrap().unasked();
        assert_eq!(weaker, ["interface", "console"]);
        assert!(SecondMail::told(&weaker).unwrap().contains("interface and console"));
    }
}
