//! Legal notices and warnings of gateways, sentence by sentence: each word of such a sentence is known to be one of theirs, and one
//! of them at least shows what it is. A sentence with another word is somebody's.

use super::vocabulary::{Vocabulary, plain_words};
use crate::domain::reply::words::fold;
use std::sync::LazyLock;

/// What shows it, as pieces of the folded sentence.
const CORE: &[&str] = &[
    "confidential",
    "privileged",
    "addressee",
    "recipient",
    "in error",
    "by mistake",
    "erroneously",
    "unauthorised",
    "unauthorized",
    "liability",
    "virus",
    "disclaimer",
    "proprietary",
    "the sender",
    "originator",
    "originated from outside",
    "comes from outside",
    "links and attachments",
    "links or attachments",
    "attachments or links",
    "attachments and links",
    "from outside ",
    "outside of your organi",
    "outside of the organi",
    "outside your organi",
    "outside the organi",
    "external sender",
    "external source",
    "click links",
    "click on links",
    "dissemination",
    "personal data",
    "data protection",
    "privacy policy",
    "privacy notice",
    "views expressed",
    "opinions expressed",
    "vertraulich",
    "adressat",
    "empfanger",
    "irrtumlich",
    "versehentlich",
    "unbefugt",
    "unerlaubt",
    "absender",
    "haftung",
    "viren",
    "datenschutz",
    "ausserhalb",
    "rechtsverbindlich",
    "geschutzte",
    "confidentiel",
    "destinataire",
    "par erreur",
    "expediteur",
    "diffusion",
    "responsabilite",
    "non autorise",
    "provient de l exterieur",
    "exterieur de",
    "donnees personnelles",
    "donnees a caractere",
    "confidencial",
    "destinatario",
    "por error",
    "remitente",
    "responsabilidad",
    "no autorizad",
    "proteccion de datos",
    "aviso legal",
    "fuera de la organizacion",
    "prohibid",
    "datos personales",
    "datos de caracter",
    "piezas",
    "interdit",
    "verboten",
    "prohibited",
    "forbidden",
    "nicht gestattet",
    "untersagt",
];
const ENGLISH: &str = "this these that which who whom whose it its they them their the a an and or nor and/or as at by for from in into of on to with within under upon via e mail mails email emails message messages communication \
communications transmission correspondence any all each every other others no not nor is are be been being was were has have had do does did done may might can cannot could should shall will would must if you your yours \
we our us i file files attachment attachments attached enclosed annex document documents content contents information data text part parts contain contains contained containing containing include includes including included confidential \
confidentiality privileged privilege legally legal protected protect protection proprietary personal private sensitive material commercially commercial professional professionally secrecy secret secrets copyright copyrighted disclosure law laws \
applicable intended solely sole exclusively exclusive strictly strict use used using user users uses named name individual individuals entity entities person persons people party parties third organization organisation organizations organisations company companies firm group corporate corporation addressee addressees \
addressed recipient recipients receive received receiving receipt error mistake mistakenly erroneously please kindly notify inform advise tell contact alert sender senders author authors originator immediately promptly once soon possible return reply replying telephone \
phone delete deleting deletion destroy destroying erase remove removing permanently copy copies copying copied system systems computer computers device devices mailbox records record server dissemination disseminate disseminated distribution distribute distributed distributing reproduction reproduce reproduced print \
printed printing forward forwarding forwarded retention retain retained review reading read reads reader take taken taking action actions reliance rely relying prohibited prohibit forbidden unlawful illegal unauthorised unauthorized authorised authorized consent prior \
written express expressly permission disclose disclosed discloses disclosing view views opinion opinions expressed presented statement statements necessarily represent representing represents reflect reflects accept accepts accepted responsibility responsible liability liable damage damages loss losses \
caused cause arising arise result resulting results consequence consequential direct indirect virus viruses malware malicious code transmitted transmit transmission scanned scan swept swept presence free checked check checking secure security guaranteed guarantee guarantees internet although \
reasonable precautions precaution ensure own carry out opening open caution warning attention notice disclaimer originated originates origin comes came outside external source click clicking links link unless recognize recognise know known trust trusted safe content suspicious careful exercise verify sure \
otherwise than only such so also there therein herein hereby hereof thereof therefore thank privacy policy visit website www http https com org net de fr es co uk gdpr regulation eu processing process processed purposes purpose business monitored monitor monitoring monitors compliance archived archive \
subject terms conditions available registered limited ltd plc inc llc gmbh ag bank subsidiaries subsidiary affiliates affiliate employees employee agent agents responsible delivering delivery deliver delivered but changed altered amended alter integrity sent excluded exclude excludes late incomplete lost corrupted intercepted contract binding agreement formed";
const GERMAN: &str = "diese dieser dieses diesen diesem die der das den dem des ein eine einen einem einer eines und oder bzw sowie sowohl als auch e mail mails email emails nachricht nachrichten mitteilung mitteilungen schreiben inhalt inhalte inhalts informationen information daten anhang \
anhange anhangen anlage anlagen datei dateien enthalt enthalten enthaltene enthaltenen konnen kann konnte konnten ist sind ist sein war waren wird werden wurde wurden hat haben vertraulich vertrauliche vertraulichen vertraulicher vertraulichkeit rechtlich gesetzlich geschutzt geschutzte \
geschutzten privilegierte personliche personlichen ausschliesslich nur allein fur an in im aus auf bei durch mit von vom zu zum zur uber unter ohne nach person personen adressat adressaten adressatin adressiert bestimmt bestimmte bestimmten genannt genannten bezeichneten empfanger empfangers empfangerin richtige \
richtiger richtigen wenn falls sollten sie ihr ihre ihren ihnen nicht kein keine keinen dies irrtumlich irrtumlicherweise irrtum versehentlich erhalten haben erhaltenen informieren benachrichtigen verstandigen setzen kenntnis bitte umgehend sofort unverzuglich absender absenderin absenders \
und vernichten loschen loschung vernichtung kopien kopie kopieren vervielfaltigung vervielfaltigen weitergabe weiterleitung weiterleiten weitergeben weiterverbreitung verbreitung verbreiten nutzung verwendung verwenden nutzen offenlegung veroffentlichung unbefugt unbefugte unbefugten unerlaubt \
unerlaubte unerlaubten gestattet erlaubt untersagt verboten strengstens streng ausdrucklich unzulassig jede jeder jegliche jegliches sonstige art form davon daraus hiervon etwaige etwaiger allfallige ihrem ihrer system computer haftung haften ubernehmen ubernimmt wir unser unsere schaden viren virus virenfrei \
frei uberpruft gepruft vorhandensein vollstandigkeit richtigkeit sicherheit sicher gewahr ubermittlung ubertragung internet rechtsverbindlich verbindlich rechtsgeschaftliche erklarungen erklarung hinweis hinweise datenschutz datenschutzhinweise datenschutzerklarung finden unsere unter www http https de com \
verarbeitung personenbezogener personenbezogene achtung vorsicht extern externe externen externer ausserhalb organisation unternehmens unternehmen stammt kommt klicken links link offnen anhange erkennen wissen dass moglicherweise herzlichen dank vielen jeweiligen antwort antworten telefon telefonisch per einschliesslich aller alle \
gelten gilt es sich um handeln handelt adressierten dritte dritten zuruck ruckantwort senden zuzusenden insbesondere daher gesendet gesandt inhaltes mitarbeiter angaben";
const FRENCH: &str = "ce cet cette ces le la les l un une des du de d et ou ainsi que qu qui dont a au aux en dans par pour sur sans avec y e mail mails courriel courriels message messages courrier electronique electroniques communication transmission tout tous toute toutes piece pieces jointe jointes \
joint joints fichier fichiers document documents contenu contenus informations information donnees sont est etre ete soit peut peuvent contenir contient contiennent confidentiel confidentielle confidentiels confidentielles confidentialite privilegie privilegiee privilegiees privilegies protege protegee proteges protegees loi secret professionnel \
strictement exclusivement uniquement reserve reserves destine destinee destines destinees usage attention seul seule seuls destinataire destinataires vise vises adresse personne personnes entite nomme nommee si vous n ne pas etes avez recu recevez erreur merci de bien vouloir veuillez priere prions nous \
vous prie prevenir avertir informer aviser signaler contacter immediatement expediteur emetteur auteur retour et le la detruire supprimer effacer destruction suppression votre vos systeme ordinateur copie copies copier copies copier diffusion diffuser diffuses diffusees divulgation divulguer divulgues reproduction reproduire exploites exploitees exploiter \
utilisation utiliser utilises distribution transmettre retransmission publication meme partielle totale partiel autorisation autorise autorisee autorises non interdit interdite interdits interdites formellement illicite illegale doivent doit donc decline declinons declinent responsabilite responsable responsables engager titre s il alterer altere modifie \
deforme falsifie hypothese ou cas dommage dommages pertes perte virus verifie exempt internet permettant permet garantir garantie integrite susceptible opinions exprimees expriment refletent necessairement celles societe groupe filiales ses son sa leur leurs rgpd reglement europeen politique traitement personnelles caractere personnel \
provient exterieur externe organisation entreprise cliquez cliquer liens lien ouvrez ouvrir reconnaissiez reconnaissez sachiez savez sur sûr sure fiable contenu attention prudence avertissement www http https com fr toute ceci etant cela veuillez nul effet preuve tiers eux presente present correspondance communique";
const SPANISH: &str = "este esta estos estas ese el la los las lo un una unos unas de del al a y e o u en con por para sin sobre segun que quien cual cuyo su sus se le les nos correo correos electronico electronicos mail mensaje mensajes comunicacion transmision archivo archivos adjunto adjuntos adjunta fichero ficheros documento documentos anexo anexos \
contenido contenidos informacion datos es son ser sido esta estan puede pueden podria contener contiene contienen confidencial confidenciales confidencialidad privilegiada privilegiado privilegiados protegida protegido legalmente ley secreto profesional dirigido dirigida dirigidos dirigidas van va exclusivamente exclusivo exclusiva unicamente solo uso persona \
personas entidad destinatario destinatarios destinataria indicado indicada senalado si usted no ha han recibido recibe error rogamos ruego solicitamos favor notifique notifiquelo comunique comuniquelo comunicarlo comuniquenoslo informe avise inmediatamente remitente emisor via vuelta proceda proceder eliminacion eliminar eliminelo elimine borrar borre borrelo destruir destruya destruirlo \
destruccion copia copias copiar divulgacion divulgar difusion difundir distribucion distribuir reproduccion reproducir utilizacion utilizar uso reenvio publicacion total parcial autorizacion autorizada autorizado queda quedan prohibida prohibido prohibidas terminantemente estrictamente expresamente virtud legislacion vigente aviso legal cualquier toda todo responsabilidad responsable \
responsabiliza virus danos perjuicios internet garantiza integridad opiniones expresadas empresa sociedad grupo proteccion personales caracter personal reglamento ue rgpd lopd lopdgdd general organica tratamiento tratados derechos acceso rectificacion supresion oposicion finalidad medio ambiente imprimir antes piense necesario externo \
fuera organizacion proviene haga clic enlaces abra conoce sepa seguro precaucion atencion www http https com es politica privacidad caso mismo misma nada otra otro parte terceros hagalo saber proceda como leido lectura contestando respuesta cumplimiento comunicado sistema ordenador comunica asi ademas tampoco";
/// Numbers of laws.
const LAWS: [&str; 8] = ["2016", "679", "2018", "3", "15", "1999", "34", "2002"];

