//! The lines of an iCalendar file by a list of what an answer may hold: what is not in it could be somebody's word, and is named.
//!
//! Read apart from the parser, which passes over what it does not know.

use super::html;
use super::lines::Lines;
use crate::domain::sanitize::sanitize;
use jiff::tz::TimeZone;

/// What is found besides the known.
#[derive(Debug, Default)]
pub struct Besides {
    /// The names of what is not known, and where they are known but say something else than usual, with it.
    pub other: Vec<String>,
    /// Comments in fields of some programs.
    pub comments: Vec<String>,
    /// Zones that are defined in it: name, offsets in seconds, and rules, if they can be followed.
    pub zones: Vec<(String, Vec<i32>, Option<TimeZone>)>,
}

const MOST_OTHER: usize = 20;

/// The form of a value.
enum Form {
    /// Read elsewhere, or of no meaning to people: UID, PRODID.
    Any,
    /// A date with its time.
    Moment,
    /// A number.
    Number,
    /// A sign of a program: no blank in it.
    Sign,
    /// One of these.
    Of(&'static [&'static str]),
}
use Form::{Any, Moment, Number, Of, Sign};

const YES_NO: Form = Of(&["TRUE", "FALSE"]);

/// The properties of a component that may be there, once each.
fn property(component: &str, name: &str) -> Option<Form> {
    Some(match (component, name) {
        ("VCALENDAR", "PRODID" | "METHOD") => Any,
        ("VCALENDAR", "VERSION") => Of(&["2.0"]),
        ("VCALENDAR", "CALSCALE" | "X-MICROSOFT-CALSCALE") => Of(&["GREGORIAN"]),
        (
            "VCALENDAR",
            "X-WR-TIMEZONE"
            | "X-APPLE-CALENDAR-COLOR"
            | "X-KDE-ICAL-IMPLEMENTATION-VERSION"
            | "X-LOTUS-CHARSET"
            | "X-MS-OLK-FORCEINSPECTOROPEN",
        ) => Sign,
        ("VTIMEZONE", "TZID") => Any,
        ("VTIMEZONE", "LAST-MODIFIED") => Moment,
        ("VTIMEZONE", "TZURL" | "X-LIC-LOCATION" | "X-MICROSOFT-CDO-TZID" | "TZID-ALIAS-OF") => Sign,
        ("STANDARD" | "DAYLIGHT", "DTSTART") => Moment,
        ("STANDARD" | "DAYLIGHT", "TZOFFSETFROM" | "TZOFFSETTO" | "RRULE" | "RDATE") => Sign,
        ("STANDARD" | "DAYLIGHT", "TZNAME") => Any,
        ("VALARM", "ACTION") => Of(&["DISPLAY", "AUDIO"]),
        ("VALARM", "TRIGGER" | "UID" | "X-WR-ALARMUID") => Sign,
        ("VALARM", "DESCRIPTION") => Of(&["REMINDER", "THIS IS AN EVENT REMINDER", "ALARM", ""]),
        ("VALARM", "X-MOZ-LASTACK" | "ACKNOWLEDGED") => Moment,
        ("VEVENT", "UID" | "ORGANIZER" | "ATTENDEE") => Any,
        // They are read.
        ("VEVENT", "SUMMARY" | "DESCRIPTION" | "LOCATION" | "COMMENT" | "X-RESPONSE-COMMENT") => Any,
        ("VEVENT", "X-CALENDARSERVER-ATTENDEE-COMMENT") => Any,
        ("VEVENT", "X-ALT-DESC") => Any,
        ("VEVENT", "DTSTART" | "DTEND" | "DTSTAMP" | "CREATED" | "LAST-MODIFIED") => Moment,
        ("VEVENT", "DURATION") => Sign,
        ("VEVENT", "SEQUENCE" | "PRIORITY") => Number,
        ("VEVENT", "STATUS") => Of(&["CONFIRMED"]),
        ("VEVENT", "TRANSP") => Of(&["OPAQUE", "TRANSPARENT"]),
        ("VEVENT", "CLASS") => Of(&["PUBLIC", "PRIVATE", "CONFIDENTIAL"]),
        ("VEVENT", "REQUEST-STATUS") => {
            Of(&["2.0", "2.0;SUCCESS", "2.0;SUCCESS.", "2.0;OK", "\"2.0;SUCCESS\"", "2.0\\;SUCCESS"])
        }
        ("VEVENT", "X-MICROSOFT-CDO-BUSYSTATUS" | "X-MICROSOFT-CDO-INTENDEDSTATUS") => {
            Of(&["BUSY", "FREE", "OOF", "WORKINGELSEWHERE"])
        }
        ("VEVENT", "X-MICROSOFT-CDO-ALLDAYEVENT") => Of(&["FALSE"]),
        ("VEVENT", "X-MICROSOFT-CDO-INSTTYPE") => Of(&["0"]),
        ("VEVENT", "X-MICROSOFT-CDO-IMPORTANCE") => Number,
        ("VEVENT", "X-MICROSOFT-CDO-APPT-SEQUENCE" | "X-MICROSOFT-CDO-OWNERAPPTID") => Number,
        ("VEVENT", "X-MICROSOFT-CDO-REPLYTIME" | "X-MICROSOFT-CDO-OWNER-CRITICAL-CHANGE") => Moment,
        ("VEVENT", "X-MICROSOFT-CDO-ATTENDEE-CRITICAL-CHANGE") => Moment,
        (
            "VEVENT",
            "X-MICROSOFT-DISALLOW-COUNTER"
            | "X-MICROSOFT-DONOTFORWARDMEETING"
            | "X-MICROSOFT-ISRESPONSEREQUESTED"
            | "X-MS-OLK-AUTOFILLLOCATION"
            | "X-MS-OLK-AUTOSTARTCHECK"
            | "X-APPLE-NEEDS-REPLY"
            | "X-PM-PROTON-REPLY"
            | "X-ZIMBRA-DISCARD-EXCEPTIONS"
            | "X-LOTUS-BROADCAST",
        ) => YES_NO,
        ("VEVENT", "X-MICROSOFT-REQUESTEDATTENDANCEMODE") => Of(&["DEFAULT"]),
        ("VEVENT", "X-MICROSOFT-LOCATIONS") => Of(&["[]"]),
        ("VEVENT", "X-MS-OLK-CONFTYPE" | "X-MOZ-RECEIVED-SEQUENCE" | "X-MOZ-GENERATION") => Number,
        ("VEVENT", "X-MOZ-RECEIVED-DTSTAMP" | "X-MOZ-LASTACK") => Moment,
        // A proposal's, which its answer is compared with.
        ("VEVENT", "X-MS-OLK-ORIGINALSTART" | "X-MS-OLK-ORIGINALEND") => Moment,
        ("VEVENT", "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR") => Of(&["AUTOMATIC", "DISABLED"]),
        (
            "VEVENT",
            "X-EVOLUTION-CALDAV-ETAG"
            | "X-LOTUS-APPTTYPE"
            | "X-LOTUS-NOTESVERSION"
            | "X-LOTUS-NOTICETYPE"
            | "X-LOTUS-UPDATE-SEQ"
            | "X-LOTUS-UPDATE-WISL",
        ) => Sign,
        _ => return None,
    })
}

