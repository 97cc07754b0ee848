//! When the agent on the VPN server looks for its key, by the moments that its log's lines carry: the last look, and when the next
//! one is due. Whether it is well is `agent_log`'s.

use super::agent_log;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use std::fmt;
use std::time::Duration;

/// In a cycle shorter than this there is nothing to choose: reading the log and what hangs on a look take about as long.
pub const SHORTEST: Duration = Duration::from_secs(3);
/// A log may be read so long before the server's clock, or behind it, s.
const SLACK: i64 = 5;
/// Zones differ by multiples of this, s.
const QUARTER: i64 = 900;
/// Looks further back than so many cycles say nothing of the next one.
const CYCLES: i64 = 3;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The looks of an agent, ms since 1970 by its server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentLooks {
    /// The last that is in the log.
    pub last_ms: i64,
    /// From one to the next, ms.
    pub every_ms: i64,
}

impl AgentLooks {
    /// From a log, oldest line first; `clock` is the server's at that moment (s since 1970), `cycle` what is configured. Errs with
    /// why no look can be seen.
    pub fn of(log: &str, clock: i64, cycle: Duration) -> Result<Self, String> {
        if cycle < SHORTEST {
            return Err(format!("a cycle of {} s is too short for that", cycle.as_secs()));
        }
        let cycle = i64::try_from(cycle.as_millis()).unwrap_or(i64::MAX);
        let lines = || log.lines().filter(|line| agent_log::is_look(line));
        let moments: Vec<i64> = lines().filter_map(|line| moment(line, clock)).collect();
        let Some(last) = moments.last().copied() else {
            return Err(match lines().next() {
                None => "the agent's log tells of no look".into(),
                Some(_) => "the lines of the agent's log carry no time (journalctl -o short-iso would)".into(),
            });
        };
        let age = clock - last.div_euclid(1000);
        if age < -SLACK || age.saturating_mul(1000) > cycle.saturating_mul(CYCLES) {
            return Err(format!("the last look in the agent's log is {age} s old"));
        }
        // Several lines of one look stand close together.
        let before = moments.iter().rev().find(|moment| last - **moment > cycle / 4);
        let seen = before.map(|before| last - before).filter(|gap| gap.abs_diff(cycle) <= (cycle / 2).unsigned_abs());
        Ok(Self { last_ms: last, every_ms: seen.unwrap_or(cycle).max(1) })
    }

    /// When the first look behind this moment is due, ms.
    pub fn next_ms(&self, now_ms: i64) -> i64 {
        let turns = (now_ms - self.last_ms).div_euclid(self.every_ms) + 1;
        self.last_ms + self.every_ms * turns.max(1)
    }
}

/// For how long an agent has been silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// How old its last look is, s; below 0: it lies ahead of the server's clock.
    pub for_s: i64,
    /// Its lines say no zone, so that it may be older by any number of quarters of an hour.
    pub is_least: bool,
}

impl Quiet {
    /// Longer than two cycles: then it has missed one. What lies ahead of the clock tells nothing of when it was.
    pub fn is_long(self, cycle: Duration) -> bool {
        let missed = cycle.as_secs().saturating_mul(2).saturating_add(SLACK.unsigned_abs());
        self.is_ahead() || u64::try_from(self.for_s).is_ok_and(|age| age > missed)
    }

    fn is_ahead(self) -> bool {
        self.for_s < -SLACK
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, age) = (if self.is_least { "at least " } else { "" }, self.for_s);
        match self.is_ahead() {
            true => write!(f, "the agent's last look is {} s ahead of the server's clock", age.unsigned_abs()),
            false => write!(f, "the agent's last look is {least}{} s old", age.max(0)),
        }
    }
}

/// How old the last look in the log is; `None` where its lines carry no time.
pub fn silent_for(log: &str, clock: i64) -> Option<Quiet> {
    let last = log.lines().rev().find(|line| agent_log::is_look(line))?;
    // Where the zone is guessed it follows from the clock; where it is said it does not.
    let (at, other) = (moment(last, clock)?, moment(last, clock + QUARTER)?);
    Some(Quiet { for_s: clock - at.div_euclid(1000), is_least: at != other })
}