static WORDS: LazyLock<[Vocabulary; 4]> =
    LazyLock::new(|| [ENGLISH, GERMAN, FRENCH, SPANISH].map(|list| Vocabulary::new(&[list])));

/// What may be done with a mail.
const MAIL_IS_USED: &[&str] = &["copy", "copied", "disclos", "distribut", "reprod", "forward", "content", "attachment"];

/// Words that need a companion in the same sentence: alone they are what somebody says of a window.
const BOUND: &[(&str, &[&str])] = &[
    ("accept", &["liabilit", "responsibilit"]),
    ("unless", &["recogni", "express", "otherwise", "authori", "you are the", "you know", "trust"]),
    ("decline", &["responsabilit"]),
    ("only", &["recipient", "addressee", "use ", "intended", "individual", "person"]),
    ("nur", &["adressat", "empfanger", "person", "gebrauch", "absender"]),
    ("antes", &["imprimir", "abrir"]),
    ("but", &["recipient", "addressee", "sender", "deliver"]),
    ("prior", &["consent", "permission", "authori", "written"]),
    ("action", &["relian", "rely", "content", "information", "this e", "this mes"]),
    ("actions", &["relian", "rely", "content", "information", "this e", "this mes"]),
    ("consent", MAIL_IS_USED),
    ("permission", MAIL_IS_USED),
    ("must", &["intended", "copy", "copied", "disclos", "delete", "destroy", "distribut", "addressee"]),
    ("rely", &["intended", "addressee"]),
    ("reliance", &["intended", "addressee", "prohibit", "persons", "other than"]),
    ("autorisation", &["copi", "diffus", "exploit", "utilis", "divulg", "reprod"]),
    ("autorizacion", &["copia", "distrib", "divulg", "difus", "reprod", "utiliz"]),
];

