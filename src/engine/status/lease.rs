//! What is to be said of whoever holds the tenant, and of clocks that disagree. Clocks decide nothing between processes, but
//! people read the moments that they leave.

use crate::domain::freshness::SKEW_TOLERATED as TOLERATED;
use crate::engine::record::Entry;
use crate::engine::status::TenantStatus;

/// The lines for the list of what needs attention.
pub(super) fn attention(status: &TenantStatus, journal: &[Entry]) -> Vec<String> {
    let mut items = Vec::new();
    if let (Some(holder), Some(since)) = (&status.holder, status.holder_quiet_since) {
        let since = since.strftime("%H:%M:%S UTC");
        items.push(format!("{} on {} holds it, and gives no sign of life since {since}", holder.name, holder.host));
    }
    if let Some(skew) = status.clock_skew_s.filter(|skew| skew.abs() > TOLERATED) {
        let side = if skew > 0 { "ahead of" } else { "behind" };
        items.push(format!("this host's clock is {} s {side} the journal's server", skew.abs()));
    }
    items.extend(went_back(journal));
    items
}

/// The furthest step back in time from one record to the next: two hosts' clocks differ by that much at least.
fn went_back(journal: &[Entry]) -> Option<String> {
    let steps = journal.windows(2).map(|pair| (pair[0].at.as_second() - pair[1].at.as_second(), &pair[0], &pair[1]));
    let (back, before, after) = steps.max_by_key(|(back, ..)| *back).filter(|(back, ..)| *back > TOLERATED)?;
    Some(if before.host == after.host {
        format!("the clock of {} was set back by {back} s at least, at record {}", after.host, after.seq)
    } else {
        format!("the clocks of {} and {} differ by {back} s at least (record {})", before.host, after.host, after.seq)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::record::{RECORD_VERSION, Record};
    use jiff::Timestamp;

    fn entry(seq: u64, host: &str, second: i64) -> Entry {
        let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
        let (by, record) = ("ada".to_owned(), Record::Noted { text: "x".into() });
        Entry {
            seq,
            version: RECORD_VERSION,
            at,
            by,
            host: host.into(),
            person: None,
            ssh: None,
            session: None,
            unproven: false,
            environment: None,
            record,
        }
    }

    #[test]
    fn moments_that_go_back_from_record_to_record_are_told_with_the_hosts() {
        let journal = [entry(1, "one", 86_400), entry(2, "two", 10), entry(3, "two", 20)];
        let text = went_back(&journal).unwrap();
        assert_eq!(text, "the clocks of one and two differ by 86390 s at least (record 2)");
        assert_eq!(went_back(&[entry(1, "one", 10), entry(2, "two", 6)]), None, "so much is tolerated");
        assert_eq!(went_back(&[]), None);
        assert!(went_back(&[entry(1, "one", 60), entry(2, "one", 0)]).unwrap().contains("set back by 60 s"));
    }
}
