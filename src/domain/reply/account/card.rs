//! The lines of a signature: who somebody is and how they are reached. Each is known by what it holds; `everything below` is no rule.

use super::vocabulary::{Vocabulary, is_guarded, plain_words};
use crate::domain::reply::words::fold;
use std::sync::LazyLock;

/// Words of a title or a department. Some mean something else in a sentence; a line of a card is none.
const TITLES: &str = "administrador administradora informacion information informations informationen referente delegado delegada jefatura encargado encargada engineer engineering manager management director directorate head lead leader leiter leiterin leitung teamleiter teamleiterin teamleitung gruppenleiter gruppenleiterin abteilungsleiter abteilungsleiterin bereichsleiter bereichsleiterin administrator administratorin administration \
admin architect architektin architekt architecte arquitecto arquitecta consultant consulting berater beraterin developer entwickler entwicklerin desarrollador desarrolladora developpeur developpeuse analyst analyste analista analystin specialist spezialist spezialistin specialiste especialista \
officer ceo cto cio ciso coo cfo vp president vice chief owner founder cofounder partner associate assistant assistenz assistentin assistent assistante asistente secretary sekretariat secretariat secretaria technician techniker technikerin technicien technicienne tecnico tecnica \
ingenieur ingenieurin ingenieure ingeniero ingeniera ingenieria ingenierie responsable jefe jefa gerente directeur directrice directora chef cheffe projet proyecto projekt projektleiter projektleiterin projektmanager coordinator coordinateur coordinatrice coordinador coordinadora \
koordinator koordinatorin referent referentin sachbearbeiter sachbearbeiterin geschaftsfuhrer geschaftsfuhrerin geschaftsfuhrung geschaftsleitung prokurist prokuristin vorstand inhaber inhaberin principal senior junior staff sysadmin systemadministrator systemadministratorin systemadministration systems \
system systemes sistemas systeme network networks netzwerk netzwerke reseau reseaux redes infrastructure infrastruktur infraestructura operations operaciones betrieb exploitation platform plattform plateforme plataforma cloud devops sre reliability security sicherheit securite seguridad \
it edv ict informatik informatique informatica technology technologies technologie tecnologia tecnologias technik technique department departamento dept departement abteilung bereich team equipe equipo group gruppe groupe grupo division unit service services servicio servicios support soporte helpdesk desk \
research forschung science scientist wissenschaftler wissenschaftlerin professor profesor profesora prof dr phd msc bsc mba ing dipl mag ba ma university universitat universite universidad institute institut instituto rechenzentrum data center centre software hardware database databases datenbank \
product production produktion sales vertrieb marketing finance finanzen accounting buchhaltung hr personal logistics logistik logistica quality qualitat einkauf purchasing procurement solutions solution technical technischer technische der des du de del of for fur pour para and und et y e the le la les los \
das die von van di da e in i a m f x zu zum zur am an on at external extern freelance freiberufler freiberuflich she her he him they them sie ihr er ihn elle il ella el pronouns pronomen mr mrs ms herr frau mme sr sra site web net dev ops qa ux field business customer account client global regional international europe emea dach";
/// What shows that a line is one of a card, whatever else is in it.
const PROOF: &str = "gmbh mbh ag kg kgaa ohg ug ev gbr se ltd limited llc llp inc incorporated corp corporation plc sas sarl sa eurl sci sl slu srl spa bv nv oy ab aps kft sro doo pty co company cie hrb hra amtsgericht handelsregister registergericht ust uid ustid idnr vat tva siret siren rcs cif nif registered";
/// Words of the lines that the law wants.
const REGISTER: &str = "sitz der gesellschaft amtsgericht handelsregister registergericht aufsichtsrates aufsichtsrats hrb hra geschaftsfuhrer geschaftsfuhrerin geschaftsfuhrung vorstand vorstande vorsitzender vorsitzende vorstandsvorsitzender aufsichtsrat aufsichtsratsvorsitzender aufsichtsratsvorsitzende vertretungsberechtigt ust id idnr nr no number steuernummer steuer \
uid ustid registered office in england and wales scotland ireland company vat reg registration capital au de social siret siren rcs ape naf tva intracommunautaire siege inscrita inscrit en el la registro mercantil tomo folio hoja seccion cif nif domicilio gmbh ag kg mbh ltd prokura komplementarin personlich haftende gesellschafterin handelsregisternummer \
firmensitz eingetragen im beim unter des commerce registre du des eur euro numero n numéro wee geschaftsfuhrender gesellschafter bank iban bic";
/// Names of a way to reach somebody.
const WAYS: &str = "tfno tlfno telf telef telnr rufnummer fono t m f e w p d o tel telefon telephone telefono tlf phone ph mobile mobil mob movil cell celular portable gsm handy fax telefax direct direkt directe durchwahl dw office buro bureau oficina main zentrale standard centralita ext extension email mail e courriel correo web website site url internet www linkedin xing twitter github skype teams \
signal whatsapp matrix fixe festnetz hotline switchboard port fon zimmer room raum gebaude building floor etage stock piso planta og address adresse direccion postfach po box bp cedex apartado poste interne";
/// Words of a street.
const STREETS: &[&str] = &[
    "strasse",
    "str",
    "gasse",
    "weg",
    "allee",
    "platz",
    "ring",
    "ufer",
    "damm",
    "chaussee",
    "street",
    "road",
    "rd",
    "avenue",
    "ave",
    "av",
    "lane",
    "way",
    "drive",
    "square",
    "boulevard",
    "blvd",
    "rue",
    "place",
    "impasse",
    "quai",
    "calle",
    "avenida",
    "avda",
    "paseo",
    "plaza",
    "via",
    "hof",
    "park",
    "house",
    "tower",
    "court",
    "suite",
    "straat",
    "c",
];

