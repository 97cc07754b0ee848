//! The iCalendar part of an answer; whether it is one is left to the rule.

use super::fields;
use crate::domain::letter::{Attendee, CalendarPart};
use crate::domain::sanitize::sanitize;
use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarParameterName, ICalendarProperty,
    ICalendarValue,
};
use calcard::{Entry, Parser};
use jiff::Timestamp;

const MOST_ATTENDEES: usize = 50;
/// Lines of title, description and place.
const MOST_SAID: usize = 200;

/// Reads the first calendar in it. An answer needs no more, and further ones count as more than one event.
pub fn read(text: &str) -> Option<CalendarPart> {
    let mut parser = Parser::new(text.trim_start_matches('\u{feff}'));
    let mut calendars = Vec::new();
    // Bounded by the text, which the parser eats; junk lines are skipped.
    for _ in 0..1_000 {
        match parser.entry() {
            Entry::ICalendar(calendar) => calendars.push(calendar),
            Entry::Eof => break,
            _ => {}
        }
    }
    let further = calendars.iter().skip(1).map(events).sum::<usize>();
    let calendar = calendars.first()?;
    let event = calendar.components.iter().find(|part| part.component_type == ICalendarComponentType::VEvent)?;
    let mut besides = fields::besides(text);
    let at = |property: ICalendarProperty| moment(calendar, event, &property, &besides);
    let ((start, start_text), (end, end_text)) = (at(ICalendarProperty::Dtstart), at(ICalendarProperty::Dtend));
    let stamp = at(ICalendarProperty::Dtstamp).0;
    let comment = ICalendarProperty::Other("X-RESPONSE-COMMENT".into());
    let both = [&ICalendarProperty::Comment, &comment];
    let values = both.into_iter().flat_map(|property| event.properties(property).take(10)).flat_map(|e| &e.values);
    // The lines of a signature stay lines.
    let lines = |text: &str| {
        let more = (text.lines().count() > 40).then(|| "(and more that is not shown)".to_owned());
        text.lines().take(40).map(sanitize).chain(more).collect::<Vec<_>>().join("\n")
    };
    let mut comments: Vec<String> = values.filter_map(ICalendarValue::as_text).map(lines).collect();
    comments.extend(event.properties(&ICalendarProperty::Attendee).filter_map(response_comment));
    if both.into_iter().any(|property| event.properties(property).nth(MOST_TEXTS).is_some()) {
        comments.push("(and more that is not shown)".into());
    }
    comments.extend(besides.comments.iter().map(|text| lines(text)));
    comments.retain(|one| !one.is_empty());
    comments.dedup();
    // What is beyond the bounds is not read.
    let attendees = event.properties(&ICalendarProperty::Attendee).count();
    let said = said(event);
    besides
        .other
        .extend((attendees > MOST_ATTENDEES || said.len() > MOST_SAID).then(|| "more than is read".to_owned()));
    Some(CalendarPart {
        method: method(calendar),
        uid: texts(event, &ICalendarProperty::Uid).pop().unwrap_or_default(),
        sequence: event.property(&ICalendarProperty::Sequence).and_then(integer),
        stamp,
        start,
        start_text,
        end,
        end_text,
        lasts: event.property(&ICalendarProperty::Duration).is_some(),
        said: said.into_iter().take(MOST_SAID).collect(),
        organizer: event.property(&ICalendarProperty::Organizer).map(|entry| attendee(entry).email),
        attendees: event.properties(&ICalendarProperty::Attendee).take(MOST_ATTENDEES).map(attendee).collect(),
        comment: comments.join("\n").trim().to_owned(),
        events: events(calendar) + further,
        other: besides.other,
    })
}

/// What else it says that a person would see: title, description, place.
fn said(event: &ICalendarComponent) -> Vec<String> {
    let seen = [&ICalendarProperty::Summary, &ICalendarProperty::Description, &ICalendarProperty::Location];
    let values = seen
        .into_iter()
        .flat_map(|property| event.properties(property).take(MOST_TEXTS))
        .flat_map(|entry| &entry.values);
    let lines =
        values.filter_map(ICalendarValue::as_text).flat_map(|text| text.lines().map(sanitize).collect::<Vec<_>>());
    lines.filter(|line| !line.is_empty()).take(MOST_SAID + 1).collect()
}

