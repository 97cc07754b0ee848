//! Letters made of parts: a condition in every place where a letter can hold one, in the dress of every program, which is never a yes;
//! and harmless everyday letters, which nearly always are.

mod places;

use crate::replies::{judged, shaped, word};
use crate::sample;
use changeguard::adapters::inbox::read::read;
use changeguard::domain::reply::{Heard, Verdict};
use changeguard::domain::token::Topic;
use places::{IN_HTML, IN_TEXT, NO_YES};
use std::collections::BTreeMap;

/// A yes, and what takes it back, in one language.
struct Tongue {
    yes: &'static [&'static str],
    against: &'static [&'static str],
}

const TONGUES: [Tongue; 4] = [
    Tongue {
        yes: &["Confirmed.", "Yes, that works for us."],
        against: &[
            "only if the backup is done first",
            "but not before 23:00",
            "unless Ada's boss agrees",
            "provided that Bob is online",
            "please wait for the go of our customer",
            "Sunday would be the day",
            "at 22:30 please",
            "we can't have it that night",
            "everybody has to be informed in advance",
            "approval by Finance pending",
            "call me before you start",
            "Keep the old key alive for another day",
            "23:00 New York time",
        ],
    },
    Tongue {
        yes: &["Bestätigt.", "Ja, passt für uns."],
        against: &[
            "nur wenn vorher das Backup gelaufen ist",
            "aber nicht vor 23:30 Uhr",
            "es sei denn, Herr Petersen widerspricht",
            "Voraussetzung: Freigabe durch den Kunden",
            "bitte vorher kurz durchklingeln",
            "am Sonntag um 23 Uhr",
            "erst nach dem Monatsabschluss",
            "das geht an dem Abend nicht",
            "gilt vorbehaltlich der Zustimmung der Leitung",
            "Rücksprache mit Bob steht aus",
            "alle müssen zwei Tage vorher Bescheid wissen",
            "Den alten Schlüssel bitte noch einen Tag behalten",
        ],
    },
    Tongue {
        yes: &["Confirmé.", "Oui, ça nous convient."],
        against: &[
            "seulement si la sauvegarde est terminée",
            "mais pas avant 23h30",
            "sauf si Paul n'est pas d'accord",
            "sous réserve de l'accord de mon chef",
            "merci d'attendre le feu vert du client",
            "plutôt dimanche à 23h",
            "à condition que Bob soit joignable",
            "ce soir-là c'est impossible",
            "prévenez-moi avant de commencer",
            "la validation du client est en cours",
            "Gardez l'ancienne clé encore un jour",
        ],
    },
    Tongue {
        yes: &["Confirmado.", "Sí, nos viene bien."],
        against: &[
            "solo si antes termina la copia de seguridad",
            "pero no antes de las 23:30",
            "salvo que Pablo se oponga",
            "siempre que Bob esté conectado",
            "pendiente de la aprobación de dirección",
            "mejor el domingo a las 23h",
            "esa noche no podemos",
            "avisadme antes de empezar",
            "hay que informar a todos dos días antes",
            "queda sujeto al visto bueno del cliente",
            "Conservad la clave antigua un día más",
        ],
    },
];

/// Programs, by the shapes of the corpus.
const PROGRAMS: [&str; 11] =
    ["plain", "gmail", "gmail-android", "outlook", "owa", "apple", "iphone", "thunderbird", "k9", "yahoo", "bare-copy"];

