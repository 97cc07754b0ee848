//! Lines that programs write under a mail (`Sent from my iPhone`, `Von meinem Handy gesendet`), each known as a whole.

use super::vocabulary::{Vocabulary, is_guarded, listed, plain_words};
use crate::domain::reply::moment::weekday;
use crate::domain::reply::words::{Kind, fold, phrase};
use crate::domain::token::Topic;
use std::collections::HashSet;
use std::sync::LazyLock;

/// What stands around the name of the device or program: before it and behind it, folded. A `~` is where it stands.
const FRAMES: &[&str] = &[
    "sent from ~",
    "sent with ~",
    "sent via ~",
    "sent using ~",
    "sent by ~",
    "sent on the go with ~",
    "sent on the go",
    "get ~",
    "get the ~",
    "download ~",
    "sent from my ~ with ~",
    "this message was sent from ~",
    "this email was sent from ~",
    "this mail was sent from ~",
    "von ~ gesendet",
    "von ~ aus gesendet",
    "von ~ versendet",
    "von ~ verschickt",
    "gesendet von ~",
    "gesendet mit ~",
    "gesendet aus ~",
    "gesendet uber ~",
    "gesendet vom ~",
    "versendet mit ~",
    "verschickt mit ~",
    "verfasst mit ~",
    "diese nachricht wurde von ~ gesendet",
    "diese nachricht wurde mit ~ gesendet",
    "diese e mail wurde von ~ gesendet",
    "diese e mail wurde mit ~ gesendet",
    "diese mail wurde mit ~ gesendet",
    "diese mail wurde von ~ gesendet",
    "holen sie sich ~",
    "laden sie ~ herunter",
    "outlook fur ~",
    "~ herunterladen",
    "unterwegs gesendet",
    "envoye de ~",
    "envoye depuis ~",
    "envoye a partir de ~",
    "envoye a partir d ~",
    "envoye avec ~",
    "envoye par ~",
    "envoye via ~",
    "envoye d ~",
    "envoyee depuis ~",
    "envoye du ~",
    "telecharger ~",
    "telechargez ~",
    "obtenez ~",
    "obtenir ~",
    "message envoye depuis ~",
    "message envoye avec ~",
    "message envoye de ~",
    "provenance ~",
    "enviado desde ~",
    "enviado con ~",
    "enviado de ~",
    "enviado mediante ~",
    "enviado a traves de ~",
    "enviado via ~",
    "enviado por ~",
    "obtener ~",
    "obtenga ~",
    "descargar ~",
    "descarga ~",
    "consigue ~",
    "mensaje enviado desde ~",
    "inviato da ~",
    "inviato dal ~",
    "inviata da ~",
    "ottieni ~",
    "scarica ~",
    "enviado do ~",
    "verzonden vanaf ~",
    "verstuurd vanaf ~",
    "verzonden met ~",
    "skickat fran ~",
    "sendt fra ~",
    "lahetetty ~",
    "wyslano z ~",
];
/// Devices, programs and providers, and the small words beside them.
const DEVICES: &str = "iphone ipad ipod mac macbook ios android samsung galaxy pixel google huawei honor xiaomi redmi poco oppo oneplus nokia motorola moto sony xperia \
fairphone blackberry windows surface lenovo lg htc realme phone phones mobile mobiles mobil mobiltelefon smartphone smartphones smart handy handys telefon telephone tel portable cellulaire cellular cell \
cellphone movil celular tablet tablette tableta gerat geraet device appareil dispositivo app apps application aplicacion appli mail mails email e courriel courrier correo electronico outlook gmail yahoo gmx web de t \
online freenet proton protonmail tutanota tuta aqua thunderbird k 9 k9 spark bluemail blue airmail canary edison fairemail nine fastmail zoho posteo mailbox org net com icloud aol \
laposte orange free sfr bouygues vodafone o2 telekom telefonica movistar verizon at att tmobile 4g 5g lte network reseau red netz for fur pour para on auf sur en the der die das le la el my mein meinem \
meiner mon ma mi mio mijn min meu using mit avec con ultra plus pro max mini note fold flip lite se secure sicher sicherer sicheren messagerie messaging mailer client webmail roundcube horde owa exchange microsoft office 365 \
apple telefono with via par un une einem einer eines mobilen l d s mobile mobiles wireless device handheld verizon sprint bell rogers telus ein lumia nexus z s wandelbarer tragbaren";
/// Lines that stand alone, folded, without marks.
const WHOLE: &str = "virus free|virus free www avast com|virenfrei|virenfrei www avast com|libre de virus|libre de virus www avast com|sans virus|sans virus www avast com|garanti sans virus|\
no virus found in this message|this email has been checked for viruses by avast antivirus software|this email has been scanned for viruses|this message has been scanned for viruses|\
diese e mail wurde von avast antivirus software auf viren gepruft|cet e mail a ete verifie par le logiciel antivirus d avast|l absence de virus dans ce courrier electronique a ete verifiee par le logiciel antivirus avast|\
este correo electronico ha sido comprobado en busca de virus con el software antivirus de avast|el software de antivirus avast ha analizado este correo electronico en busca de virus|www avast com|avast com|checked by avg|\
please consider the environment before printing this email|please consider the environment before printing this e mail|please consider the environment before printing|p please consider the environment before printing this email|\
p please consider the environment before printing this e mail|please consider the environment before you print this email|please think of the environment before printing this email|think before you print|please think before you print|save paper think before you print|\
please do not print this email unless it is necessary|please don t print this e mail unless you really need to|save a tree|\
bitte denken sie an die umwelt bevor sie diese e mail ausdrucken|bitte denken sie an die umwelt bevor sie diese mail ausdrucken|bitte denken sie an die umwelt|denken sie an die umwelt bevor sie diese e mail ausdrucken|\
bitte prufen sie ob diese mail wirklich ausgedruckt werden muss|bitte prufen sie der umwelt zuliebe ob der ausdruck dieser mail erforderlich ist|\
pensez a l environnement avant d imprimer ce message|pensez a l environnement avant d imprimer ce mail|pensez a l environnement avant d imprimer cet e mail|pensez a l environnement avant d imprimer ce courriel|pensez a l environnement|\
n imprimez ce message que si necessaire|avant d imprimer pensez a l environnement|merci de penser a l environnement avant d imprimer ce message|merci de penser a l environnement avant d imprimer ce mail|\
antes de imprimir este correo piense en el medio ambiente|antes de imprimir este correo electronico piense en el medio ambiente|antes de imprimir este mensaje piense en el medio ambiente|piense en el medio ambiente antes de imprimir este correo|\
antes de imprimir piense en el medio ambiente|por favor considere el medio ambiente antes de imprimir este correo|piensa en el medio ambiente antes de imprimir este correo|antes de imprimir este e mail piense bien si es necesario hacerlo|\
please excuse brevity|please excuse my brevity|excuse brevity|please excuse any typos|please excuse typos|please excuse brevity and typos|please excuse my brevity and typos|please excuse any brevity|sorry for typos|sorry for any typos|please forgive typos|please forgive any typos|\
please excuse typos and brevity|excuse typos|excuse my typos|apologies for brevity|apologies for typos|apologies for any typos|bitte entschuldigen sie die kurze|bitte entschuldige die kurze|entschuldigen sie die kurze|bitte entschuldigen sie tippfehler|tippfehler bitte entschuldigen|\
ich bitte um entschuldigung fur die kurze|bitte entschuldigen sie meine kurze|veuillez excuser ma brievete|merci d excuser ma brievete|excusez ma brievete|veuillez excuser les fautes de frappe|disculpe la brevedad|disculpa la brevedad|disculpen la brevedad|disculpe mi brevedad|\
perdon por la brevedad|disculpe las erratas|enviado con prisa|external|external email|external sender|extern|externe|externo|ext|correo externo|courriel externe|externe e mail|caution external email|\
you don t often get email from this sender|learn why this is important|sie erhalten nicht oft eine e mail von diesem absender|vous ne recevez pas souvent d e mails de la part de cet expediteur|no suele recibir correo electronico de este remitente|\
image|bild|logo|inline image|inline bild";

