//! The words of a line with slots in place of what differs from firm to firm: `<org>`, `<url>`, `<mail>`, `<number>`.

use super::card::{TRADES, is_listed};
use super::place::{is_deed, is_nobodys_word};
use crate::domain::reply::known;
use crate::domain::reply::moment::{is_month, weekday};
use crate::domain::reply::words::{fold, tokens};
use std::collections::HashSet;
use std::sync::LazyLock;

/// Whose mail it is, as far as it names their firm.
pub struct Owner<'a> {
    /// The names of the person, folded.
    pub names: &'a [String],
    /// The words of the firm: of the domain that they write from, and of the tenant.
    pub firm: &'a [String],
    /// Their address.
    pub email: &'a str,
}

/// Domains in which anybody has an address: their name is no firm's.
const PROVIDERS: &str = "gmail googlemail gmx web outlook hotmail live msn yahoo icloud me mac aol proton protonmail tutanota posteo mailbox freenet online orange \
free laposte wanadoo sfr zoho fastmail mail telefonica";

static FORMS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("legalform"));

/// The words of a domain that name a firm: `acme` of `ada@mail.acme.co.uk`.
pub fn of_domain(email: &str) -> Vec<String> {
    let domain = email.rsplit('@').next().unwrap_or_default();
    let labels: Vec<&str> = domain.split('.').collect();
    let small = ["www", "co", "com", "org", "net", "ac", "gov", "mail", "int", "corp"];
    let named =
        |label: &&str| label.len() > 2 && !small.contains(label) && !PROVIDERS.split(' ').any(|one| one == *label);
    let of_firm = labels.iter().take(labels.len().saturating_sub(1)).copied().filter(named);
    let mut words: Vec<String> = of_firm
        .flat_map(|label| label.split('-').map(fold).chain([fold(label)]))
        .filter(|word| word.len() > 2)
        .collect();
    // `Example Org` of `example.org`
    if !words.is_empty() && labels.last() == Some(&"org") {
        words.push("org".into());
    }
    words
}

/// Whether folded words are a legal form: `gmbh`, `gmbh co kg`, `s l`.
pub fn is_form(words: &[String]) -> bool {
    let joined = words.join("");
    FORMS.contains(&words.join(" ")) || FORMS.contains(&joined)
}

/// Whether a word is a link, or a domain as it stands in a signature.
pub fn is_link(word: &str) -> bool {
    let low = word.to_ascii_lowercase();
    let low = low.trim_matches(|c: char| "<>()[],;".contains(c)).trim_end_matches('.');
    let domain = |text: &str| {
        let labels: Vec<&str> = text.split('.').collect();
        let letters = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        labels.len() >= 2
            && labels.iter().all(letters)
            && labels
                .last()
                .is_some_and(|end| (2..=7).contains(&end.len()) && end.chars().all(|c| c.is_ascii_lowercase()))
            && labels.iter().any(|label| label.len() > 2)
    };
    low.contains("://") || low.starts_with("www.") || !low.contains('@') && domain(low)
}

/// Whether a link says nothing: no word in it is one of which conditions are made.
pub fn is_plain_link(word: &str) -> bool {
    let words = super::plain_words(word);
    // A host may be named like a word; `only-if-bob-agrees` is none.
    // Words of pages that everybody has.
    const PAGES: &str = "http https aka ms lists list mailman listinfo net org outlook proton facebook linkedin instagram twitter youtube xing example in company u user en de fr es it pub home index www com web ios my work contact kontakt about team support maps pages news mail secure email privacy datenschutz legal impressum imprint info app apps go link links click id view open get download android protection office teams meet join profile page shop service services group the and und et y a o of to by on us we me up no ok";
    const TELLS: [&str; 25] = [
        "kidding",
        "disagree",
        "ask",
        "alternative",
        "alternativ",
        "propos",
        "slot",
        "termin",
        "poll",
        "umfrage",
        "doodle",
        "vote",
        "new",
        "neu",
        "nouv",
        "nuev",
        "nuudel",
        "dudle",
        "framadate",
        "xoyondo",
        "moreganize",
        "rallly",
        "tenor",
        "giphy",
        "facepalm",
    ];
    let word_of = |word: &String| {
        word.len() > 2
            && known::is_word(word)
            && !known::is_first_name(word)
            && !TRADES.contains(word)
            && !PAGES.split(' ').any(|page| page == word)
    };
    let says = |word: &String| {
        super::is_guarded(word) && word.len() > 1
            || weekday(word).is_some()
            || is_month(word)
            || word_of(word)
            || is_deed(word)
            || word == "date"
            || TELLS.iter().any(|start| word.starts_with(start) || word.len() > 5 && word.ends_with(start))
    };
    words.len() <= 16 && !words.iter().any(says)
}