const NOTICE: [&str; 4] = [
    "This e-mail and any attachments are confidential and intended solely for the addressee. If you are not the intended recipient, please notify the sender and delete this message.",
    "Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Adressat sind, informieren Sie bitte sofort den Absender und vernichten Sie diese E-Mail.",
    "Ce message est confidentiel. Si vous avez reçu ce message par erreur, veuillez le signaler à l'expéditeur et le détruire.",
    "Este mensaje es confidencial. Si usted no es el destinatario, le rogamos que lo comunique al remitente y lo elimine.",
];
const FOOTERS: [&[&str]; 4] = [
    &[
        "Sent from my iPhone",
        "Sent from my Galaxy",
        "Get Outlook for iOS",
        "Sent from Yahoo Mail on Android",
        "Sent with Proton Mail secure email.",
    ],
    &[
        "Von meinem iPhone gesendet",
        "Gesendet mit der WEB.DE Mail App",
        "Gesendet von Outlook für Android",
        "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
        "Von meinem Samsung Galaxy Smartphone gesendet.",
    ],
    &[
        "Envoyé de mon iPhone",
        "Envoyé de mon téléphone",
        "Envoyé à partir de Outlook pour Android",
        "Envoyé depuis l'application Mail Orange",
        "Téléchargez Outlook pour iOS",
    ],
    &[
        "Enviado desde mi iPhone",
        "Enviado desde mi móvil",
        "Enviado desde Outlook para Android",
        "Enviado desde mi Galaxy",
        "Obtener Outlook para iOS",
    ],
];
const CLOSINGS: [&[&str]; 4] = [
    &["Best regards", "Kind regards,", "Thanks,", "Cheers"],
    &["Mit freundlichen Grüßen", "Viele Grüße", "Danke und Gruß", "LG"],
    &["Cordialement", "Bien à vous,", "Merci,", "Bonne journée,"],
    &["Un saludo", "Saludos cordiales,", "Gracias,", "Atentamente"],
];
const GREETINGS: [&[&str]; 4] = [
    &["", "Hi,", "Hello team,", "Dear all,"],
    &["", "Hallo,", "Guten Tag,", "Sehr geehrte Damen und Herren,"],
    &["", "Bonjour,", "Bonjour à tous,", "Salut,"],
    &["", "Hola,", "Buenos días,", "Estimados señores,"],
];
const CARDS: [&[&str]; 4] = [
    &[
        "Ada Okafor",
        "Ada Okafor\nLead Platform Engineer\nExample Robotics Ltd\nT +44 20 7946 0999 | M +44 7700 900123\nada.okafor@example.org | www.example.org",
        "Ada Okafor | DevOps Engineer | https://www.example.org",
        "Ada Okafor\nHead of IT Operations\n1 Example Way, London EC1A 1BB\nRegistered in England and Wales No. 1234567",
    ],
    &[
        "Ada Okafor",
        "i. A. Ada Okafor\nTeamleiterin IT-Infrastruktur\n\nExample Logistik GmbH\nHafenstraße 12\n20457 Hamburg\nTel.: +49 40 5550-123",
        "Ada Okafor\nSystemadministratorin\nMobil 0171 5550123",
        "Ada Okafor\nExample Logistik GmbH\nSitz der Gesellschaft: Hamburg\nAmtsgericht Hamburg, HRB 98765\nGeschäftsführer: Dr. Uwe Petersen, Karin Holm",
    ],
    &[
        "Ada Okafor",
        "Ada OKAFOR\nResponsable systèmes et réseaux\nExample SAS\n12 rue de la République\n69002 Lyon\nTél. : 01 70 18 99 00",
        "Ada Okafor - Ingénieure réseau - 06 12 34 56 78",
        "Ada Okafor\nDirection des Systèmes d'Information",
    ],
    &[
        "Ada Okafor",
        "Ada Okafor\nJefa de Sistemas\nExample Logística S.L.\nCalle Mayor 15, 28013 Madrid\nTel. 91 555 01 23",
        "Ada Okafor\nAdministradora de sistemas\nMóvil: 600 123 456",
        "Ada Okafor\nDepartamento de Informática",
    ],
];

const HEAD: &str = "From: Ada Okafor <ada.okafor@example.org>\nTo: Operations <ops+gaytemzugu3doobzmfrggzdf.2@example.net>\n\
Date: Tue, 24 Nov 2026 10:12:00 +0100\nIn-Reply-To: <gaytemzugu3doobzmfrggzdf.0a1b2c@example.net>\nSubject: Re: VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00\n\
MIME-Version: 1.0\nMessage-ID: <letters@example.org>\n";

fn part(kind: &str, more: &str, body: &str) -> String {
    format!("Content-Type: {kind}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n{more}\n{body}\n")
}

fn mixed(kind: &str, parts: &[String]) -> String {
    let bodies: String = parts.iter().map(|part| format!("--b1\n{part}\n")).collect();
    format!("{HEAD}Content-Type: multipart/{kind}; boundary=b1\n\n{bodies}--b1--\n")
}