/// A device that is not known may stand beside these.
const SENT: [&str; 7] = ["sent ", "gesendet", "versendet", "envoye", "enviado", "inviato", "verzonden"];

static DEVICE: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new(&[DEVICES]));

/// A text without its links, addresses in brackets, and marks of pictures (`[cid:image001.png@01]`, `<https://…>`).
pub fn without_links(text: &str) -> String {
    let mut rest = text;
    let mut whole = String::new();
    while let Some(start) = rest.find(['[', '<']) {
        let closing = if rest[start..].starts_with('[') { ']' } else { '>' };
        let Some(end) = rest[start..].find(closing).map(|end| start + end) else { break };
        let inner = rest[start + 1..end].trim();
        let low = inner.to_ascii_lowercase();
        let link = ["http://", "https://", "mailto:", "tel:", "cid:", "www."].iter().any(|kind| low.starts_with(kind))
            || low.starts_with("image:")
            || low.starts_with("bild:")
            || is_file(&low);
        let link = link && !inner.contains(' ') || is_file(&low.replace("image: ", "")) || is_external(&low);
        whole.push_str(&rest[..start]);
        if !link {
            whole.push_str(&rest[start..=end]);
        }
        rest = &rest[end + 1..];
    }
    whole.push_str(rest);
    whole.trim().to_owned()
}

fn is_file(low: &str) -> bool {
    let ends = [".png", ".jpg", ".jpeg", ".gif", ".svg"].iter().any(|end| low.ends_with(end));
    ends && low.len() < 60 && !low.contains(' ')
}

fn is_external(low: &str) -> bool {
    ["external", "ext", "extern", "externe", "externo", "external email", "external sender", "ext."].contains(&low)
}