/// Whether a sentence is one of a notice.
/// `Sent by mistake.`: somebody takes their mail back. A notice says what to do if it was.
fn is_about_this_mail(low: &str, words: &[String]) -> bool {
    let taken_back = ["mistake", "in error", "by error", "irrtum", "versehent", "par erreur", "por error"];
    let conditional = ["if", "wenn", "falls", "sollte", "sollten", "si", "s", "should"];
    taken_back.iter().any(|words| low.contains(words)) && !words.iter().any(|word| conditional.contains(&word.as_str()))
}

fn is_notice(sentence: &str, beside: bool) -> bool {
    let low = fold(sentence).replace(['\'', '-'], " ");
    let words = plain_words(sentence);
    if words.is_empty() || is_about_this_mail(&low, &words) {
        return false;
    }
    let core = CORE.iter().any(|core| low.contains(core));
    let bare = [
        "confidentiality notice",
        "disclaimer",
        "legal notice",
        "legal disclaimer",
        "caution",
        "warning",
        "achtung",
        "vorsicht",
        "hinweis",
        "rechtlicher hinweis",
        "attention",
        "avertissement",
        "aviso legal",
        "aviso",
        "aviso de confidencialidad",
        "precaucion",
        "haftungsausschluss",
        "thank you",
        "vielen dank",
        "merci",
        "gracias",
        "important notice",
        "important",
        "wichtiger hinweis",
    ];
    if beside && bare.contains(&words.join(" ").as_str()) {
        return true;
    }
    if !(core
        || beside
            && ["delete", "destroy", "loschen", "vernichten", "detruire", "supprimer", "eliminar", "borrar"]
                .iter()
                .any(|word| low.contains(word)))
    {
        return false;
    }
    let bound = BOUND.iter().all(|(word, companions)| {
        !words.iter().any(|one| one == word) || companions.iter().any(|other| low.contains(other))
    });
    bound && WORDS.iter().any(|list| spoken(sentence, &words, list))
}