/// The log without the looks that found no secret while the name was empty: those are explained by what was done, not by an agent
/// that is not well. `empty`: from when to when, ms by the server's clock.
pub fn without_gaps(log: &str, clock: i64, empty: &[(i64, i64)]) -> String {
    let slack = SLACK * 1000;
    let falls = |at: i64| empty.iter().any(|(from, to)| (from - slack..=to + slack).contains(&at));
    let explained = |line: &str| agent_log::is_without_secret(line) && moment(line, clock).is_some_and(falls);
    log.lines().filter(|line| !explained(line)).flat_map(|line| [line, "\n"]).collect()
}

/// The lines that were written behind this moment (ms by the server's clock); those that carry no time may have been.
pub fn behind(log: &str, clock: i64, from_ms: i64) -> String {
    let is_behind = |line: &&str| moment(line, clock).is_none_or(|at| at >= from_ms);
    log.lines().filter(is_behind).flat_map(|line| [line, "\n"]).collect()
}

/// How old a line of the log is, s; `None` where it carries no time. Where it says no zone it may be older by quarters of an hour.
pub fn age(line: &str, clock: i64) -> Option<u64> {
    moment(line, clock).map(|at| u64::try_from(clock - at.div_euclid(1000)).unwrap_or(0))
}

/// What is said of errors behind which no success came: one that is younger than a cycle is the last look's, and the next may be well.
pub fn unwell(means: &str, errors: usize, last: &str, clock: i64, cycle: Duration) -> String {
    let is_one_look = errors == 1 && !agent_log::is_end(last);
    match age(last, clock).and_then(|age| cycle.as_secs().checked_sub(age)).filter(|_| is_one_look) {
        Some(left) => {
            format!("{means} at its last look; the next, due within {left} s, tells whether that passes: {last}")
        }
        None if errors == 1 => format!("{means}, and was never well since: {last}"),
        None => format!("{means}, {errors} times and never well since: {last}"),
    }
}

/// The moment of a line, ms since 1970: RFC 3339 and Python's form wherever it stands, syslog's and seconds since 1970 at its
/// beginning. Where no zone is said it is that in which the line is young.
fn moment(line: &str, clock: i64) -> Option<i64> {
    unix(line).or_else(|| iso(line, clock)).or_else(|| syslog(line, clock))
}

/// `1764021601.123456 host …`, as `journalctl -o short-unix`.
fn unix(line: &str) -> Option<i64> {
    let word = line.split_whitespace().next()?;
    let (seconds, rest) = word.split_at_checked(10)?;
    let is_number = seconds.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = rest.strip_prefix('.').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    (is_number && (rest.is_empty() || fraction.is_some()))
        .then(|| Some(seconds.parse::<i64>().ok()? * 1000 + millis(fraction.unwrap_or_default())))?
}

/// `2026-11-24T22:00:01+00:00`, `2026-11-24 22:00:01,123`.
fn iso(line: &str, clock: i64) -> Option<i64> {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let fits = |window: &[u8]| {
        window.iter().zip(FORM).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b' '),
            other => byte == other,
        })
    };
    let at = line.as_bytes().windows(FORM.len()).position(fits)?;
    let number = |from: usize, length: usize| line.get(at + from..at + from + length)?.parse::<i16>().ok();
    let small = |from: usize| number(from, 2).and_then(|number| i8::try_from(number).ok());
    let date = Date::new(number(0, 4)?, small(5)?, small(8)?).ok()?;
    let seconds = utc(date.to_datetime(Time::new(small(11)?, small(14)?, small(17)?, 0).ok()?))?;
    let rest = line.get(at + FORM.len()..)?;
    let (fraction, rest) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("", rest),
    };
    let seconds = match zone(rest) {
        Some(ahead) => seconds - ahead,
        None => young(seconds, clock),
    };
    Some(seconds * 1000 + millis(fraction))
}