static TITLE: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new(&[TITLES]));
static MARK: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new(&[PROOF]));
static LAW: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new(&[REGISTER]));
static WAY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new(&[WAYS]));

/// Whose card it is, and what a known word of an answer is: such a word is part of no card.
pub struct Owner<'a> {
    /// The names of the person, folded.
    pub names: &'a [String],
    /// Whether a word, folded, says something in an answer.
    pub says: &'a dyn Fn(&str) -> bool,
    /// Whether it stands in an answer at all, though it may say nothing.
    pub known: &'a dyn Fn(&str) -> bool,
}

/// What a line of a card shows of itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Something that stands in no sentence: a number, an address, a title, the name.
    Proof,
    /// Only capitals: a company, a place. It counts beside a line with proof.
    Names,
}

/// Whether the line at `at` is one of a card: by itself, or as a name beside a line that is.
pub fn is_card(lines: &[String], at: usize, owner: &Owner<'_>) -> bool {
    match found(&lines[at], owner) {
        Some(Found::Proof) => true,
        Some(Found::Names) => {
            // Touching lines only: an empty line ends the card.
            let beside = |mut others: Box<dyn Iterator<Item = &String> + '_>| {
                loop {
                    match others.next().filter(|line| !line.is_empty()).map(|line| found(line, owner)) {
                        Some(Some(Found::Proof)) => return true,
                        Some(Some(Found::Names)) => {}
                        _ => return false,
                    }
                }
            };
            beside(Box::new(lines[at + 1..].iter())) || beside(Box::new(lines[..at].iter().rev()))
        }
        None => false,
    }
}

fn found(line: &str, owner: &Owner<'_>) -> Option<Found> {
    // A link is no word, and its slashes part nothing.
    let is_link = |word: &&str| word.contains("://") || word.to_ascii_lowercase().starts_with("www.");
    if line.split_whitespace().filter(is_link).any(|link| !is_site(link)) {
        return None;
    }
    let links = line.split_whitespace().filter(is_link).count();
    let text = line.split_whitespace().filter(|word| !is_link(word)).collect::<Vec<_>>().join(" ");
    // `+1 (212) 555`
    let text = text.replace("(0)", " ").replace(" (", "\u{1}").replace(") ", "\u{2}");
    let text = bracketed_numbers(&text);
    let text = text.as_str();
    if is_hours(text) {
        return Some(Found::Proof);
    }
    // `Fabrikam Ltd. Registered in England No. 01234567.`: each by itself.
    let sentences: Vec<&str> = text.split(". ").filter(|one| one.chars().any(char::is_alphanumeric)).collect();
    if links == 0 && (2..=6).contains(&sentences.len()) && sentences.iter().all(|one| one.chars().count() > 3) {
        let each: Option<Vec<Found>> = sentences.iter().map(|one| found(one, owner)).collect();
        if let Some(each) = each {
            return Some(if each.contains(&Found::Proof) { Found::Proof } else { Found::Names });
        }
    }
    let long = text.chars().count() > 160 || plain_words(text).len() > 18;
    if long || text.contains(['?', '…']) || text.ends_with('!') {
        return None;
    }
    let mut proof = links > 0;
    let mut some = links > 0;
    let is_street = |word: &String| {
        STREETS.iter().any(|street| {
            word == street || (street.len() > 4 || *street == "str" && word.len() > 5) && word.ends_with(street)
        })
    };
    // `Am Wasserturm 1`
    let first = plain_words(text).into_iter().next().unwrap_or_default();
    let at_a_place = ["am", "an", "im", "zum", "zur", "auf"].contains(&first.as_str());
    let numbered = text
        .trim_end()
        .rsplit(' ')
        .next()
        .is_some_and(|last| last.len() <= 4 && last.starts_with(|c: char| c.is_ascii_digit()));
    let place = at_a_place && numbered && !plain_words(text).iter().any(|word| (owner.says)(word));
    let street = place || plain_words(text).iter().any(is_street);
    let parts = text
        .split(['|', '·', '•', ',', ';', '/', '–', '—', '(', ')', '*', '►', '│', '◦', '‖'])
        .flat_map(|part| part.split(" - "));
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        match part_found(part, street, owner)? {
            Found::Proof => proof = true,
            Found::Names => {}
        }
        some = true;
    }
    some.then_some(if proof { Found::Proof } else { Found::Names })
}

