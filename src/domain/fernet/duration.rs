//! Lengths of time as they stand in a sentence: `49 h 10 min`, `3 d 2 h`, `15 s`. What they mean is left to who says them.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A length in whole seconds in at most two units, rounded up: whoever waits so long has waited long enough. Hours go on to
/// four days, as operators count a token's life (`49 h`, not `2 d 1 h`).
pub fn text(seconds: u64) -> String {
    let two = |large: u64, large_name: &str, small: u64, small_name: &str| {
        let smalls = seconds.div_ceil(small);
        let per = large / small;
        match (smalls / per, smalls % per) {
            (whole, 0) => format!("{whole} {large_name}"),
            (0, rest) => format!("{rest} {small_name}"),
            (whole, rest) => format!("{whole} {large_name} {rest} {small_name}"),
        }
    };
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => two(MINUTE, "min", 1, "s"),
        // 59 min 59 s above an hour would give 60 min without this bound being on hours.
        _ if seconds < 4 * DAY => two(HOUR, "h", MINUTE, "min"),
        _ => two(DAY, "d", HOUR, "h"),
    }
}

/// The same in one unit, rounded up, for `wait 41 h`.
pub fn rough(seconds: u64) -> String {
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..=HOUR => format!("{} min", seconds.div_ceil(MINUTE)),
        _ if seconds < 4 * DAY => format!("{} h", seconds.div_ceil(HOUR)),
        _ => format!("{} d", seconds.div_ceil(DAY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_up_and_take_two_units_at_most() {
        let told = [0, 59, 60, 75, 3600, 3601, 7199, 177_000, 4 * DAY, 4 * DAY + 1].map(text);
        let wanted = ["0 s", "59 s", "1 min", "1 min 15 s", "1 h", "1 h 1 min", "2 h", "49 h 10 min", "4 d", "4 d 1 h"];
        assert_eq!(told, wanted);
        let told = [59, 61, 3600, 3601, 146_000, 4 * DAY + 1].map(rough);
        assert_eq!(told, ["59 s", "2 min", "60 min", "2 h", "41 h", "5 d"]);
    }
}
