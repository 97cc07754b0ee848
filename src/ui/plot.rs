//! The rate of answers over time, as a few characters.

use crate::engine::status::TenantStatus;
use crate::ui::glyphs::Glyphs;
use jiff::Timestamp;

/// Columns of the plot.
pub const COLUMNS: usize = 12;

/// The plot and its span, from the first mail to the last answer: it changes only when an answer comes. `None` before anybody
/// answered, and once the key is being changed.
pub fn answers(status: &TenantStatus, glyphs: &Glyphs) -> Option<(String, String)> {
    let first = status.notices.iter().filter(|notice| notice.kind.tells_window()).map(|notice| notice.at).min()?;
    let last = *status.answered_at.last()?;
    if status.back.is_some() {
        return None;
    }
    let counts = buckets(&status.answered_at, first, last);
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let levels = glyphs.levels;
    let bar = |count: &usize| levels[(count * (levels.len() - 1)).div_ceil(most).min(levels.len() - 1)];
    let span = match (last.as_second() - first.as_second()).max(0) {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    };
    Some((counts.iter().map(bar).collect(), format!(" in {span}")))
}

fn buckets(moments: &[Timestamp], first: Timestamp, last: Timestamp) -> [usize; COLUMNS] {
    let mut counts = [0; COLUMNS];
    let whole = (last.as_millisecond() - first.as_millisecond()).max(1);
    for moment in moments {
        let part = (moment.as_millisecond() - first.as_millisecond()).clamp(0, whole);
        let at = usize::try_from(part * COLUMNS as i64 / (whole + 1)).unwrap_or_default();
        counts[at.min(COLUMNS - 1)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_stands_in_the_column_of_its_moment() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let counts = buckets(&[at(100), at(101), at(160), at(220)], at(100), at(220));
        assert_eq!(counts, [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
        assert_eq!(buckets(&[at(5)], at(100), at(100))[0], 1, "an answer that came before the mail's last state");
    }
}
