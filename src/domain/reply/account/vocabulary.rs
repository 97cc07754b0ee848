//! Words by what they may stand in: closed lists, so that a word that nobody thought of is in none.

use crate::domain::reply::words::fold;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Beginnings of words of which conditions are made. They are part of no name and no title, and an example that holds one counts as a whole only.
const GUARDED: &str = "backup|back-up|sicherung|datensicherung|sauvegard|respald|copia|restor|approv|permission|permiso|permit|freigabe|\
freizugeb|freigegeb|freizeich|genehmig|zustimm|autori|valida|validie|aproba|aprueb|first|zuerst|erst|vorher|vorab|vorhin|prior|before|bevor|\
beforehand|previo|previa|antes|avant|auparavant|prealab|prerequis|voraussetz|vorausgesetz|bedingung|bedingt|condition|condicion|\
conditional|vorbehalt|reserv|sujet|subject|pending|awaiting|ausstehend|offen|pendient|attent|wait|wart|esper|hold|halt|deadline|frist|limit|\
until|bis|jusqu|hasta|till|unless|except|sauf|salvo|ausser|only|nur|seulement|solo|uniquement|unicamente|if|wenn|falls|sofern|si|when|sobald|\
once|after|nach|apres|despues|nachdem|later|spater|luego|sooner|earlier|fruher|test|prufung|verif|check|review|sign-off|signoff|\
required|necessary|notwendig|erforderlich|necesari|necessair|must|muss|required|oblig|need|brauch|necesit|besoin|notify|notice|rucksprache|\
abstimmung|absprache|abklarung|klarung|coordin|koordin|consult|call|anruf|appel|llam|ring|stop|cancel|annul|abbruch|absage|abges|\
invalid|void|ungultig|unwirksam|nul|nulo|provision|vorlauf|tentativ|draft|entwurf|maybe|vielleicht|eventuel|peut|quiza|not|nicht|kein|pas|\
never|nie|no|non|nein|ohne|without|sans|sin|postpon|versch|repor|decal|aplaz|move|cambi|instead|statt|other|ander|autre|otro|otra|revo|\
widerruf|withdr|zuruck|retir|reject|ablehn|refus|rechaz|declin|veto|object|einspruch|warn|freeze|sperr|bloqu|block|promis|zusag|\
versprech|promet|agree|einverst|accord|acuerdo|confirm|bestatig|bestaetig|window|fenster|maintenance|wartung|schlussel|rollback|\
migration|cutover|downtime|release|stand-by|standby|exempt|ausnahm|exclu|outstanding|missing|undecid|decid|decision|entscheid|unterschrift|steht|fehlt|manqu|falta|overload|unhappy|risk|delay|verzog|retras|retard|frozen|veto|guarant|garant|expir|ablauf|urgent|dringend|emergen|notfall";

/// Words that only look like one of them, and short ones that are so only whole.
const UNGUARDED: &str = "sicherungstechnik|notebook|noticeable|note|nora|noel|nohr|nordic|nord|north|norte|notar|nova|novotel|noa|noe|noah|simon|\
silvia|sina|sidney|siemens|site|siren|sinan|sinclair|siobhan|solomon|solutions|solution|solange|solar|sofia|testa|tester|halter|haltern|moveo|\
mustafa|nicola|nicole|nico|nina|niels|nils|pascal|paso|pasteur|nuri|nullinger|nurnberg|iffat|ifeoma|onlyoffice|bisoux|bisschop|antesberger|\
callcenter|ringstrasse|ringstr|otros|bob's|consulting|consultant|consultants|consulta|coordinator|coordinatrice|coordinateur|coordinador|\
coordinadora|koordinator|koordinatorin|tester|testing|autoridad|validation|reviewer|notary|noticias|holding|holdings|holder|holdt|\
restaurant|limited|tilleul|tilleuls|tillmann|tiller|silvestre|silva|attenborough|needham|waiter|waitrose|wartburg|warta|warte|ander|andersen|anderson|andersson|andreas|sanso|sansone|nonnenmacher|nonaka|\
reserve|emergency|release|releases|migrations|block|blocks|moves|mover|moverse|besoins|checker|checkpoint|verifone|nachname|erster|erstein|\
nachhaltigkeit|bismarck|bismarckstrasse|bismarckstr|promise|avanti|avantgarde|ablaufsteuerung|garantie|warning|nicholas|nichols|nichola";

static UNGUARDED_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| listed(UNGUARDED));
/// The whole words of at most 3 letters, and the others by their first 3.
type Starts = (HashSet<&'static str>, HashMap<&'static str, Vec<&'static str>>);

static STARTS: LazyLock<Starts> = LazyLock::new(|| {
    let (short, long): (HashSet<&str>, HashSet<&str>) = listed(GUARDED).into_iter().partition(|start| start.len() <= 3);
    let mut starts: HashMap<&str, Vec<&str>> = HashMap::new();
    for start in long {
        starts.entry(start.get(..3).unwrap_or(start)).or_default().push(start);
    }
    (short, starts)
});

/// The words of a list with a `|` between two.
pub fn listed(list: &'static str) -> HashSet<&'static str> {
    list.split('|').map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// Whether a word, folded, belongs to what conditions are made of.
pub fn is_guarded(word: &str) -> bool {
    let (short, starts) = &*STARTS;
    let begins = || {
        let all = word.get(..3).and_then(|first| starts.get(first));
        all.is_some_and(|all| all.iter().any(|start| word.starts_with(start)))
    };
    (short.contains(word) || begins()) && !UNGUARDED_SET.contains(word)
}

/// A closed list of words.
pub struct Vocabulary(HashSet<&'static str>);

impl Vocabulary {
    /// Of lists with a `|` or a blank between two words.
    pub fn new(lists: &[&'static str]) -> Self {
        Self(lists.iter().flat_map(|list| list.split(['|', ' ', '\n'])).filter(|word| !word.is_empty()).collect())
    }

    /// Whether it holds the word.
    pub fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }
}

/// The words of a text, folded, parted by whatever is no letter or digit.
pub fn plain_words(text: &str) -> Vec<String> {
    let folded = fold(text);
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