/// Whether a line is one of them, as a whole; one that excuses mistakes may follow in it.
pub fn is_footer(line: &str) -> bool {
    let sentences: Vec<&str> = line.split(['.', '!', '|', '–', ';']).flat_map(|part| part.split(" - ")).collect();
    let written: Vec<&str> = sentences.into_iter().filter(|part| part.chars().any(char::is_alphanumeric)).collect();
    !written.is_empty() && (is_one(line) || written.iter().all(|sentence| is_one(sentence)))
}

fn is_one(text: &str) -> bool {
    let words = plain_words(text);
    let first = words.first().map(String::as_str).unwrap_or_default();
    let open = |one: &&Around| one.starts.first().is_none_or(|start| *start == first);
    let listed = words.len() <= 5 && words.ends_with(&["mailing".to_owned(), "list".to_owned()]);
    let listed = listed && !words.iter().any(|word| is_guarded(word));
    listed
        || ALONE.contains(words.join(" ").as_str())
        // Behind a comma something else begins.
        || !text.contains([',', ';', '('])
            && AROUND.iter().filter(open).any(|around| around.fits(&words, text))
}

/// What stands before the name of a device and behind it.
struct Around {
    starts: Vec<&'static str>,
    ends: Option<Vec<&'static str>>,
    /// It says that something was sent, so that a device need not be known.
    sent: bool,
}

static ALONE: LazyLock<HashSet<&str>> = LazyLock::new(|| listed(WHOLE));
static AROUND: LazyLock<Vec<Around>> = LazyLock::new(|| {
    let around = |frame: &&'static str| {
        let mut parts = frame.split('~').map(|part| part.split_whitespace().collect());
        let sent = SENT.iter().any(|sent| frame.contains(sent));
        Around { starts: parts.next().unwrap_or_default(), ends: parts.next_back(), sent }
    };
    FRAMES.iter().map(around).collect()
});

impl Around {
    fn fits(&self, words: &[String], text: &str) -> bool {
        if !begins(words, &self.starts) {
            return false;
        }
        let words = &words[self.starts.len()..];
        let Some(ends) = &self.ends else { return words.is_empty() };
        if words.len() < ends.len() || !begins(&words[words.len() - ends.len()..], ends) {
            return false;
        }
        let words = &words[..words.len() - ends.len()];
        let strange: Vec<&String> = words.iter().filter(|word| !DEVICE.has(word)).collect();
        let says = |word: &str| weekday(word).is_some() || phrase(&[word.to_owned()], Topic::Window).0 != Kind::Unknown;
        let number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
        let named = |word: &&String| !is_guarded(word) && is_capital(text, word) && (number(word) || !says(word));
        let known = || words.iter().any(|word| DEVICE.has(word) && word.len() > 3);
        (1..=9).contains(&words.len()) && strange.len() <= 2 && strange.iter().all(named) && (self.sent || known())
    }
}

fn begins(words: &[String], start: &[&str]) -> bool {
    words.len() >= start.len() && words.iter().zip(start).all(|(word, other)| word == other)
}

/// Whether the word stands in the text with a capital, or begins with a digit.
fn is_capital(text: &str, word: &str) -> bool {
    let mut all = text.split(|c: char| !c.is_alphanumeric()).filter(|piece| fold(piece) == word);
    all.next().is_some_and(|piece| piece.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn footers_of_any_maker_are_known_and_what_somebody_adds_is_not() {
        for line in [
            "Sent from my Galaxy",
            "Envoyé de mon téléphone",
            "Gesendet mit der WEB.DE App",
            "Get Outlook for iOS",
            "Von meinem iPhone gesendet",
            "Enviado desde mi móvil",
            "Sent from my Pixel 8",
            "Sent from Yahoo Mail for iPhone",
            "Gesendet von Mail für Windows",
            "Envoyé à partir de Outlook pour Android",
            "Sent from my iPhone. Please excuse my brevity.",
            "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
            "Sent from Proton Mail for iOS",
            "Virus-free.www.avast.com",
            "Holen Sie sich Outlook für iOS",
        ] {
            assert!(is_footer(&without_links(line)), "{line}");
        }
        for line in [
            "Sent from my iPhone, only if Bob agrees",
            "Von meinem Chef noch nicht freigegeben",
            "Sent from my iPhone but call me first",
            "Get Bob first",
            "Envoyé de mon téléphone, à condition que Paul soit là",
            "Enviado desde mi móvil si termina el backup",
            "Von meinem iPhone gesendet. Erst nach der Sicherung.",
        ] {
            assert!(!is_footer(line), "{line}");
        }
    }

    #[test]
    fn links_go_and_brackets_with_words_stay() {
        assert_eq!(without_links("Outlook<https://aka.ms/x> [cid:image001.png@01DC] x"), "Outlook  x");
        assert_eq!(without_links("yes [only if Bob agrees]"), "yes [only if Bob agrees]");
    }
}
