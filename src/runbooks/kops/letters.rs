//! The mails to holders: who can be sent which certificates now, and in which words. The authority's certificates are public, and are all
//! that is ever enclosed: an admin credential goes by no mail.

use super::holders::{CERTIFICATES_TAKEN, FINAL_BACK, FINAL_TAKEN, awaited, concerns_clients};
use super::record::Round;
use super::spec::CERTIFICATES;
use super::{Kops, World};
use crate::domain::address::is_mailbox;
use crate::domain::language::Language;
use crate::engine::case::core::Way;
use crate::engine::case::letter::{Enclosure, Paper, Question};
use crate::engine::case::record::End;
use crate::engine::case::runbook::Case;

/// The certificates of before, behind the way back of step 2: who still trusts one authority too many is locked out of nothing, so that
/// nobody is waited for.
pub(super) const BEFORE: &str = "certificates-before";

/// The name of what is enclosed.
const FILE: &str = "ca-certificates.pem";

/// Each question that goes by mail, with its number, what is enclosed, and what that is.
const ALL: [(&str, u32, Round, &str); 4] = [
    (CERTIFICATES_TAKEN, 1, Round::Certificates, "the certificates of both authorities"),
    (FINAL_TAKEN, 3, Round::Final, "the certificates without the previous authority's"),
    (FINAL_BACK, 5, Round::Certificates, "the certificates of both authorities again"),
    (BEFORE, 6, Round::Before, "the certificates of before again"),
];

/// Who can be asked by mail now.
pub(super) fn questions(world: &World, case: &Case<Kops>) -> Vec<Question> {
    let mut found = Vec::new();
    if !concerns_clients(world, case) {
        return found;
    }
    let question = |about: &str, holder: &super::Holder| {
        let (about, round, exported, text) = ALL.into_iter().find(|(word, ..)| *word == about)?;
        let exported = case.own.exported.get(&exported).filter(|exported| !exported.authority_path.is_empty())?;
        let (path, digest) = (exported.authority_path.clone(), exported.authority.clone());
        let email = Some(holder.contact.clone()).filter(|contact| is_mailbox(contact))?;
        let encloses = Enclosure { name: FILE.to_owned(), path, digest };
        Some(Question { person: holder.name.clone(), email, about, round, encloses, text })
    };
    for waits in awaited(world, case) {
        let holder = world.holders.iter().find(|holder| holder.name == waits.person);
        found.extend(holder.and_then(|holder| question(waits.about, holder)));
    }
    let is_back = case.core.way == Way::Back && case.core.state(CERTIFICATES).is_done();
    let is_over = matches!(&case.core.end, Some((End::TakenBack, ..))) || case.core.is_open();
    if is_back && is_over && case.own.exported.contains_key(&Round::Certificates) {
        found.extend(world.holders.iter().filter_map(|holder| question(BEFORE, holder)));
    }
    found
}

/// The words of such a mail. None of what goes by no mail.
pub(super) fn paper(world: &World, about: &str, language: Language) -> Option<Paper> {
    let cluster = world.rules.cluster.as_str();
    let (what, is_asked) = match about {
        CERTIFICATES_TAKEN => (What::Both, true),
        FINAL_TAKEN => (What::New, true),
        FINAL_BACK => (What::BothAgain, true),
        BEFORE => (What::Before, false),
        _ => return None,
    };
    let (subject, hello, why, how, ask) = match language {
        Language::English => english(what),
        Language::German => german(what),
        Language::French => french(what),
        Language::Spanish => spanish(what),
    };
    let command = format!(
        "    kubectl config set-cluster {cluster} --embed-certs=true \\\n        --certificate-authority={FILE}"
    );
    let ask = if is_asked { format!("\n{ask}\n") } else { String::new() };
    let text = format!("{hello}\n\n{why}\n\n{how}\n\n{command}\n{ask}");
    Some(Paper { subject: format!("{subject} {cluster}"), text: text.replace("{cluster}", cluster) })
}

/// What is enclosed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Both,
    New,
    BothAgain,
    Before,
}