/// Those that may be there more than once.
const MANY: [&str; 5] =
    ["ATTENDEE", "COMMENT", "X-RESPONSE-COMMENT", "REQUEST-STATUS", "X-CALENDARSERVER-ATTENDEE-COMMENT"];

/// The parameters that a property may have, once each.
fn parameter(property: &str, name: &str) -> Option<Form> {
    Some(match (property, name) {
        (_, "LANGUAGE") => Sign,
        ("DTSTART" | "DTEND" | "X-MS-OLK-ORIGINALSTART" | "X-MS-OLK-ORIGINALEND", "TZID") => Any,
        ("TRIGGER", "VALUE") => Of(&["DATE-TIME", "DURATION"]),
        ("TRIGGER", "RELATED") => Of(&["START", "END"]),
        ("X-ALT-DESC", "FMTTYPE") => Of(&["TEXT/HTML"]),
        (_, "VALUE") => Of(&["DATE-TIME", "TEXT"]),
        ("X-PM-PROTON-REPLY", "TYPE") => Of(&["BOOLEAN"]),
        // They are judged, all of them.
        ("ATTENDEE" | "ORGANIZER", "CN" | "SENT-BY" | "EMAIL") => Any,
        ("ATTENDEE", "PARTSTAT" | "DELEGATED-TO" | "DELEGATED-FROM" | "X-RESPONSE-COMMENT") => Any,
        ("ATTENDEE", "CUTYPE") => Of(&["INDIVIDUAL", "GROUP", "ROOM", "RESOURCE"]),
        ("ATTENDEE", "ROLE") => Of(&["REQ-PARTICIPANT", "OPT-PARTICIPANT", "CHAIR"]),
        ("ATTENDEE", "RSVP") => YES_NO,
        ("ATTENDEE", "X-NUM-GUESTS") => Of(&["0"]),
        ("ATTENDEE", "X-DTSTAMP" | "X-REPLYTIME" | "X-CALENDARSERVER-DTSTAMP" | "X-MS-OLK-RESPTIME") => Moment,
        // With TRUE the server has accepted, and nobody was asked.
        ("ATTENDEE", "X-CALENDARSERVER-AUTO") => Of(&["FALSE"]),
        ("ATTENDEE", "SCHEDULE-STATUS") => Of(&["1.1", "1.2", "2.0"]),
        ("ATTENDEE" | "ORGANIZER", "X-JMAP-ID" | "X-CALENDARSERVER-EMAIL" | "SCHEDULE-AGENT") => Sign,
        ("ORGANIZER", "CUTYPE" | "ROLE" | "PARTSTAT" | "RSVP" | "SCHEDULE-STATUS") => Sign,
        _ => return None,
    })
}