/// Whether every word is of the list, but for the name of a company and the numbers of laws.
fn spoken(sentence: &str, words: &[String], list: &Vocabulary) -> bool {
    let firm = [
        "gmbh", "ag", "se", "kg", "ltd", "limited", "inc", "llc", "plc", "sas", "sarl", "sa", "sl", "bv", "group",
        "gruppe", "groupe", "grupo",
    ];
    let named = words.iter().any(|word| firm.contains(&word.as_str()));
    let capital = |word: &str| {
        let mut pieces = sentence.split(|c: char| !c.is_alphanumeric()).filter(|piece| fold(piece) == word);
        pieces.next().is_some_and(|piece| piece.starts_with(char::is_uppercase))
    };
    let strange: Vec<&String> = words.iter().filter(|word| !list.has(word) && !LAWS.contains(&word.as_str())).collect();
    // German nouns have capitals too.
    let named = named || !std::ptr::eq(list, &WORDS[1]) && strange.len() <= 3;
    let company =
        |word: &&String| named && (firm.contains(&word.as_str()) || capital(word) && !super::is_guarded(word));
    strange.iter().all(company) && strange.len() <= 4 && strange.len() * 2 <= words.len()
}

/// The lines without the sentences of notices. Paragraphs stay apart by empty lines.
pub fn without_notices(lines: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for paragraph in lines.split(|line| line.is_empty()) {
        let sentences = sentences(paragraph);
        let sure: Vec<bool> = sentences.iter().map(|sentence| is_notice(sentence, false)).collect();
        let notices: Vec<bool> = match sure.contains(&true) {
            true => sentences.iter().zip(&sure).map(|(sentence, sure)| *sure || is_notice(sentence, true)).collect(),
            false => sure,
        };
        match notices.contains(&true) {
            true => kept.extend(sentences.into_iter().zip(notices).filter(|(_, notice)| !notice).map(|(one, _)| one)),
            false => kept.extend_from_slice(paragraph),
        }
        kept.push(String::new());
    }
    while kept.last().is_some_and(String::is_empty) {
        kept.pop();
    }
    kept
}