/// Puts brackets back, but for those around an area code.
fn bracketed_numbers(text: &str) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\u{1}') {
        let (inner, after) = behind.split_once('\u{2}').unwrap_or((behind, ""));
        let code = !inner.is_empty() && inner.chars().all(|c| c.is_ascii_digit());
        whole.push_str(before);
        whole.push_str(&if code { format!(" {inner} ") } else { format!(" ({inner}) ") });
        rest = after;
    }
    (whole + rest).replace('\u{2}', ") ")
}

/// A site or a profile. A page of it may say anything.
fn is_site(link: &str) -> bool {
    let low = link.to_ascii_lowercase();
    let bare = low.split_once("://").map_or(low.as_str(), |(_, rest)| rest).trim_end_matches(['/', '.', ',', ')']);
    let known = [
        "linkedin.",
        "xing.",
        "github.",
        "gitlab.",
        "twitter.",
        "x.com/",
        "facebook.",
        "instagram.",
        "youtube.",
        "aka.ms/",
        "goo.gl/maps",
        "maps.",
    ];
    !bare.contains(['/', '?', '#'])
        || known.iter().any(|site| bare.contains(site))
        || bare.contains("/mailman/listinfo")
}

/// `Bürozeiten: Mo-Do 8:00-15:00 Uhr`: days and hours behind a name for them, and nothing else.
fn is_hours(text: &str) -> bool {
    let Some((label, hours)) = text.split_once(':') else { return false };
    const LABELS: [&str; 14] = [
        "burozeiten",
        "sprechzeiten",
        "offnungszeiten",
        "geschaftszeiten",
        "arbeitszeiten",
        "office hours",
        "opening hours",
        "working hours",
        "business hours",
        "horaires",
        "horaires d ouverture",
        "horario",
        "horario de atencion",
        "horario de oficina",
    ];
    const WORDS: [&str; 16] =
        ["uhr", "h", "to", "bis", "and", "und", "et", "y", "a", "de", "von", "from", "am", "pm", "-", "cet"];
    let day = |word: &str| {
        let short = [
            "mo", "di", "mi", "do", "fr", "sa", "so", "mon", "tue", "wed", "thu", "fri", "lun", "mar", "mer", "jeu",
            "ven", "mie", "jue", "vie",
        ];
        short.contains(&word) || crate::domain::reply::moment::weekday(word).is_some()
    };
    let plain =
        |word: &String| day(word) || WORDS.contains(&word.as_str()) || word.starts_with(|c: char| c.is_ascii_digit());
    LABELS.contains(&plain_words(label).join(" ").as_str()) && plain_words(hours).iter().all(plain)
}

