//! How many rows each list has at a size of the screen: the view draws by it and PgDn moves by it.

use std::ops::Range;

/// Columns and rows for which the screens are made.
pub const NEEDED: (u16, u16) = (80, 24);
/// Below this nothing is drawn but a line that says so, and no command is taken.
pub const SMALLEST: (u16, u16) = (60, 18);

/// Whether the screen is too small to show what a command would do.
pub fn is_too_small((width, height): (u16, u16)) -> bool {
    width < SMALLEST.0 || height < SMALLEST.1
}

/// Whether there is room for panels side by side.
pub fn is_wide((width, height): (u16, u16)) -> bool {
    width >= 110 && height >= 34
}

/// Rows of the fleet's detail of the selected tenant, its rule included.
pub fn fleet_detail(size: (u16, u16)) -> u16 {
    if is_wide(size) { 9 } else { 3 }
}

/// Rows above the fleet's list: header, totals and due dates where there is room, position, headings.
pub fn fleet_upper(size: (u16, u16)) -> u16 {
    if is_airy(size) { 7 } else { 3 }
}

/// Rows of the fleet's list: without what stands above it, detail, message and footer.
pub fn fleet_rows(size: (u16, u16)) -> u16 {
    size.1.saturating_sub(fleet_upper(size) + 2 + fleet_detail(size)).max(1)
}

/// Whether there is room for blank rows that set the parts of the head apart.
pub fn is_airy(size: (u16, u16)) -> bool {
    is_wide(size) && size.1 >= 40
}

/// Rows of a tenant's head: the first line, sources, window, people, key, and next; on a narrow screen the runbook as a strip.
pub fn head(size: (u16, u16)) -> u16 {
    match (is_wide(size), is_airy(size)) {
        (_, true) => 9,
        (true, false) => 6,
        (false, false) => 7,
    }
}

/// Rows of the tenant screen above the tabs: the head, and side by side steps, keys and gate.
pub fn tenant_upper(size: (u16, u16)) -> u16 {
    head(size) + if is_wide(size) { 14 } else { 0 }
}

/// Rows of a subject's page above the tabs: head, steps, and what a tall screen has to give.
pub fn case_upper(size: (u16, u16)) -> u16 {
    if is_wide(size) { 18 + size.1.saturating_sub(34).min(7) } else { 13 }
}

/// Rows of its panel below the tabs.
pub fn case_rows(size: (u16, u16)) -> u16 {
    size.1.saturating_sub(case_upper(size) + 3).max(1)
}

/// Rows of the panel below the tabs, its headings included.
pub fn panel_rows(size: (u16, u16)) -> u16 {
    size.1.saturating_sub(tenant_upper(size) + 3).max(1)
}

/// Which entries are on the screen. The list turns by pages, not by lines: over SSH a line scrolled costs 4.4 kB and a
/// page turned every thirty lines 470 bytes a press (measured), and it needs no state.
pub fn page(count: usize, cursor: usize, rows: u16) -> Range<usize> {
    let rows = usize::from(rows.max(1));
    let first = cursor.min(count.saturating_sub(1)) / rows * rows;
    first..(first + rows).min(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_never_has_more_rows_than_the_screen() {
        assert_eq!(page(200_000, 199_999, 20), 199_980..200_000);
        assert_eq!(page(1000, 19, 20), 0..20);
        assert_eq!(page(1000, 20, 20), 20..40);
        assert_eq!(page(0, 7, 20), 0..0);
        assert_eq!(page(3, 99, 0), 2..3);
    }
}