fn fits(form: &Form, value: &str) -> bool {
    let value = value.trim();
    let sign = |c: char| c.is_ascii_graphic();
    match form {
        Any => true,
        Moment => {
            let bare = value.strip_suffix('Z').unwrap_or(value);
            let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
            bare.split_once('T').is_some_and(|(day, time)| digits(day, 8) && digits(time, 6))
        }
        Number => value.len() <= 12 && value.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()),
        Sign => value.len() <= 200 && value.chars().all(sign),
        Of(all) => all.contains(&value.to_uppercase().as_str()),
    }
}

/// Where a component may stand.
fn stands(component: &str, within: Option<&str>) -> bool {
    matches!(
        (component, within),
        ("VCALENDAR", None)
            | ("VEVENT" | "VTIMEZONE", Some("VCALENDAR"))
            | ("STANDARD" | "DAYLIGHT", Some("VTIMEZONE"))
            | ("VALARM", Some("VEVENT"))
    )
}

/// A line: name, parameters, value; upper case but for values.
struct Field {
    name: String,
    parameters: Vec<(String, String)>,
    value: String,
}

fn field(line: &str) -> Option<Field> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut rest = line.char_indices();
    let value = loop {
        let (at, c) = rest.next()?;
        match c {
            '"' => quoted = !quoted,
            ';' if !quoted => parts.push(String::new()),
            ':' if !quoted => break &line[at + 1..],
            c => parts.last_mut()?.push(c),
        }
    };
    let mut parts = parts.into_iter();
    let name = parts.next()?.trim().to_uppercase();
    let known = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let parameters = parts.map(|one| {
        let (name, value) = one.split_once('=').unwrap_or((&one, ""));
        (name.trim().to_uppercase(), value.to_owned())
    });
    known(&name).then(|| Field { name, parameters: parameters.collect(), value: value.to_owned() })
}

/// Lines that begin with a blank go on in the one before (RFC 5545 3.1).
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// The text of a value.
fn unescaped(value: &str) -> String {
    value.replace("\\n", "\n").replace("\\N", "\n").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\")
}

/// Looks at every line.
pub fn besides(text: &str) -> Besides {
    let mut found = Besides::default();
    let mut stack: Vec<(String, Vec<String>)> = Vec::new();
    let mut calendars = 0;
    let mut zone: Vec<Field> = Vec::new();
    for line in unfolded(text.trim_start_matches('\u{feff}')) {
        let Some(field) = field(&line) else {
            found.name("a line that can't be read", "");
            continue;
        };
        match field.name.as_str() {
            "BEGIN" => {
                let component = field.value.trim().to_uppercase();
                calendars += usize::from(component == "VCALENDAR");
                if calendars > 1 || !stands(&component, stack.last().map(|(name, _)| name.as_str())) {
                    found.name(&component, "");
                }
                if component == "VTIMEZONE" {
                    zone.clear();
                }
                zone.push(field);
                stack.push((component, Vec::new()));
            }
            "END" => {
                let component = field.value.trim().to_uppercase();
                if stack.pop().is_none_or(|(name, _)| name != component) {
                    found.name("END", &component);
                }
                if component == "VTIMEZONE" {
                    found.zones.extend(defined(&zone));
                }
            }
            _ => {
                let Some((component, seen)) = stack.last_mut() else {
                    found.name(&field.name, "");
                    continue;
                };
                let (component, again) = (component.clone(), seen.contains(&field.name));
                seen.push(field.name.clone());
                found.look(&component, &field, again);
                zone.push(field);
            }
        }
    }
    if !stack.is_empty() {
        found.name("a calendar that is cut off", "");
    }
    found
}

