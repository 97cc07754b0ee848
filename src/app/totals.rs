//! What the whole fleet comes to, kept as each row changes: no frame goes through all rows.

use crate::app::fleet::FleetRow;
use crate::engine::status::Phase;
use std::collections::BTreeMap;

/// Seconds of a week.
const WEEK: i64 = 7 * 86_400;

/// Counts of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Where clients are cut off, a key is missing, or a journal has lost its end.
    pub alarms: u32,
    /// Where something is being changed.
    pub at_work: u32,
    /// Where a source does not answer.
    pub silent: u32,
    /// Held by somebody else.
    pub held: u32,
    /// What needs attention and is none of these.
    pub attention: u32,
    /// Not looked at yet.
    pub unknown: u32,
    /// Due in each week since 1970.
    weeks: BTreeMap<i64, u32>,
}

impl Totals {
    /// Of these rows.
    pub fn of(rows: &[FleetRow]) -> Self {
        let mut totals = Self::default();
        rows.iter().for_each(|row| totals.add(row));
        totals
    }

    /// Another row counts.
    pub fn add(&mut self, row: &FleetRow) {
        self.count(row, |count| *count += 1);
    }

    /// A row that had counted counts no more.
    pub fn take(&mut self, row: &FleetRow) {
        self.count(row, |count| *count = count.saturating_sub(1));
        self.weeks.retain(|_, count| *count > 0);
    }

    fn count(&mut self, row: &FleetRow, change: impl Fn(&mut u32)) {
        if !row.known {
            change(&mut self.unknown);
            return;
        }
        let at_work = matches!(row.phase, Phase::Rotating | Phase::Returning | Phase::RollingBack);
        match row.rank {
            0 => change(&mut self.alarms),
            _ if row.attention > 0 && !at_work && !row.silent => change(&mut self.attention),
            _ => {}
        }
        for (holds, count) in [(at_work, &mut self.at_work), (row.silent, &mut self.silent), (row.held, &mut self.held)]
        {
            if holds {
                change(count);
            }
        }
        // What is due at any moment has no week.
        if ![0, i64::MAX].contains(&row.due) {
            change(self.weeks.entry(row.due.div_euclid(WEEK)).or_default());
        }
    }

    /// How many are due in each week, from `back` weeks before this moment (s since 1970) on; what is due before counts in the first.
    pub fn due(&self, now: i64, back: i64, weeks: i64) -> Vec<u32> {
        let first = now.div_euclid(WEEK) - back;
        let before: u32 = self.weeks.range(..first).map(|(_, count)| count).sum();
        let mut due: Vec<u32> =
            (first..first + weeks).map(|week| self.weeks.get(&week).copied().unwrap_or(0)).collect();
        if let Some(first) = due.first_mut() {
            *first += before;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tenant::TenantId;
    use crate::engine::status::Reconcile;

    fn row(name: &str, due: i64, rank: u8, silent: bool) -> FleetRow {
        FleetRow {
            id: TenantId::new(name).unwrap(),
            name: name.into(),
            search: name.into(),
            known: true,
            phase: Phase::Idle,
            answers: (0, 0),
            active: (0, 0),
            reconcile: Reconcile::InSync,
            due,
            attention: u32::from(rank < 6),
            rank,
            silent,
            held: false,
        }
    }

    #[test]
    fn a_row_that_changes_leaves_no_trace_of_what_it_was() {
        let rows = [row("a", WEEK, 0, false), row("b", 10 * WEEK, 3, false), row("c", 12 * WEEK, 2, true)];
        let mut totals = Totals::of(&rows);
        assert_eq!((totals.alarms, totals.attention, totals.silent), (1, 1, 1));
        // Ten weeks after the first was due: it counts in the first cell.
        assert_eq!(totals.due(10 * WEEK, 2, 5), [1, 0, 1, 0, 1]);
        for row in &rows {
            totals.take(row);
        }
        assert_eq!(totals, Totals::default());
    }
}