fn events(calendar: &ICalendar) -> usize {
    calendar.components.iter().filter(|part| part.component_type == ICalendarComponentType::VEvent).count()
}

fn method(calendar: &ICalendar) -> String {
    let entry = calendar.components.iter().find_map(|part| part.property(&ICalendarProperty::Method));
    let value = entry.and_then(|entry| entry.values.first()).and_then(ICalendarValue::as_text);
    sanitize(value.unwrap_or_default()).to_uppercase()
}

/// Most texts of one kind that are read.
const MOST_TEXTS: usize = 10;

fn texts(event: &ICalendarComponent, property: &ICalendarProperty) -> Vec<String> {
    let values = event.properties(property).take(MOST_TEXTS).flat_map(|entry| entry.values.iter());
    let mut texts: Vec<String> = values.filter_map(ICalendarValue::as_text).map(sanitize).collect();
    if event.properties(property).nth(MOST_TEXTS).is_some() {
        // A person must read what is not read here.
        texts.push("(and more that is not shown)".into());
    }
    texts
}

fn integer(entry: &ICalendarEntry) -> Option<u32> {
    let value = entry.values.first()?;
    value.as_integer().or_else(|| value.as_text()?.trim().parse().ok()).and_then(|number| u32::try_from(number).ok())
}

/// Google writes the comment of the one who answers as a parameter of ATTENDEE.
fn response_comment(entry: &ICalendarEntry) -> Option<String> {
    parameter(entry, &ICalendarParameterName::Other("X-RESPONSE-COMMENT".into()))
}

fn parameter(entry: &ICalendarEntry, name: &ICalendarParameterName) -> Option<String> {
    let found = entry.params.iter().find(|one| {
        let same = one.name == *name;
        same || one.name.as_str().eq_ignore_ascii_case(name.as_str())
    })?;
    found.value.as_text().map(sanitize)
}

fn address(text: &str) -> String {
    let clean = sanitize(text).to_lowercase();
    clean.strip_prefix("mailto:").unwrap_or(&clean).trim().to_owned()
}

fn attendee(entry: &ICalendarEntry) -> Attendee {
    let mut email = address(entry.values.first().and_then(ICalendarValue::as_text).unwrap_or_default());
    if !email.contains('@') {
        // Exchange writes an LDAP name or `invalid:nomail` there and the address into EMAIL.
        email = parameter(entry, &ICalendarParameterName::Email).map(|text| address(&text)).unwrap_or(email);
    }
    let or = |name: ICalendarParameterName, otherwise: &str| {
        parameter(entry, &name).filter(|text| !text.is_empty()).unwrap_or_else(|| otherwise.into()).to_uppercase()
    };
    Attendee {
        email,
        name: parameter(entry, &ICalendarParameterName::Cn).unwrap_or_default(),
        status: or(ICalendarParameterName::Partstat, "NEEDS-ACTION"),
        kind: or(ICalendarParameterName::Cutype, "INDIVIDUAL"),
        sent_by: parameter(entry, &ICalendarParameterName::SentBy).map(|text| address(&text)),
        delegated: [ICalendarParameterName::DelegatedTo, ICalendarParameterName::DelegatedFrom]
            .iter()
            .find_map(|name| parameter(entry, name))
            .map(|text| address(&text)),
    }
}

/// The moment in UTC, if its zone is known, and as it is written. A floating time is no moment.
fn moment(
    calendar: &ICalendar,
    event: &ICalendarComponent,
    property: &ICalendarProperty,
    besides: &fields::Besides,
) -> (Option<Timestamp>, String) {
    let Some(entry) = event.property(property) else { return (None, String::new()) };
    let zone = parameter(entry, &ICalendarParameterName::Tzid);
    let Some(date) = entry.values.first().and_then(ICalendarValue::as_partial_date_time) else {
        let text = entry.values.first().and_then(ICalendarValue::as_text).map(sanitize);
        return (None, text.unwrap_or_default());
    };
    let two = |part: Option<u8>| part.map_or_else(|| "??".to_owned(), |part| format!("{part:02}"));
    let day = format!("{:04}-{}-{}", date.year.unwrap_or_default(), two(date.month), two(date.day));
    if date.hour.is_none() {
        return (None, day);
    }
    let utc = date.tz_hour.is_some();
    let named = zone.clone().unwrap_or_else(|| if utc { "UTC".into() } else { "no zone".into() });
    let written = format!("{day} {}:{} ({named})", two(date.hour), two(date.minute));
    let seconds = match (utc, &zone) {
        (true, _) => date.to_timestamp(),
        (false, Some(zone)) => in_zone(calendar, zone, date, besides),
        (false, None) => None,
    };
    (seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()), written)
}

