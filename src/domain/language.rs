//! The languages that mails are written in, and the few words of them that dates need. The texts are the mail adapter's.

use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Language {
    /// `en`
    #[default]
    #[serde(rename = "en")]
    English,
    /// `de`
    #[serde(rename = "de")]
    German,
    /// `fr`
    #[serde(rename = "fr")]
    French,
    /// `es`
    #[serde(rename = "es")]
    Spanish,
}

impl Language {
    /// Every language.
    pub const ALL: [Language; 4] = [Language::English, Language::German, Language::French, Language::Spanish];

    /// The word in the configuration, in folders of texts and in HTML (ISO 639-1).
    pub fn word(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::French => "fr",
            Language::Spanish => "es",
        }
    }

    /// The language of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.word() == word)
    }

    /// The day of the week, short.
    pub fn weekday(self, day: Weekday) -> &'static str {
        let days = match self {
            Language::English => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
            Language::German => ["Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."],
            Language::French => ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
            Language::Spanish => ["lun.", "mar.", "mié.", "jue.", "vie.", "sáb.", "dom."],
        };
        days[day.to_monday_zero_offset().rem_euclid(7) as usize]
    }

    /// Between the beginning and the end of a time.
    pub fn to(self) -> &'static str {
        match self {
            Language::English => "to",
            Language::German => "bis",
            Language::French => "à",
            Language::Spanish => "a",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_understood_and_no_other() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.word()), Some(language));
        }
        assert_eq!((Language::parse("DE"), Language::parse("it")), (None, None));
    }

    #[test]
    fn the_week_begins_on_monday_in_every_language() {
        let ends = |language: Language| (language.weekday(Weekday::Monday), language.weekday(Weekday::Sunday));
        assert_eq!(ends(Language::English), ("Mon", "Sun"));
        assert_eq!(ends(Language::German), ("Mo.", "So."));
        assert_eq!(ends(Language::French), ("lun.", "dim."));
        assert_eq!(ends(Language::Spanish), ("lun.", "dom."));
    }
}
