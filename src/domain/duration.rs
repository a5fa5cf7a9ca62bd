//! Stretches of time as people say them.

/// A stretch of time in its two largest units: `250 ms`, `2 min 30 s`, `13 h 33 min`.
pub fn duration(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")];
    let Some(at) = UNITS.iter().position(|(unit, _)| ms >= *unit) else { return format!("{ms} ms") };
    let (unit, name) = UNITS[at];
    let rest = UNITS.get(at + 1).map(|(smaller, name)| (ms % unit / smaller, name));
    match rest {
        Some((count @ 1.., smaller)) => format!("{} {name} {count} {smaller}", ms / unit),
        Some((0, _)) | None => format!("{} {name}", ms / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_two_units() {
        for (ms, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1 s"),
            (150_000, "2 min 30 s"),
            (48_800_000, "13 h 33 min"),
            (86_400_000, "1 d"),
            (u64::MAX, "213503982334 d 14 h"),
        ] {
            assert_eq!(duration(ms), expected);
        }
    }
}