/// `Nov 24 22:00:01 host …`: neither year nor zone.
fn syslog(line: &str, clock: i64) -> Option<i64> {
    let mut words = line.split_whitespace();
    let (month, day, time) = (words.next()?, words.next()?, words.next()?);
    let month = i8::try_from(MONTHS.iter().position(|name| *name == month)? + 1).ok()?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = time.split(':').map(|part| part.parse::<i8>().ok());
    let time = Time::new(parts.next()??, parts.next()??, parts.next()??, 0).ok()?;
    let this = Offset::UTC.to_datetime(jiff::Timestamp::from_second(clock).ok()?).year();
    let day = day.parse().ok()?;
    let of = |year| utc(Date::new(year, month, day).ok()?.to_datetime(time));
    let seconds = [this - 1, this, this + 1].into_iter().filter_map(of).min_by_key(|at| at.abs_diff(clock))?;
    Some(young(seconds, clock) * 1000 + millis(fraction))
}

fn utc(at: DateTime) -> Option<i64> {
    Some(Offset::UTC.to_timestamp(at).ok()?.as_second())
}

/// The first three digits behind a point.
fn millis(fraction: &str) -> i64 {
    format!("{fraction:0<3}").get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// How far a zone that stands right here is ahead of UTC, s.
fn zone(rest: &str) -> Option<i64> {
    if rest.starts_with('Z') {
        return Some(0);
    }
    let sign = match rest.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = rest.get(1..)?.chars().filter(|c| *c != ':').take(4).collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    Some(sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60))
}