impl Besides {
    fn name(&mut self, name: &str, value: &str) {
        if self.other.len() < MOST_OTHER {
            let text = if value.trim().is_empty() { name.to_owned() } else { format!("{name}:{value}") };
            self.other.push(sanitize(&text).chars().take(80).collect());
        }
    }

    fn look(&mut self, component: &str, field: &Field, again: bool) {
        let Field { name, parameters, value } = field;
        match property(component, name) {
            Some(form) if fits(&form, value) && (!again || MANY.contains(&name.as_str())) => {}
            // Nothing is said by it.
            None if value.trim().is_empty() => {}
            _ => self.name(name, value),
        }
        for (at, (parameter_name, said)) in parameters.iter().enumerate() {
            let twice = parameters[..at].iter().any(|(other, _)| other == parameter_name);
            let form = parameter(name, parameter_name);
            if twice || form.is_none_or(|form| !fits(&form, said)) {
                self.name(&format!("{name};{parameter_name}"), said);
            }
        }
        match name.as_str() {
            "X-CALENDARSERVER-ATTENDEE-COMMENT" => self.comments.push(unescaped(value)),
            "X-ALT-DESC" => {
                let mut lines = Lines::default();
                html::lines(&unescaped(value), false, &mut lines);
                let said: Vec<String> = lines.into_body().lines.into_iter().map(|line| line.text).collect();
                if !said.is_empty() {
                    self.comments.push(said.join("\n"));
                    self.name(name, "");
                }
            }
            _ => {}
        }
    }
}

/// The zone of these fields.
fn defined(fields: &[Field]) -> Option<(String, Vec<i32>, Option<TimeZone>)> {
    let name = fields.iter().find(|field| field.name == "TZID")?.value.trim().to_owned();
    let offsets = fields.iter().filter(|field| field.name == "TZOFFSETTO").map(|field| offset(&field.value));
    let offsets: Option<Vec<i32>> = offsets.collect();
    Some((sanitize(&unescaped(&name)), offsets.unwrap_or_default(), followed(fields)))
}

/// `+0100` in seconds.
fn offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let (sign, digits) = (if text.starts_with('-') { -1 } else { 1 }, text.trim_start_matches(['+', '-']));
    let two = |at: usize| digits.get(at..at + 2)?.parse::<i32>().ok();
    Some(sign * (two(0)? * 3600 + two(2)? * 60))
}

/// Its rules, if they are one standard time, or that and one summer time that come and go on a day of the week of a month.
fn followed(fields: &[Field]) -> Option<TimeZone> {
    let parts: Vec<&[Field]> = fields.split(|field| field.name == "BEGIN").filter(|part| !part.is_empty()).collect();
    let parts: Vec<&[Field]> =
        parts.into_iter().filter(|part| part.iter().any(|field| field.name == "TZOFFSETTO")).collect();
    let of = |part: &[Field], name: &str| part.iter().find(|field| field.name == name).map(|field| field.value.clone());
    let posix = |seconds: i32| {
        let (sign, rest) = (if seconds > 0 { "-" } else { "" }, seconds.abs());
        format!("{sign}{:02}:{:02}", rest / 3600, rest / 60 % 60)
    };
    let to = |part: &[Field]| of(part, "TZOFFSETTO").and_then(|text| offset(&text));
    let from = |part: &[Field]| of(part, "TZOFFSETFROM").and_then(|text| offset(&text));
    match parts.as_slice() {
        [one] if to(one)? == from(one).unwrap_or(to(one)?) => {
            TimeZone::posix(&format!("<AAA>{}", posix(to(one)?))).ok()
        }
        [one, two] => {
            let (standard, summer) = if to(one)? < to(two)? { (one, two) } else { (two, one) };
            if from(standard)? != to(summer)? || from(summer)? != to(standard)? {
                return None;
            }
            let (begins, ends) = (change(summer)?, change(standard)?);
            let text = format!("<AAA>{}<BBB>{},{begins},{ends}", posix(to(standard)?), posix(to(summer)?));
            TimeZone::posix(&text).ok()
        }
        _ => None,
    }
}