fn part_found(part: &str, street: bool, owner: &Owner<'_>) -> Option<Found> {
    let mut proof = false;
    let mut capitals = 0;
    let (label, value) = part.split_once(':').map_or((None, part), |(label, value)| (Some(label), value));
    let labelled = label.is_some_and(|label| {
        let words = plain_words(label);
        words.len() <= 3 && words.iter().all(|word| WAY.has(word) || LAW.has(word) || MARK.has(word))
    });
    if label.is_some() && !labelled && !part.contains('@') {
        return None;
    }
    let text = if labelled { value } else { part };
    let register = plain_words(part).iter().any(|word| MARK.has(word) && word.len() > 2)
        || labelled && label.is_some_and(|label| plain_words(label).iter().all(|word| LAW.has(word) || MARK.has(word)));
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |word: &str| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        digits > 0 && word.chars().all(|c| c.is_ascii_digit() || "+-/.()".contains(c))
    };
    let digits = text.chars().filter(char::is_ascii_digit).count();
    for (at, word) in words.iter().enumerate() {
        let joined: String = word.split('.').collect();
        if word.contains('.') && word.split('.').all(|letter| letter.len() <= 1) && MARK.has(&fold(&joined)) {
            // `S.L.`
            proof = true;
            continue;
        }
        if word.contains('@') && word.contains('.') || is_domain(word) {
            proof = true;
            continue;
        }
        if number(word) {
            // A telephone number, a number with a street or a town; a lone short number could be a time.
            proof |= digits >= 6 || labelled && digits >= 3 || street || digits >= 4 && words.len() > at + 1;
            if digits < 3 && !street && !labelled && !register {
                return None;
            }
            continue;
        }
        for piece in word.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty()) {
            let low = fold(piece);
            if owner.names.contains(&low) && low.chars().count() > 1 && !(owner.says)(&low) {
                proof = true;
                continue;
            }
            let title = TITLE.has(&low);
            // Short words of a card stand in sentences too: they prove nothing.
            proof |= title && low.len() > 3 && !(owner.says)(&low) || MARK.has(&low) && low.len() > 1;
            let known = title || MARK.has(&low) || WAY.has(&low) || register && LAW.has(&low);
            let mixed = piece.chars().any(|c| c.is_ascii_digit());
            let capital = piece.starts_with(char::is_uppercase) || mixed && piece.chars().any(char::is_uppercase);
            match known {
                true => {}
                false if street && STREETS.contains(&low.as_str()) => {}
                false if capital && !is_guarded(&low) && !(owner.says)(&low) => capitals += 1,
                false => return None,
            }
        }
    }
    // Behind the name of a way there is a number or an address.
    let way = labelled && !register;
    if way && !proof && digits < 3 && !words.is_empty() {
        return None;
    }
    proof |= register;
    let spoken = |word: &String| !TITLE.has(word) && !WAY.has(word) && (owner.known)(word);
    if !proof && plain_words(text).iter().any(spoken) {
        return None;
    }
    (proof || capitals > 0 && capitals <= 3 || words.is_empty() || words.len() <= 6).then_some(if proof {
        Found::Proof
    } else {
        Found::Names
    })
}

/// `example.org`.
fn is_domain(word: &str) -> bool {
    let bare = word.trim_end_matches(['.', ',']);
    let mut labels = bare.split('.');
    let plain =
        |label: &str| label.len() >= 2 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let last = bare.rsplit('.').next().unwrap_or_default();
    bare.contains('.') && labels.all(plain) && last.len() <= 6 && last.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(line: &str) -> bool {
        let names = ["ada".to_owned(), "okafor".to_owned()];
        let says = |word: &str| ["yes", "manager", "no", "if", "but", "chef", "sunday"].contains(&word);
        found(line, &Owner { names: &names, says: &says, known: &says }) == Some(Found::Proof)
    }

    #[test]
    fn lines_of_a_card_are_known_by_what_they_hold() {
        for line in [
            "Ada Okafor",
            "Lead Platform Engineer",
            "T +44 20 7946 0999 | M +44 7700 900123",
            "ada.okafor@example.org | www.example.org",
            "Hafenstraße 12",
            "20457 Hamburg",
            "Sitz der Gesellschaft: Hamburg",
            "Amtsgericht Hamburg, HRB 98765",
            "Geschäftsführer: Dr. Uwe Petersen, Karin Holm",
            "USt-IdNr.: DE 123 456 789",
            "Tél. : 01 70 18 99 00",
            "12 rue de la République",
            "Calle Mayor 15, 28013 Madrid",
            "Head of Infrastructure | Example Robotics Ltd",
            "Ada Okafor (she/her)",
            "Teamleiterin IT-Infrastruktur",
            "Direction des Systèmes d'Information, Example SAS",
            "Registered in England and Wales No. 1234567",
            "mobile: +33 6 12 34 56 78",
            "Example Robotics Ltd",
        ] {
            assert!(is(line), "{line}");
        }
    }

    #[test]
    fn a_line_that_says_something_is_no_line_of_a_card() {
        for line in [
            "T +44 20 7946 0999 (ring me first, Bob has to sign off)",
            "Approval by Finance pending",
            "Ada Okafor, but only after the backup",
            "Backup First",
            "Sunday 23:00",
            "keep the old key working until Monday",
            "Voraussetzung: Rücksprache mit Herrn Petersen",
            "Manager approval first",
            "gilt nur, falls die Datensicherung durch ist",
            "23:30",
            "sous réserve de l'accord de mon chef",
            "Registered office: London. Key change to be agreed with the board.",
            "Freigabe: Petersen",
            "not before 23",
            "Nicht Vor 23 Uhr",
        ] {
            assert!(!is(line), "{line}");
        }
    }
}
