//! Reads a mail's parts into what a rule looks at. A small stand-in: headers and the first text only.

use crate::domain::letter::Incoming;
use crate::domain::sanitize::sanitize;
use mail_parser::{Address, HeaderValue, MessageParser};
use sha2::{Digest, Sha256};

/// The mail as far as it can be read. `whole`: nothing of it was cut off.
pub fn read(raw: &[u8], whole: bool) -> Incoming {
    let identity = Sha256::digest(raw).iter().map(|byte| format!("{byte:02x}")).collect();
    let cut = (!whole).then(|| "it is too large to be read as a whole".to_owned());
    let Some(mail) = MessageParser::default().parse(raw) else {
        return Incoming { identity, unreadable: Some("it is not a mail".into()), ..Incoming::default() };
    };
    let addresses = |list: Option<&Address<'_>>| -> Vec<(String, String)> {
        list.into_iter()
            .flat_map(|list| list.iter())
            .filter_map(|one| {
                let address = sanitize(one.address()?).to_lowercase();
                Some((sanitize(one.name().unwrap_or_default()), address))
            })
            .collect()
    };
    let ids = |value: &HeaderValue<'_>| -> Vec<String> {
        value.as_text_list().unwrap_or_default().iter().map(|id| format!("<{}>", sanitize(id))).collect()
    };
    let mut references = ids(mail.in_reply_to());
    references.extend(ids(mail.references()).into_iter().rev());
    let recipients = addresses(mail.to()).into_iter().chain(addresses(mail.cc())).map(|(_, address)| address);
    Incoming {
        identity,
        from: addresses(mail.from()).into_iter().next(),
        recipients: recipients.collect(),
        references,
        subject: sanitize(mail.subject().unwrap_or_default()),
        text: mail.body_text(0).map(|text| sanitize(&text)),
        unreadable: cut,
        ..Incoming::default()
    }
}