/// `RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU` as POSIX writes it.
fn change(part: &[Field]) -> Option<String> {
    let of = |name: &str| part.iter().find(|field| field.name == name).map(|field| field.value.to_uppercase());
    let (rule, start) = (of("RRULE")?, of("DTSTART")?);
    let (mut month, mut day) = (None, None);
    for one in rule.trim().split(';') {
        match one.split_once('=')? {
            ("FREQ", "YEARLY") | ("INTERVAL", "1") | ("WKST", _) => {}
            ("BYMONTH", text) => month = text.parse::<u8>().ok(),
            ("BYDAY", text) => {
                let (count, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
                let week = match count.trim_start_matches('+').parse::<i8>().ok()? {
                    -1 => 5,
                    week @ 1..=4 => week,
                    _ => return None,
                };
                let name = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"].iter().position(|one| *one == name)?;
                day = Some((week, name));
            }
            _ => return None,
        }
    }
    let (week, name) = day?;
    let time = start.trim().split_once('T')?.1.trim_end_matches('Z').to_owned();
    Some(format!("M{}.{week}.{name}/{}:{}", month?, time.get(..2)?, time.get(2..4)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_event(line: &str) -> Besides {
        besides(&format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REPLY\nBEGIN:VEVENT\nUID:a\nDTSTART:20261201T210000Z\nDTEND:20261201T230000Z\n{line}\nEND:VEVENT\nEND:VCALENDAR\n"
        ))
    }

    #[test]
    fn whatever_no_answer_needs_is_named() {
        for line in [
            "STATUS:CANCELLED",
            "STATUS:TENTATIVE",
            "RRULE:FREQ=WEEKLY",
            "RECURRENCE-ID:20261201T210000Z",
            "EXDATE:20261201T210000Z",
            "RDATE:20261203T210000Z",
            "DTSTART:20261203T210000Z",
            "DTEND:20261201T213000Z",
            "REQUEST-STATUS:3.8;No authority",
            "X-ALT-DESC;FMTTYPE=text/html:<p>Only if Bob agrees</p>",
            "STYLED-DESCRIPTION:Only if",
            "ATTACH:data:text/plain,Only%20if",
            "CONTACT:Call Bob first",
            "CATEGORIES:not yet",
            "X-COMMENT:Only if",
            "X-CALENDARSERVER-PRIVATE-COMMENT:Only if",
            "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",
            "GEO:1;2",
            "BEGIN:PARTICIPANT\nSUMMARY:x\nEND:PARTICIPANT",
            "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:Only if\nEND:VALARM",
            "ATTENDEE;PARTSTAT=ACCEPTED;PARTSTAT=DECLINED:mailto:a@b.example",
            "ATTENDEE;ROLE=NON-PARTICIPANT:mailto:a@b.example",
            "ATTENDEE;MEMBER=\"mailto:a@b.example\":mailto:a@b.example",
            "ATTENDEE;X-NUM-GUESTS=2:mailto:a@b.example",
            "DTSTAMP;X-NOTE=no:20261201T210000Z",
            "only if Bob agrees",
            "END:VEVENT\nEND:VCALENDAR\nBEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VTODO",
            "END:VEVENT\nCOMMENT:Only if\nBEGIN:VEVENT",
            "END:VEVENT\nBEGIN:VJOURNAL\nDESCRIPTION:x\nEND:VJOURNAL\nBEGIN:VEVENT",
        ] {
            assert!(!of_event(line).other.is_empty(), "{line}");
        }
        assert_eq!(of_event("X-CALENDARSERVER-ATTENDEE-COMMENT:only\\, if").comments, ["only, if"]);
    }

    #[test]
    fn what_programs_write_is_known() {
        for line in [
            "STATUS:CONFIRMED",
            "SUMMARY;LANGUAGE=en-US:Accepted: x",
            "COMMENT:a\nCOMMENT:b",
            "REQUEST-STATUS:2.0;Success",
            "X-MICROSOFT-CDO-BUSYSTATUS:BUSY\nTRANSP:OPAQUE\nCLASS:PUBLIC\nPRIORITY:5\nSEQUENCE:0",
            "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=\"A: b; c\";\n X-NUM-GUESTS=0;X-RESPONSE-COMMENT=\"x\":mailto:a@b.example",
            "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nDESCRIPTION:Reminder\nEND:VALARM",
            "X-ALT-DESC;FMTTYPE=text/html:<html><body>\\n</body></html>",
        ] {
            assert!(of_event(line).other.is_empty(), "{line}: {:?}", of_event(line).other);
        }
    }

    #[test]
    fn a_zone_of_its_own_is_followed() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\nEND:VCALENDAR\n";
        let found = besides(text);
        assert!(found.other.is_empty(), "{:?}", found.other);
        let (name, offsets, zone) = &found.zones[0];
        assert_eq!((name.as_str(), offsets.as_slice()), ("Ours", &[3600, 7200][..]));
        let at = |text: &str| zone.as_ref().unwrap().to_offset(text.parse().unwrap()).seconds();
        assert_eq!((at("2026-12-01T00:00:00Z"), at("2026-07-01T00:00:00Z")), (3600, 7200));
    }
}
