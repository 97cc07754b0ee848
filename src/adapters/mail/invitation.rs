//! The invitation: the window as an iCalendar event that a calendar asks its owner about (RFC 5545, 5546, 6047).
//!
//! The organizer is the bare sender, because some calendars drop a `+` from it; what identifies the client is the UID. Times
//! are in UTC, so that no time zone has to be described.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::language::Language;
use crate::domain::notice::NoticeKind;
use crate::domain::window::Window;
use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarClassification, ICalendarComponent, ICalendarComponentType, ICalendarMethod,
    ICalendarParameter, ICalendarParameterName, ICalendarParameterValue, ICalendarParticipationRole,
    ICalendarParticipationStatus, ICalendarProperty, ICalendarStatus, ICalendarTransparency, ICalendarUserTypes,
    ICalendarValue, Uri,
};
use jiff::Timestamp;

/// Names the program that wrote the event.
const PRODUCT: &str = "-//changeguard//maintenance window//EN";

/// What an invitation says.
pub(super) struct Invitation<'a> {
    pub(super) cancelled: bool,
    pub(super) uid: &'a str,
    pub(super) window: &'a Window,
    pub(super) stamp: Timestamp,
    pub(super) organiser: &'a str,
    pub(super) organiser_address: &'a str,
    pub(super) attendee: &'a str,
    pub(super) attendee_address: &'a str,
    pub(super) summary: &'a str,
    pub(super) description: &'a str,
}

/// Whether a mail of this kind carries an event, and whether that cancels it.
pub(super) fn carried(kind: NoticeKind) -> Option<bool> {
    match kind {
        NoticeKind::Announcement | NoticeKind::Reminder | NoticeKind::Change => Some(false),
        NoticeKind::Cancellation => Some(true),
        NoticeKind::Reconfigure | NoticeKind::AreYouBack | NoticeKind::AllClear | NoticeKind::Emergency => None,
    }
}

/// The words in the calendar: title and, unless it is cancelled, what to do.
pub(super) fn words(language: Language, tenant: &str) -> (String, &'static str) {
    match language {
        Language::English => (
            format!("VPN maintenance: {tenant}"),
            "Your VPN connection is interrupted in this window. Accept if it suits you; if it does not, decline or reply to the mail with another time. You get a mail when the new configuration is ready.",
        ),
        Language::German => (
            format!("VPN-Wartung: {tenant}"),
            "Ihre VPN-Verbindung wird in diesem Zeitraum unterbrochen. Nehmen Sie an, wenn er Ihnen passt; wenn nicht, lehnen Sie ab oder antworten Sie auf die E-Mail mit einem anderen Termin. Sie erhalten eine E-Mail, sobald die neue Konfiguration bereitsteht.",
        ),
        Language::French => (
            format!("Maintenance VPN : {tenant}"),
            "Votre connexion VPN sera interrompue pendant ce créneau. Acceptez s'il vous convient ; sinon, refusez ou répondez au message en proposant une autre date. Vous recevrez un message dès que la nouvelle configuration sera prête.",
        ),
        Language::Spanish => (
            format!("Mantenimiento de la VPN: {tenant}"),
            "Su conexión VPN se interrumpirá durante este intervalo. Acepte si le viene bien; si no, rechace o responda al mensaje con otra fecha. Recibirá un mensaje cuando la nueva configuración esté lista.",
        ),
    }
}

impl Invitation<'_> {
    pub(super) fn method(&self) -> &'static str {
        if self.cancelled { "CANCEL" } else { "REQUEST" }
    }

    /// The whole calendar, lines folded and ended as RFC 5545 3.1 wants them.
    pub(super) fn write(&self) -> Result<String, Fault> {
        use ICalendarProperty as Property;
        let mut calendar = ICalendarComponent::new(ICalendarComponentType::VCalendar);
        calendar.component_ids.push(1);
        calendar.add_property(Property::Version, text("2.0"));
        calendar.add_property(Property::Prodid, text(PRODUCT));
        let method = if self.cancelled { ICalendarMethod::Cancel } else { ICalendarMethod::Request };
        calendar.add_property(Property::Method, ICalendarValue::Method(method));

        let mut event = ICalendarComponent::new(ICalendarComponentType::VEvent);
        event.add_uid(self.uid);
        event.add_dtstamp(utc(self.stamp));
        // Calling off is one more change of the event (RFC 5546 3.2.5).
        let sequence = i64::from(self.window.revision) - i64::from(!self.cancelled);
        event.add_sequence(sequence.max(0));
        event.add_property(Property::Dtstart, moment(self.window.start));
        event.add_property(Property::Dtend, moment(self.window.end));
        event.add_property_with_params(Property::Organizer, name(self.organiser), mailto(self.organiser_address));
        let attendee = [
            (ICalendarParameterName::Cutype, ICalendarParameterValue::Cutype(ICalendarUserTypes::Individual)),
            (ICalendarParameterName::Role, ICalendarParameterValue::Role(ICalendarParticipationRole::ReqParticipant)),
            (
                ICalendarParameterName::Partstat,
                ICalendarParameterValue::Partstat(ICalendarParticipationStatus::NeedsAction),
            ),
            (ICalendarParameterName::Rsvp, ICalendarParameterValue::Bool(true)),
        ];
        let attendee = attendee.into_iter().map(|(name, value)| ICalendarParameter { name, value });
        let attendee = attendee.chain(name(self.attendee));
        event.add_property_with_params(Property::Attendee, attendee, mailto(self.attendee_address));
        event.add_property(Property::Summary, text(self.summary));
        if !self.cancelled {
            event.add_property(Property::Description, text(self.description));
        }
        let status = if self.cancelled { ICalendarStatus::Cancelled } else { ICalendarStatus::Confirmed };
        event.add_property(Property::Status, ICalendarValue::Status(status));
        event.add_property(Property::Transp, ICalendarValue::Transparency(ICalendarTransparency::Transparent));
        event.add_property(Property::Class, ICalendarValue::Classification(ICalendarClassification::Private));

        let mut written = String::new();
        ICalendar { components: vec![calendar, event] }
            .write_to(&mut written)
            .map_err(|_| Fault::new(Service::Mail, FaultKind::Invalid, "the invitation can't be written"))?;
        Ok(written)
    }
}

fn text(text: &str) -> ICalendarValue {
    ICalendarValue::Text(text.to_owned())
}

fn utc(at: Timestamp) -> PartialDateTime {
    PartialDateTime::from_utc_timestamp(at.as_second())
}

fn moment(at: Timestamp) -> ICalendarValue {
    ICalendarValue::PartialDateTime(Box::new(utc(at)))
}

/// CN, if there is a name. A parameter has no escapes (RFC 5545 3.2): a double quote would end it, `^` begins an escape of
/// RFC 6868 that would become a line break, and a backslash would be doubled.
fn name(name: &str) -> Option<ICalendarParameter> {
    let clean: String = name.chars().filter(|c| !matches!(c, '^' | '\\')).collect();
    let clean = clean.replace('"', "'");
    let value = ICalendarParameterValue::Text(clean.trim().to_owned());
    (!clean.trim().is_empty()).then_some(ICalendarParameter { name: ICalendarParameterName::Cn, value })
}

/// RFC 6068 2: what is not plain is written as percent and two hexadecimal digits.
fn mailto(address: &str) -> ICalendarValue {
    let mut uri = String::from("mailto:");
    for byte in address.bytes() {
        if byte.is_ascii_alphanumeric() || b"@.-_~+!$'*/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    ICalendarValue::Uri(Uri::Location(uri))
}