/// By the name, which may be one of Windows, and by the rules that came with the event: both, where both are known.
fn in_zone(calendar: &ICalendar, zone: &str, date: &PartialDateTime, besides: &fields::Besides) -> Option<i64> {
    let known = zone.parse::<calcard::common::timezone::Tz>().ok();
    let known = known.or_else(|| calendar.build_tz_resolver().resolve(zone)).filter(|zone| !zone.is_floating());
    let named = known.and_then(|zone| Some(date.to_date_time_with_tz(zone)?.timestamp()));
    let mut same = besides.zones.iter().filter(|(name, ..)| name == zone);
    let (defined, further) = (same.next(), same.next());
    match (named, defined) {
        _ if further.is_some() => None,
        (named, None) => named,
        (named, Some((_, offsets, rules))) => {
            let wall = civil(date)?;
            match (named, rules) {
                (named, Some(rules)) => {
                    let ruled = rules.to_ambiguous_timestamp(wall).unambiguous().ok()?.as_second();
                    named.is_none_or(|named| named == ruled).then_some(ruled)
                }
                (Some(named), None) => {
                    let apart = jiff::tz::Offset::UTC.to_timestamp(wall).ok()?.as_second() - named;
                    offsets.iter().any(|offset| i64::from(*offset) == apart).then_some(named)
                }
                (None, None) => None,
            }
        }
    }
}

fn civil(date: &PartialDateTime) -> Option<jiff::civil::DateTime> {
    let small = |part: Option<u8>| i8::try_from(part?).ok();
    let second = small(date.second.or(Some(0)))?;
    let year = i16::try_from(date.year?).ok()?;
    jiff::civil::DateTime::new(
        year,
        small(date.month)?,
        small(date.day)?,
        small(date.hour)?,
        small(date.minute)?,
        second,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(zone: &str, line: &str) -> (Option<Timestamp>, String) {
        let event = format!("BEGIN:VEVENT\nUID:a\n{line}\nEND:VEVENT");
        let part =
            read(&format!("BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REPLY\n{zone}{event}\nEND:VCALENDAR\n")).unwrap();
        (part.start, part.start_text)
    }

    #[test]
    fn a_time_is_a_moment_only_where_its_zone_is_known() {
        for line in [
            "DTSTART:20261201T220000",
            "DTSTART;VALUE=DATE:20261201",
            "DTSTART:20261201",
            "DTSTART;TZID=Customized New York:20261201T220000",
        ] {
            let (moment, text) = start("", line);
            assert!(moment.is_none() && !text.is_empty(), "{line}: {moment:?} {text}");
        }
        let moment = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        for (line, told) in [
            ("DTSTART:20261201T210000Z", "2026-12-01T21:00:00Z"),
            ("DTSTART;TZID=Europe/Berlin:20261201T220000", "2026-12-01T21:00:00Z"),
            ("DTSTART;TZID=W. Europe Standard Time:20261201T220000", "2026-12-01T21:00:00Z"),
        ] {
            assert_eq!(start("", line).0, moment(told), "{line}");
        }
        let zone = |name: &str, offset: &str| {
            let times = format!("TZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}");
            format!(
                "BEGIN:VTIMEZONE\nTZID:{name}\nBEGIN:STANDARD\nDTSTART:16010101T000000\n{times}\nEND:STANDARD\nEND:VTIMEZONE\n"
            )
        };
        let ours = start(&zone("Ours", "-0500"), "DTSTART;TZID=Ours:20261201T220000").0;
        assert_eq!(ours, moment("2026-12-02T03:00:00Z"));
        // A zone with our name and the rules of another.
        assert_eq!(start(&zone("Europe/Berlin", "-0500"), "DTSTART;TZID=Europe/Berlin:20261201T220000").0, None);
    }
}