/// Places among the parts of a mail.
fn in_parts(yes: &str, against: &str) -> Vec<(&'static str, String)> {
    let text = |body: &str| part("text/plain", "", body);
    let html = |body: &str| part("text/html", "", &format!("<p>{body}</p>"));
    let file = |kind: &str, name: &str, body: &str| {
        part(kind, &format!("Content-Disposition: attachment; filename=\"{name}\"\n"), body)
    };
    let ics = |property: &str, attendee: &str| {
        let event = format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:REPLY\nBEGIN:VEVENT\nUID:gaytemzugu3doobzmfrggzdf@example.net\nSEQUENCE:1\nDTSTAMP:20261124T091200Z\n\
             DTSTART:20261205T220000Z\nDTEND:20261205T230000Z\nATTENDEE;PARTSTAT=ACCEPTED{attendee}:mailto:ada.okafor@example.org\n{property}END:VEVENT\nEND:VCALENDAR"
        );
        part("text/calendar; method=REPLY", "", &event)
    };
    vec![
        ("HTML says more", mixed("alternative", &[text(yes), html(&format!("{yes}</p><p>{against}"))])),
        ("text says more", mixed("alternative", &[text(&format!("{yes}\n\n{against}")), html(yes)])),
        ("only in the HTML", mixed("alternative", &[text(yes), html(against)])),
        ("only in the text", mixed("alternative", &[text(against), html(yes)])),
        ("second text", mixed("mixed", &[text(yes), text(against)])),
        ("second HTML", mixed("mixed", &[html(yes), html(against)])),
        ("HTML behind a text", mixed("mixed", &[text(yes), html(against)])),
        ("attached text", mixed("mixed", &[text(yes), file("text/plain", "notes.txt", against)])),
        ("attached HTML", mixed("mixed", &[text(yes), file("text/html", "notes.html", against)])),
        ("attached RTF", mixed("mixed", &[text(yes), file("text/rtf", "notes.rtf", &format!("{{\\rtf1 {against}}}"))])),
        ("attached document", mixed("mixed", &[text(yes), file("application/pdf", "notes.pdf", against)])),
        ("attached table", mixed("mixed", &[text(yes), file("text/csv", "notes.csv", against)])),
        (
            "attached mail",
            mixed("mixed", &[text(yes), format!("Content-Type: message/rfc822\n\nSubject: x\n\n{against}\n")]),
        ),
        ("enriched text", mixed("alternative", &[text(yes), part("text/enriched", "", against)])),
        ("comment", mixed("alternative", &[ics(&format!("COMMENT:{}\n", against.replace(',', "\\,")), "")])),
        (
            "comment of Exchange",
            mixed("alternative", &[ics(&format!("X-RESPONSE-COMMENT:{}\n", against.replace(',', "\\,")), "")]),
        ),
        ("comment of Google", mixed("alternative", &[ics("", &format!(";X-RESPONSE-COMMENT=\"{against}\""))])),
        ("beside an acceptance", mixed("alternative", &[text(against), ics("", "")])),
        (
            "beside an acceptance, below a form",
            mixed(
                "alternative",
                &[text(&format!("Ada Okafor has accepted this invitation.\n\n{against}")), ics("", "")],
            ),
        ),
        (
            "beside an acceptance, about the meeting",
            mixed("alternative", &[text(&format!("Accepted the meeting, {against}")), ics("", "")]),
        ),
        ("beside an acceptance, in HTML", mixed("alternative", &[html(against), ics("", "")])),
        ("beside an acceptance, attached", mixed("mixed", &[ics("", ""), file("text/plain", "notes.txt", against)])),
    ]
}

fn heard(raw: &str) -> Heard {
    judged(&read(raw.replace('\n', "\r\n").as_bytes(), true), Topic::Window, 2)
}

#[test]
fn a_condition_anywhere_in_a_letter_is_never_a_yes() {
    against(false);
}

#[test]
#[ignore = "every condition in every place in every program: minutes"]
fn every_condition_anywhere_in_every_program_is_never_a_yes() {
    against(true);
}

/// Each condition in each place; in each program, or in one of them by turns.
fn against(whole: bool) {
    let mut wrong: Vec<String> = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut look = |group: &'static str, name: &str, raw: &str, against: &str| {
        let heard = heard(raw);
        *counts.entry(group).or_default() += 1;
        if heard.verdict == Verdict::Confirmed {
            wrong.push(format!("{group}, {name}: {against}"));
        }
    };
    for (at, tongue) in TONGUES.iter().enumerate() {
        // All of them in `.ci/walks`.
        let conditions: Vec<_> = tongue.against.iter().enumerate().collect();
        let some = conditions.len().div_ceil(24);
        for (number, against) in sample::chosen(&format!("conditions in letters, tongue {at}"), conditions, some) {
            let yes = tongue.yes[number % tongue.yes.len()];
            let filled = |place: &str| {
                place
                    .replace('@', yes)
                    .replace('~', NOTICE[at])
                    .replace('^', FOOTERS[at][number % FOOTERS[at].len()])
                    .replace('§', CLOSINGS[at][number % CLOSINGS[at].len()])
                    .replace('#', against)
            };
            for (turn, (name, place)) in IN_TEXT.into_iter().enumerate() {
                let one = (turn + number) % PROGRAMS.len();
                for program in if whole { &PROGRAMS[..] } else { &PROGRAMS[one..=one] } {
                    look("text", &format!("{name} in {program}"), &shaped(program, &filled(place)), against);
                }
            }
            for (name, place) in IN_HTML {
                if whole || number % 2 == 0 {
                    look("html", name, &shaped("html", &filled(place)), against);
                }
                if whole || number % 2 == 1 {
                    let raw = format!("{HEAD}{}", part("text/html", "", &filled(place)));
                    look("html", &format!("{name}, alone"), &raw, against);
                }
            }
            for (name, raw) in in_parts(yes, against) {
                look("parts", name, &raw, against);
            }
        }
        for yes in tongue.yes {
            for (name, place) in NO_YES {
                look("no yes", name, &shaped("html", &place.replace('@', yes)), yes);
            }
        }
    }
    println!("letters with something against it, by the kind of place: {counts:?}");
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    wrong.iter().for_each(|one| *classes.entry(one.split(':').next().unwrap_or(one)).or_default() += 1);
    assert!(wrong.is_empty(), "{} taken for a yes\n{classes:#?}\n{}", wrong.len(), wrong.join("\n"));
}