/// What was written a short time ago in some zone.
fn young(seconds: i64, clock: i64) -> i64 {
    let ahead = -((clock + SLACK - seconds).div_euclid(QUARTER) * QUARTER);
    seconds - ahead
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24 22:02:30 UTC.
    const CLOCK: i64 = 1_795_557_750;
    const CYCLE: Duration = Duration::from_secs(60);

    fn looks(log: &str) -> Result<AgentLooks, String> {
        AgentLooks::of(log, CLOCK, CYCLE)
    }

    #[test]
    fn only_a_look_without_a_secret_while_the_name_was_empty_is_explained_by_the_gap() {
        let gap = ((CLOCK - 40) * 1000, (CLOCK - 39) * 1000);
        let left = |line: &str| !without_gaps(line, CLOCK, &[gap]).is_empty();
        assert!(!left("2026-11-24 22:01:50,500 ERROR Failed to fetch key from Barbican: no secret of that name"));
        assert!(!left("2026-11-24 22:01:52,000 BarbicanFetchError: 404"), "its answer comes a moment later");
        for others in [
            "2026-11-24 22:02:10,000 ERROR Failed to fetch key from Barbican: no secret of that name",
            "2026-11-24 22:01:20,000 ERROR Failed to fetch key from Barbican: no secret of that name",
            "2026-11-24 22:01:50,500 ERROR Failed to fetch state: 503",
            "2026-11-24 22:01:50,500 INFO Configuration in sync",
            "ERROR Failed to fetch key from Barbican: it says not when",
        ] {
            assert!(left(others), "{others}");
        }
    }

    #[test]
    fn each_form_of_a_line_gives_the_moment_whatever_the_zone_of_the_server() {
        for (line, ms) in [
            ("2026-11-24T22:02:01Z INFO Configuration in sync", 0),
            ("2026-11-24T22:02:01+0000 vpn agent[7]: Configuration in sync", 0),
            ("2026-11-25T03:32:01+05:30 vpn agent[7]: Configuration in sync", 0),
            ("2026-11-24T14:02:01.250-0800 vpn agent[7]: Configuration in sync", 250),
            ("2026-11-24 23:02:01,123 INFO Configuration in sync", 123),
            ("2026-11-25 07:47:01,5 INFO Configuration in sync", 500),
            ("Nov 24 22:02:01 vpn user-sync-agent[7]: INFO Configuration in sync", 0),
            ("Nov 25 11:02:01.750 vpn user-sync-agent[7]: INFO Configuration in sync", 750),
            ("1795557721.123456 vpn user-sync-agent[7]: INFO Configuration in sync", 123),
            ("INFO 2026-11-24T17:02:01 Failed to fetch key from Barbican: 404", 0),
        ] {
            let wanted = AgentLooks { last_ms: (CLOCK - 29) * 1000 + ms, every_ms: 60_000 };
            assert_eq!(looks(line), Ok(wanted), "{line}");
        }
        let new_year = 1_798_761_600;
        let seen = AgentLooks::of("Dec 31 23:59:50 vpn agent[7]: Configuration in sync", new_year + 10, CYCLE);
        assert_eq!(seen.unwrap().last_ms, (new_year - 10) * 1000);
    }

    #[test]
    fn the_next_look_follows_from_the_last_and_from_what_lay_between_them() {
        let log = "1795557601 a: Configuration in sync\n1795557602 a: x\n1795557660 a: Configuration in sync\n\
                   1795557719.900 a: Failed to fetch state: 503\n1795557720 a: Configuration in sync\n";
        let looks = looks(log).unwrap();
        assert_eq!(looks, AgentLooks { last_ms: 1_795_557_720_000, every_ms: 60_000 });
        assert_eq!(looks.next_ms(CLOCK * 1000), 1_795_557_780_000);
        assert_eq!(looks.next_ms(1_795_557_780_000), 1_795_557_840_000, "behind this moment");
        assert_eq!(looks.next_ms(1_795_557_719_000), 1_795_557_780_000, "a clock that is a little behind");
        // It looks every 50 s, whatever is configured.
        let slower = "1795557670 a: Configuration in sync\n1795557720 a: Configuration in sync\n";
        assert_eq!(super::AgentLooks::of(slower, CLOCK, CYCLE).unwrap().every_ms, 50_000);
    }

    #[test]
    fn how_old_the_last_look_is_can_be_told_whole_only_where_its_zone_is_said() {
        for (line, age) in [
            ("2026-11-24T22:02:01Z INFO Configuration in sync", Some((29, false))),
            ("2026-11-24T22:32:30+02:00 vpn agent[7]: Configuration in sync", Some((5400, false))),
            ("1795557600 vpn user-sync-agent[7]: INFO Configuration in sync", Some((150, false))),
            ("2026-11-24 21:02:01,123 INFO Configuration in sync", Some((29, true))),
            ("Nov 24 21:55:00 vpn user-sync-agent[7]: INFO Configuration in sync", Some((450, true))),
            ("2026-11-24T23:02:01Z INFO Configuration in sync", Some((-3571, false))),
            ("INFO Configuration in sync", None),
        ] {
            let age = age.map(|(for_s, is_least)| Quiet { for_s, is_least });
            assert_eq!(silent_for(&format!("{line}\n something else\n"), CLOCK), age, "{line}");
        }
        let quiet = |for_s| Quiet { for_s, is_least: true };
        assert!(!quiet(125).is_long(CYCLE) && quiet(126).is_long(CYCLE));
        assert!(!quiet(-5).is_long(CYCLE) && quiet(-6).is_long(CYCLE));
        assert!(quiet(-6).to_string().contains("6 s ahead of the server's clock"));
    }

    #[test]
    fn one_error_lasts_only_behind_the_look_that_had_to_follow_it() {
        let said = |line: &str, errors| unwell("it can't read the secret", errors, line, CLOCK, CYCLE);
        assert!(said("1795557721 a: Failed to fetch", 1).contains("due within 31 s"));
        for (line, errors) in [
            ("1795557689 a: Failed to fetch", 1),
            ("1795557721 a: Failed to fetch", 2),
            ("Failed to fetch, it says not when", 1),
            ("1795557721 systemd[1]: Stopped user-sync-agent.service", 1),
        ] {
            assert!(said(line, errors).contains("never well since"), "{line}");
        }
    }

    #[test]
    fn a_log_of_which_nothing_follows_says_why() {
        for (log, why) in [
            ("-- No entries --\n", "tells of no look"),
            ("INFO Configuration in sync\n", "carry no time"),
            ("1795557000 a: Configuration in sync\n", "750 s old"),
            ("1795559999 a: Configuration in sync\n", "s old"),
            ("2026-13-99T99:99:99Z Configuration in sync\n", "carry no time"),
            ("17955577 Configuration in sync\n", "carry no time"),
        ] {
            assert!(looks(log).unwrap_err().contains(why), "{log}: {:?}", looks(log));
        }
    }
}
