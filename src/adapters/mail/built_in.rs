//! The built-in texts, one file per kind and language.

use crate::domain::language::Language;
use crate::domain::notice::NoticeKind;

macro_rules! texts {
    ($language:literal, $kind:expr) => {
        match $kind {
            NoticeKind::Announcement => {
                include_str!(concat!("../../../assets/templates/", $language, "/announcement.txt"))
            }
            NoticeKind::Reminder => include_str!(concat!("../../../assets/templates/", $language, "/reminder.txt")),
            NoticeKind::Change => include_str!(concat!("../../../assets/templates/", $language, "/change.txt")),
            NoticeKind::Cancellation => {
                include_str!(concat!("../../../assets/templates/", $language, "/cancellation.txt"))
            }
            NoticeKind::Reconfigure => {
                include_str!(concat!("../../../assets/templates/", $language, "/reconfigure.txt"))
            }
            NoticeKind::Emergency => include_str!(concat!("../../../assets/templates/", $language, "/emergency.txt")),
            NoticeKind::AreYouBack => {
                include_str!(concat!("../../../assets/templates/", $language, "/are-you-back.txt"))
            }
            NoticeKind::AllClear => include_str!(concat!("../../../assets/templates/", $language, "/all-clear.txt")),
        }
    };
}

/// The text of a kind in a language.
pub(super) fn built_in(language: Language, kind: NoticeKind) -> &'static str {
    match language {
        Language::English => texts!("en", kind),
        Language::German => texts!("de", kind),
        Language::French => texts!("fr", kind),
        Language::Spanish => texts!("es", kind),
    }
}