/// The sentences of a paragraph; a line that is full goes on in the next one.
fn sentences(paragraph: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = false;
    for line in paragraph {
        let mut rest = line.as_str();
        loop {
            let end = rest.char_indices().find(|(at, c)| {
                matches!(c, '.' | '!' | '?' | ':' | ';')
                    && rest[at + c.len_utf8()..].chars().next().is_none_or(char::is_whitespace)
                    && rest[..*at].rsplit([' ', '(']).next().is_some_and(|word| word.len() > 2 || *c != '.')
            });
            let (piece, behind) = match end {
                Some((at, c)) => rest.split_at(at + c.len_utf8()),
                None => (rest, ""),
            };
            match all.last_mut().filter(|_| open) {
                Some(last) => {
                    last.push(' ');
                    last.push_str(piece.trim());
                }
                None => all.push(piece.trim().to_owned()),
            }
            open = end.is_none();
            rest = behind.trim_start();
            if rest.is_empty() {
                break;
            }
        }
        open &= line.chars().count() >= 40;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str) -> Vec<String> {
        without_notices(&[text.to_owned()])
    }

    #[test]
    fn notices_in_four_languages_are_known_sentence_by_sentence() {
        for text in [
            "This e-mail and any attachments are confidential and intended solely for the addressee. If you are not the intended recipient, please notify the sender immediately and delete this message.",
            "Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen. Wenn Sie nicht der richtige Adressat sind oder diese E-Mail irrtümlich erhalten haben, informieren Sie bitte sofort den Absender und vernichten Sie diese Mail. Das unerlaubte Kopieren sowie die unbefugte Weitergabe dieser Mail ist nicht gestattet.",
            "Ce message et ses pièces jointes peuvent contenir des informations confidentielles ou privilégiées et ne doivent donc pas être diffusés, exploités ou copiés sans autorisation. Si vous avez reçu ce message par erreur, veuillez le signaler à l'expéditeur et le détruire ainsi que les pièces jointes.",
            "Este mensaje y sus archivos adjuntos van dirigidos exclusivamente a su destinatario y pueden contener información confidencial. Si usted no es el destinatario indicado, le rogamos que nos lo comunique y proceda a su eliminación.",
            "CAUTION: This email originated from outside of the organization. Do not click links or open attachments unless you recognize the sender and know the content is safe.",
            "Example Robotics Ltd accepts no liability for the content of this email.",
        ] {
            assert!(left(text).is_empty(), "{:?}", left(text));
        }
    }

    #[test]
    fn what_hides_behind_a_notice_is_left() {
        for text in [
            "This e-mail is confidential. The confirmation is void if the intended start slips past midnight.",
            "This message is confidential and only valid if the backup is done.",
            "Diese E-Mail ist vertraulich. Die Zusage gilt nur nach der Sicherung.",
            "Ce message est confidentiel. L'accord n'est valable que si la sauvegarde est finie.",
            "Este mensaje es confidencial. La confirmación queda sujeta a la aprobación de dirección.",
            "Please notify the intended recipient before you start.",
        ] {
            assert!(!left(text).is_empty(), "{text}");
        }
    }
}
