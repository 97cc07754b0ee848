//! What calendars write beside an answer given by a button: whose answer it is, the event, and their own advice. Whatever else
//! stands beside it is somebody's.

use super::account::{Vocabulary, Words, account, plain_words};
use super::sentence::Speaker;
use super::text::{doubt, is_harmless};
use crate::domain::letter::Incoming;

/// Words of such lines in the languages in which calendars were seen to write, folded.
const WORDS: &str = "has accepted this invitation accepted the invitation invite meeting event appointment request your you have been invited to title when where what who guests guest organizer organiser attendees attendee attending required optional location calendar \
joining info from google calendar receiving this email because are an on of the is in at by and or for forwarding could allow any recipient send a response be added list others regardless their own status modify rsvp learn more view all details yes description time zone reply \
invitations update updated click here add response accept microsoft outlook teams exchange yahoo apple icloud proton zoho nextcloud https http www com \
hat die diese einladung angenommen zugesagt akzeptiert besprechung besprechungsanfrage termin ereignis titel wann wo was wer gaste gast teilnehmer organisator ort kalender einladung aus sie erhalten diese e mail weil als am an fur des der das ist teilnehmen weiterleiten \
weiterleitung dieser konnte es empfanger ermoglichen jedem eine antwort zu senden der gasteliste hinzugefugt werden andere unabhangig von ihrem einladungsstatus einzuladen oder ihre zusage andern weitere informationen mit zur und \
a accepte cette l invitation reunion evenement rendez vous titre quand ou quoi qui invites invite organisateur participants lieu agenda calendrier vous recevez ce message car participez un d le la les est par transfert transferer pourrait permettre n importe quel destinataire d envoyer une reponse \
etre ajoute liste inviter autres en savoir plus statut de du pour et \
ha aceptado esta la invitacion reunion evento convocatoria cita titulo cuando donde que quien invitados invitado organizador asistentes lugar ubicacion calendario recibe este correo electronico porque es un del el participante reenviar reenvio podria permitir cualquier destinatario enviar respuesta \
se anada lista invitar otros informacion mas estado de por a y correo recibes mensaje accettato questo invito riunione evento calendario aangenomen uitnodiging accepterat inbjudan";

/// What stands beside an accepted invitation and must be read: the first such line.
pub fn beside(letter: &Incoming, speaker: &Speaker<'_>) -> Option<String> {
    [&letter.text, &letter.html].into_iter().flatten().find_map(|body| {
        let mut words: Words = account(body, &speaker.sent, &speaker.names);
        let form = FORM.get_or_init(|| Vocabulary::new(&[WORDS]));
        let calendars = |line: &String| is_form(line, form, speaker);
        words.own.iter_mut().filter(|line| calendars(line)).for_each(String::clear);
        words.quoted.retain(|line| !calendars(line));
        words.beside.retain(|(_, line)| !calendars(line));
        let own = words.own.iter().any(|line| !line.is_empty()) && !is_harmless(&words.own, speaker);
        let line = || words.own.iter().find(|line| !is_harmless(&[(*line).clone()], speaker)).or(words.own.first()).cloned();
        match own {
            true => line(),
            false => doubt(&words, speaker).map(|(_, line)| line),
        }
    })
}

static FORM: std::sync::OnceLock<Vocabulary> = std::sync::OnceLock::new();

/// A line of which every word is one of calendars, a name, an address, or the window's day and time.
fn is_form(line: &str, form: &Vocabulary, speaker: &Speaker<'_>) -> bool {
    let bare: Vec<&str> = line.split_whitespace().filter(|word| !word.contains('@') && !word.contains("://")).collect();
    let bare = bare.join(" ");
    let words = plain_words(&bare);
    let dated = words.iter().any(|word| super::moment::is_month(word) || super::moment::weekday(word).is_some())
        || words.iter().any(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    if dated {
        return speaker.window.is_told_in(&words);
    }
    let named = |word: &String| form.has(word) || speaker.names.contains(word) || speaker.is_ours(word);
    !line.is_empty() && words.iter().all(named)
}
