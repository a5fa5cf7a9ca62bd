//! The small grammar of everything that is said: counts with their nouns, sentences with their ends.

/// A number and its noun: `1 mutation`, `2 mutations`, `0 POSTs`, `3 entries`. Whoever tells a count tells it so.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {}", plural(noun)) }
}

/// `1 note was`, `2 notes were`.
pub fn count_were(number: usize, noun: &str) -> String {
    format!("{} {}", count(number, noun), if number == 1 { "was" } else { "were" })
}

fn plural(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        Some(_) | None => format!("{noun}s"),
    }
}

/// A number with its thousands apart: `12,345`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// With a capital letter and a full stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String =
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_agree_with_their_nouns() {
        for (number, noun, said) in [
            (0, "mutation", "0 mutations"),
            (1, "mutation", "1 mutation"),
            (2, "POST", "2 POSTs"),
            (1, "entry", "1 entry"),
            (2, "entry", "2 entries"),
            (3, "key", "3 keys"),
            (1_234_567, "note", "1234567 notes"),
        ] {
            assert_eq!(count(number, noun), said);
        }
        assert_eq!([1, 2].map(|n| count_were(n, "note")), ["1 note was", "2 notes were"]);
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(sentence("it ends"), "It ends.");
    }
}