/// Subject, greeting, why, how, and what is asked.
type Words = (&'static str, &'static str, &'static str, &'static str, &'static str);

fn english(what: What) -> Words {
    let why = match what {
        What::Both => {
            "the certificate authority of the Kubernetes cluster {cluster} is being\nreplaced. The attached file holds its certificates, the present one and\nthe coming one. Your kubeconfig needs both before we go on; the access\nthat you have now goes on working."
        }
        What::New => {
            "the replacement of the certificate authority of the Kubernetes cluster\n{cluster} is done. The attached file holds the certificates without the\nprevious one, which nothing should trust any more."
        }
        What::BothAgain => {
            "the replacement of the certificate authority of the Kubernetes cluster\n{cluster} is being taken back. The attached file holds the certificates\nof both authorities. Your kubeconfig needs both again before we go on."
        }
        What::Before => {
            "the replacement of the certificate authority of the Kubernetes cluster\n{cluster} was taken back. The attached file holds the certificates as\nthey were before. What you have goes on working; nothing is urgent."
        }
    };
    (
        if what == What::Before { "Previous CA certificates of" } else { "Please take the CA certificates of" },
        "Hello,",
        why,
        "Put them into your kubeconfig as its certificate-authority-data:",
        "Please reply to this mail and write, on the first line,\n\n    yes\n        once your kubeconfig holds them and you can log in, or\n    no\n        if you can not; then say what you see.",
    )
}

fn german(what: What) -> Words {
    let why = match what {
        What::Both => {
            "die Zertifizierungsstelle des Kubernetes-Clusters {cluster} wird\nersetzt. Die angehängte Datei enthält ihre Zertifikate, das jetzige und\ndas kommende. Ihre Kubeconfig braucht beide, bevor wir weitermachen; Ihr\njetziger Zugang funktioniert weiter."
        }
        What::New => {
            "die Zertifizierungsstelle des Kubernetes-Clusters {cluster} ist\nersetzt. Die angehängte Datei enthält die Zertifikate ohne das bisherige,\ndem nichts mehr vertrauen soll."
        }
        What::BothAgain => {
            "der Ersatz der Zertifizierungsstelle des Kubernetes-Clusters {cluster}\nwird zurückgenommen. Die angehängte Datei enthält die Zertifikate beider\nStellen. Ihre Kubeconfig braucht wieder beide, bevor wir weitermachen."
        }
        What::Before => {
            "der Ersatz der Zertifizierungsstelle des Kubernetes-Clusters {cluster}\nwurde zurückgenommen. Die angehängte Datei enthält die Zertifikate, wie\nsie vorher waren. Was Sie haben, funktioniert weiter; nichts eilt."
        }
    };
    (
        if what == What::Before { "Vorherige CA-Zertifikate von" } else { "Bitte übernehmen: CA-Zertifikate von" },
        "Guten Tag,",
        why,
        "Tragen Sie sie als certificate-authority-data in Ihre Kubeconfig ein:",
        "Bitte antworten Sie auf diese E-Mail und schreiben Sie in die erste Zeile\n\n    ja\n        sobald Ihre Kubeconfig sie enthält und Sie sich anmelden können,\n        oder\n    nein\n        wenn nicht; beschreiben Sie dann bitte, was Sie sehen.",
    )
}

fn french(what: What) -> Words {
    let why = match what {
        What::Both => {
            "l'autorité de certification du cluster Kubernetes {cluster} est en cours\nde remplacement. Le fichier joint contient ses certificats, l'actuel et le\nfutur. Votre kubeconfig a besoin des deux avant que nous continuions ;\nvotre accès actuel continue de fonctionner."
        }
        What::New => {
            "l'autorité de certification du cluster Kubernetes {cluster} est\nremplacée. Le fichier joint contient les certificats sans le précédent,\nauquel plus rien ne doit faire confiance."
        }
        What::BothAgain => {
            "le remplacement de l'autorité de certification du cluster Kubernetes\n{cluster} est annulé. Le fichier joint contient les certificats des deux\nautorités. Votre kubeconfig a de nouveau besoin des deux avant que nous\ncontinuions."
        }
        What::Before => {
            "le remplacement de l'autorité de certification du cluster Kubernetes\n{cluster} a été annulé. Le fichier joint contient les certificats tels\nqu'ils étaient avant. Ce que vous avez continue de fonctionner ; rien\nn'est urgent."
        }
    };
    (
        if what == What::Before {
            "Certificats CA précédents de"
        } else {
            "À prendre en compte : certificats CA de"
        },
        "Bonjour,",
        why,
        "Mettez-les dans votre kubeconfig comme certificate-authority-data :",
        "Merci de répondre à ce message en écrivant, sur la première ligne,\n\n    oui\n        dès que votre kubeconfig les contient et que vous pouvez vous\n        connecter, ou\n    non\n        sinon ; décrivez alors ce que vous voyez.",
    )
}

fn spanish(what: What) -> Words {
    let why = match what {
        What::Both => {
            "la autoridad de certificación del clúster de Kubernetes {cluster} se está\nsustituyendo. El archivo adjunto contiene sus certificados, el actual y el\nfuturo. Su kubeconfig necesita ambos antes de que sigamos; su acceso\nactual sigue funcionando."
        }
        What::New => {
            "la autoridad de certificación del clúster de Kubernetes {cluster} está\nsustituida. El archivo adjunto contiene los certificados sin el anterior,\nen el que ya nada debe confiar."
        }
        What::BothAgain => {
            "la sustitución de la autoridad de certificación del clúster de Kubernetes\n{cluster} se está deshaciendo. El archivo adjunto contiene los\ncertificados de ambas autoridades. Su kubeconfig necesita ambos otra vez\nantes de que sigamos."
        }
        What::Before => {
            "la sustitución de la autoridad de certificación del clúster de Kubernetes\n{cluster} se ha deshecho. El archivo adjunto contiene los certificados\ncomo eran antes. Lo que tiene sigue funcionando; nada es urgente."
        }
    };
    (
        if what == What::Before { "Certificados CA anteriores de" } else { "Por favor, tome los certificados CA de" },
        "Hola:",
        why,
        "Póngalos en su kubeconfig como certificate-authority-data:",
        "Por favor, responda a este correo y escriba, en la primera línea,\n\n    sí\n        en cuanto su kubeconfig los contenga y pueda iniciar sesión, o\n    no\n        si no puede; diga entonces qué ve.",
    )
}