/// Whether a word is an address, in brackets or not.
pub fn is_address(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| "<>()[],;:.".contains(c));
    let bare = bare.strip_prefix("mailto:").unwrap_or(bare);
    bare.split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && !domain.contains('@'))
}

/// The words of a text without its commas.
fn undivided(text: &str) -> Vec<String> {
    tokens(text).into_iter().filter(|word| word != ",").collect()
}

/// The words of a text with slots.
pub fn slotted(text: &str, owner: &Owner<'_>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    // How many of the last ones have a capital, and are nobody's: `Clínica Dental Acme` is one name.
    let mut named = 0;
    let push = |word: &str, words: &mut Vec<String>| {
        if words.last().is_none_or(|last| last != word) {
            words.push(word.to_owned());
        }
    };
    let chunks: Vec<&str> = text.split_whitespace().collect();
    let mut at = 0;
    while at < chunks.len() {
        let chunk = chunks[at];
        at += 1;
        if is_address(chunk) {
            push("<mail>", &mut words);
            continue;
        }
        if is_link(chunk) {
            match is_plain_link(chunk) {
                true => push("<url>", &mut words),
                false => words.push("<other>".into()),
            }
            continue;
        }
        if chunk.chars().any(|c| c.is_ascii_digit()) && !chunk.chars().any(char::is_alphabetic) {
            push("<number>", &mut words);
            continue;
        }
        let pieces = undivided(chunk);
        let of_firm = |word: &String| owner.firm.contains(word);
        let capital = chunk.starts_with(char::is_uppercase);
        let name = |pieces: &[String]| !pieces.is_empty() && pieces.iter().all(|word| is_nobodys_word(word));
        // `Clínica Dental Acme`, and not `Formerly Acme`
        let kind = |pieces: &[String]| name(pieces) && pieces.iter().all(|word| is_listed(word));
        if !pieces.is_empty() && pieces.iter().all(of_firm) {
            words.truncate(words.len() - if named <= 2 { named } else { 0 });
            named = 0;
            // `ACME IBERIA, S.L.`
            let more = chunks.get(at).filter(|next| next.starts_with(char::is_uppercase));
            let form = chunks.get(at + 1).is_some_and(|next| is_form(&undivided(next)));
            at += usize::from(form && more.is_some_and(|more| name(&undivided(more))));
            // The legal form behind it is of its name.
            let most = (1..=4).rev().find(|length| {
                let form: Vec<String> =
                    chunks[at..].iter().take(*length).flat_map(|one| tokens(one)).filter(|word| word != ",").collect();
                at + length <= chunks.len() && is_form(&form)
            });
            at += most.unwrap_or(0);
            push("<org>", &mut words);
            continue;
        }
        named =
            if capital && kind(&pieces) && !chunk.ends_with(['.', ',', ':', ';']) { named + pieces.len() } else { 0 };
        for word in pieces {
            match () {
                () if of_firm(&word) => push("<org>", &mut words),
                () if word.chars().all(|c| c.is_ascii_digit()) => push("<number>", &mut words),
                () => words.push(word),
            }
        }
    }
    words
}
