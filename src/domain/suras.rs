//! The suras of the Quran: their names, as a person knows them, and how many verses they have.

/// One a line: the name, a tab, the number of verses.
const TABLE: &str = include_str!("../../assets/suras.txt");

/// The name of a sura, by its number from 1.
pub fn name(sura: i64) -> Option<&'static str> {
    let at = usize::try_from(sura).ok()?.checked_sub(1)?;
    Some(TABLE.lines().nth(at)?.split_once('\t')?.0)
}

/// The sura and the verse in it of a verse by its number in the whole Quran, from 1 to 6236.
pub fn verse(number: i64) -> Option<(i64, i64)> {
    let mut left = number;
    if left < 1 {
        return None;
    }
    for (sura, line) in (1..).zip(TABLE.lines()) {
        let verses: i64 = line.split_once('\t')?.1.parse().ok()?;
        if left <= verses {
            return Some((sura, left));
        }
        left -= verses;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sura_has_its_name_and_every_verse_its_place() {
        assert_eq!((name(1), name(114)), (Some("Al-Fatihah"), Some("An-Nas")));
        assert_eq!((name(0), name(115), name(-1)), (None, None, None));
        let known = [(1, (1, 1)), (7, (1, 7)), (8, (2, 1)), (262, (2, 255)), (6236, (114, 6))];
        for (number, place) in known {
            assert_eq!(verse(number), Some(place));
        }
        assert_eq!((verse(0), verse(6237), verse(i64::MIN), verse(i64::MAX)), (None, None, None, None));
    }
}
