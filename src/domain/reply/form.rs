//! What calendars write beside an answer given by a button: whose answer it is, the event, and their own advice. Whatever else
//! stands beside it is somebody's.

use super::account::{Vocabulary, Words, account, plain_words};
use super::moment::{is_month, weekday};
use super::sentence::Speaker;
use super::text::{doubt, is_harmless};
use super::words::{fold, tokens};
use crate::domain::letter::Incoming;

/// Words of such lines in the languages in which calendars were seen to write, folded.
const WORDS: &str = "zeit ort amsterdam berlin bern rom rome roma stockholm wien vienna vienne viena brussel brussels bruxelles bruselas copenhagen kopenhagen madrid paris dublin edinburgh lisbon london lissabon which hora lugar heure accepts i will attend scheduled with note subscribed notifications zum ereignis ihre folgender anmerkung notiz central european standard summer europe centrale centrales mitteleuropaische mitteleuropaischer zeit normalzeit hora estandar europa heure normale fuseau am pm um at bis to m uhr h con nota avec cette note been yes oui ja si has accepted this invitation accepted the invitation invite meeting event appointment request your you have been invited to title when where what who guests guest organizer organiser attendees attendee attending required optional location calendar \
joining info from google calendar receiving this email because are an on of the is in at by and or for forwarding could allow any recipient send a response be added list others regardless their own status modify rsvp learn more view all details yes description time zone reply \
invitations update updated click here add response accept microsoft outlook teams exchange yahoo apple icloud proton zoho nextcloud https http www com \
hat die diese einladung angenommen zugesagt akzeptiert besprechung besprechungsanfrage termin ereignis titel wann wo was wer gaste gast teilnehmer organisator ort kalender einladung aus sie erhalten diese e mail weil als am an fur des der das ist teilnehmen weiterleiten \
weiterleitung dieser konnte es empfanger ermoglichen jedem eine antwort zu senden der gasteliste hinzugefugt werden andere unabhangig von ihrem einladungsstatus einzuladen oder ihre zusage andern weitere informationen mit zur und \
a accepte cette l invitation reunion evenement rendez vous titre quand ou quoi qui invites invite organisateur participants lieu agenda calendrier vous recevez ce message car participez un d le la les est par transfert transferer pourrait permettre n importe quel destinataire d envoyer une reponse \
etre ajoute liste inviter autres en savoir plus statut de du pour et \
ha aceptado esta la invitacion reunion evento convocatoria cita titulo cuando donde que quien invitados invitado organizador asistentes lugar ubicacion calendario recibe este correo electronico porque es un del el participante reenviar reenvio podria permitir cualquier destinatario enviar respuesta \
se anada lista invitar otros informacion mas estado de por a y correo recibes mensaje accettato questo invito riunione evento calendario aangenomen uitnodiging accepterat inbjudan";

/// Sentences of theirs that hold a word which somebody could mean, folded.
const SENTENCES: [&str; 6] = [
    "wenn sie diese einladung weiterleiten konnen andere empfanger eine antwort an den organisator senden",
    "wenn sie diese einladung weiterleiten konnte jeder empfanger eine antwort an den organisator senden zur gasteliste hinzugefugt werden andere unabhangig von ihrem einladungsstatus einladen oder ihre zusage andern",
    "si vous transferez cette invitation tous les destinataires pourront envoyer une reponse a l organisateur",
    "si reenvias esta invitacion cualquier destinatario podria enviar una respuesta al organizador",
    "nextcloud a safe home for all your data",
    "nextcloud ein sicherer ort fur all deine daten",
];

/// Words of theirs that somebody could mean; they are known as a label (`When:`) and in advice only.
const TWOFOLD: [&str; 25] = [
    "when", "wann", "quand", "cuando", "where", "who", "what", "other", "others", "andere", "autres", "otros", "could",
    "konnte", "pourrait", "podria", "or", "oder", "ou", "o", "send", "zu", "add", "until", "because",
];
/// What shows their advice, folded.
const ADVICE: [&str; 13] = [
    "receiving this email because",
    "forwarding this invitation",
    "invitation status",
    "the organizer, be added",
    "weiterleitung dieser",
    "einladungsstatus",
    "erhalten diese e-mail",
    "transfert de cette",
    "recevez ce message car",
    "reenviar esta",
    "reenvio de esta",
    "recibes este",
    "recipient to send a response",
];