/// Plain yeses of everyday letters.
const YES: [&[&str]; 4] = [
    &[
        "Confirmed",
        "Confirm",
        "Confirm!",
        "confirmed, thanks!",
        "Yes, that works for us.",
        "No problem.",
        "no prob",
        "OK for me, go ahead.",
        "I confirm the window.",
        "Saturday 11pm is fine with us.",
    ],
    &[
        "Bestätigt",
        "Bestätigt!",
        "Ja, passt.",
        "Kein Problem.",
        "Einverstanden, danke für die Info.",
        "Geht klar",
        "Hiermit bestätige ich den Termin.",
        "Der Termin passt uns gut.",
        "Samstag 23 Uhr passt.",
    ],
    &[
        "Confirmé",
        "Confirmé !",
        "Oui, ça nous convient.",
        "Pas de problème.",
        "D'accord, merci.",
        "Je confirme le créneau.",
        "OK pour nous.",
        "Aucun souci de notre côté.",
        "D'accord pour samedi 23h.",
    ],
    &[
        "Confirmado",
        "¡Confirmado!",
        "Sí, nos viene bien.",
        "Sin problema.",
        "De acuerdo, gracias.",
        "Confirmamos la ventana.",
        "Vale, perfecto.",
        "Por nuestra parte, sin problemas.",
        "El sábado a las 23h nos va bien.",
    ],
];

#[test]
fn harmless_letters_in_everyday_dress_are_confirmed() {
    let (mut all, mut lost) = (0usize, Vec::new());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for at in 0..4 {
        // All of them in `.ci/walks`.
        let yeses: Vec<_> = YES[at].iter().enumerate().collect();
        let some = yeses.len().div_ceil(12);
        for (number, yes) in sample::chosen(&format!("harmless letters, tongue {at}"), yeses, some) {
            for (place, program) in PROGRAMS.iter().enumerate() {
                for turn in 0..6 {
                    let pick = |list: &[&'static str], step: usize| list[(number + place + turn * step) % list.len()];
                    let greeting = pick(GREETINGS[at], 1);
                    let mut text = if greeting.is_empty() { String::new() } else { format!("{greeting}\n\n") };
                    text.push_str(yes);
                    if turn > 0 {
                        text.push_str(&format!("\n\n{}\n{}", pick(CLOSINGS[at], 1), pick(CARDS[at], 1)));
                    }
                    if turn % 3 == 1 {
                        text.push_str(&format!("\n\n{}", pick(FOOTERS[at], 3)));
                    }
                    if turn % 3 == 2 {
                        text.push_str(&format!("\n\n{}", NOTICE[at]));
                    }
                    let heard = heard(&shaped(program, &text));
                    all += 1;
                    if heard.verdict != Verdict::Confirmed {
                        *reasons
                            .entry(format!(
                                "{} {:?}",
                                word(&heard.verdict),
                                heard.evidence.iter().rfind(|line| !line.starts_with("[left out]"))
                            ))
                            .or_default() += 1;
                        lost.push(format!("{program}: {text:?}\n    {:?}", heard.verdict));
                    }
                }
            }
        }
    }
    println!("harmless letters: {} of {all} confirmed", all - lost.len());
    lost.truncate(40);
    assert!(lost.len() * 20 <= all && reasons.values().sum::<usize>() * 20 <= all, "{reasons:#?}\n{}", lost.join("\n"));
}