/// What stands beside an accepted invitation and must be read: the first such line.
pub fn beside(letter: &Incoming, speaker: &Speaker<'_>) -> Option<String> {
    let bodies = || [&letter.text, &letter.html].into_iter().flatten();
    let google = ["calendar.google.com", "Google Calendar", "Google Kalender", "Google Agenda"];
    let abroad = bodies().flat_map(|body| &body.lines).any(|line| google.iter().any(|mark| line.text.contains(mark)));
    bodies().find_map(|body| {
        let mut words: Words = account(body, speaker);
        let form = FORM.get_or_init(|| Vocabulary::new(&[WORDS]));
        let calendars = |line: &String| is_form(line, form, abroad, speaker);
        words.own.iter_mut().filter(|line| calendars(line)).for_each(String::clear);
        words.quoted.retain(|line| !calendars(line));
        words.beside.retain(|(_, line)| !calendars(line));
        let own = words.own.iter().any(|line| !line.is_empty()) && !is_harmless(&words.own, speaker);
        let line =
            || words.own.iter().find(|line| !is_harmless(&[(*line).clone()], speaker)).or(words.own.first()).cloned();
        match own {
            true => line(),
            false => doubt(&words, speaker).map(|(_, line)| line),
        }
    })
}

static FORM: std::sync::OnceLock<Vocabulary> = std::sync::OnceLock::new();

/// A line of which every word is one of calendars, a name, an address, a word of our subject, or the window's day and time.
fn is_form(line: &str, form: &Vocabulary, abroad: bool, speaker: &Speaker<'_>) -> bool {
    if SENTENCES.contains(&plain_words(line).join(" ").as_str()) {
        return true;
    }
    let folded = fold(line);
    let advice = ADVICE.iter().any(|words| folded.contains(words));
    let label = plain_words(line.split_once(':').map_or(line, |(label, _)| label)).len() == 1;
    if !advice && !label && plain_words(line).iter().any(|word| TWOFOLD.contains(&word.as_str())) {
        return false;
    }
    let mut bare = line.to_owned();
    // The event's own name holds its day and time.
    for subject in speaker.subjects().filter(|one| one.len() > 8) {
        bare = bare.replace(subject, " ");
    }
    // Outlook's name of a zone: `(UTC+01:00) Amsterdam, Berlin, Bern`.
    if let Some((before, (_, behind))) = bare.split_once("(UTC").and_then(|(a, b)| Some((a, b.split_once(')')?))) {
        bare = format!("{before} {behind}");
    }
    let kept = |word: &&str| !word.contains('@') && !word.contains("://");
    let bare = bare.split_whitespace().filter(kept).collect::<Vec<_>>().join(" ");
    let all = tokens(&bare);
    let (mut dated, mut plain): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < all.len() {
        let word = &all[at];
        let length = speaker.window.at(&all[at..], at.checked_sub(1).map(|before| all[before].as_str()));
        let is_date = word.starts_with(|c: char| c.is_ascii_digit()) || is_month(word) || weekday(word).is_some();
        match length {
            Some(length) => at += length - 1,
            None if weekday(word).is_some_and(|day| speaker.window.is_on(day)) => {}
            None if is_date => dated.extend(plain_words(word)),
            None => plain.extend(plain_words(word)),
        }
        at += 1;
    }
    let named = |word: &String| {
        form.has(word)
            || speaker.names.contains(word)
            || speaker.window.is_of_zone(word)
            || speaker.is_of_subject(word)
            || speaker.is_name_of_ours(word, line)
    };
    // Google tells the time in the zone of whoever answers.
    !line.is_empty() && plain.iter().all(named) && (dated.is_empty() || abroad && speaker.window.is_told_in(&dated))
}
