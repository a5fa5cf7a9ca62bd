use proptest::prelude::*;

use super::*;

const UNFOLDED: Options = Options { deadline: None, folding: None };

fn folded(lines: usize, characters: usize) -> Options {
    Options { deadline: None, folding: Some(Folding { lines, characters }) }
}

/// The rows as text: `same`, `[changed]`, a side that has nothing is `-`, newlines are `⏎`.
fn drawn(device: Option<&str>, server: Option<&str>, options: &Options) -> Vec<String> {
    let side = |line: &Option<Line>, text: Option<&str>| match line {
        None => "-".to_owned(),
        Some(line) => line.spans.iter().fold(String::new(), |out, span| {
            let text = &text.unwrap()[span.range.clone()].replace('\n', "⏎");
            match span.mark {
                Mark::Same => format!("{out}{text}"),
                Mark::Changed => format!("{out}[{text}]"),
            }
        }),
    };
    let row = |row: &Row| match row {
        Row::Same { device: range, .. } => device.unwrap()[range.clone()].replace('\n', "⏎"),
        Row::Fold { lines, words, .. } => format!("… {lines} lines, {words} words"),
        Row::Change { device: d, server: s } => format!("{} | {}", side(d, device), side(s, server)),
    };
    diff(device, server, options).rows.iter().map(row).collect()
}

fn rows(device: &str, server: &str) -> Vec<String> {
    drawn(Some(device), Some(server), &UNFOLDED)
}

#[test]
fn words_are_marked_within_a_line() {
    assert_eq!(rows("the quick fox", "the slow fox"), ["the [quick] fox | the [slow] fox"]);
    assert_eq!(rows("quick fox jumps", "slow dog jumps"), ["[quick fox] jumps | [slow dog] jumps"]);
    assert_eq!(rows("a b c", "a c"), ["a [b ]c | a c"]);
    assert_eq!(rows("the end", "the end of it"), ["the end | the end[ of it]"]);
    assert_eq!(rows("a b", "a  b"), ["a b | a [ ]b"]);
    assert_eq!(rows(" a", "a"), ["[ ]a | a"]);
}

#[test]
fn letters_are_marked_within_words_that_are_alike() {
    assert_eq!(rows("صَبْر", "صبر"), ["[صَبْ]ر | [صب]ر"]);
    assert_eq!(rows("صَبْرٌ جَمِيلٌ", "صبر وصلاة جميل"), ["[صَبْرٌ] [جَمِ]ي[لٌ] | [صبر] [وصلاة جم]ي[ل]"]);
    assert_eq!(rows("في الإسلام", "في الاسلام"), ["في ال[إ]سلام | في ال[ا]سلام"]);
    assert_eq!(rows("colour, grey", "color, gray"), ["colo[u]r, gr[e]y | color, gr[a]y"]);
    assert_eq!(rows("is", "in"), ["[is] | [in]"]);
    assert_eq!(rows("لا", "لأ"), ["[لا] | [لأ]"]);
    assert_eq!(
        rows("my👨\u{200D}👩\u{200D}👧", "my👨\u{200D}👩\u{200D}👦"),
        ["my[👨\u{200D}👩\u{200D}👧] | my[👨\u{200D}👩\u{200D}👦]"]
    );
}

#[test]
fn lines_stand_side_by_side() {
    assert_eq!(rows("a\nb\nc", "a\nx\nc"), ["a⏎", "[b]⏎ | [x]⏎", "c"]);
    assert_eq!(rows("a\nc", "a\nb1\nb2\nc"), ["a⏎", "- | [b1⏎]", "- | [b2⏎]", "c"]);
    assert_eq!(rows("a b\nc d", "a b c d"), ["a b[⏎]c d | a b[ ]c d"]);
    assert_eq!(
        rows("1 2\n3 4\n5", "one two\nthree four\nfive\nsix"),
        ["[1 2⏎] | [one two⏎]", "[3 4⏎] | [three four⏎]", "[5] | [five⏎six]",]
    );
    assert_eq!(rows("a", "a\n"), ["a | a[⏎]"]);
}

#[test]
fn line_ends_of_two_systems_differ_by_the_carriage_return_alone() {
    assert_eq!(rows("a\r\nb\r\n", "a\nb\n"), ["a[\r]⏎ | a⏎", "b[\r]⏎ | b⏎"]);
    let only_line_ends = diff(Some("a\r\nb\r\n"), Some("a\nb\n"), &UNFOLDED);
    assert_eq!((only_line_ends.changes, only_line_ends.changed_words()), (2, (0, 0)));
}

#[test]
fn absent_is_not_empty() {
    let drawn = |device, server| drawn(device, server, &UNFOLDED);
    assert_eq!(drawn(None, None), [""; 0]);
    assert_eq!(drawn(Some(""), Some("")), [""]);
    assert_eq!(drawn(Some(""), None), [" | -"]);
    assert_eq!(drawn(None, Some("a\nb")), ["- | [a⏎]", "- | [b]"]);
    assert_eq!(drawn(Some(""), Some("a\nb")), [" | [a⏎]", "- | [b]"]);
    assert_eq!(diff(Some(""), None, &UNFOLDED).changes, 1);
    assert_eq!(diff(Some(""), Some(""), &UNFOLDED).changes, 0);
}

#[test]
fn nul_is_a_letter_like_any_other() {
    assert_eq!(rows("abc\0", "abc"), ["abc[\0] | abc"]);
}

#[test]
fn changes_and_words_are_counted() {
    for (device, server, changes, words) in [
        ("the quick fox", "the slow red fox", 1, (1, 2)),
        ("صَبْر جميل", "صبر جميل", 1, (1, 1)),
        ("a b c d e", "a x c y e", 2, (2, 2)),
        ("", "three more words", 1, (0, 3)),
        ("same", "same", 0, (0, 0)),
    ] {
        let diff = diff(Some(device), Some(server), &UNFOLDED);
        assert_eq!((diff.changes, diff.changed_words()), (changes, words), "{device} / {server}");
        assert_eq!(diff.precision, Precision::Graphemes);
    }
}

#[test]
fn whole_lines_fold_between_changes() {
    let device = "first\n1\n2\n3\n4\n5\n6\nlast";
    let server = "FIRST\n1\n2\n3\n4\n5\n6\nLAST";
    assert_eq!(
        drawn(Some(device), Some(server), &folded(2, 60)),
        ["[first]⏎ | [FIRST]⏎", "1⏎", "… 3 lines, 3 words", "5⏎", "6⏎", "[last] | [LAST]",]
    );
    let mut diff = diff(Some(device), Some(server), &folded(2, 60));
    assert_eq!(diff.unfold(1, device), 0);
    assert_eq!(diff.unfold(99, device), 0);
    assert_eq!(diff.unfold(2, device), 3);
    assert!(diff.rows[2..5].iter().all(|row| matches!(row, Row::Same { .. })));
    assert_eq!(diff.rows.len(), 8);
}

#[test]
fn a_long_line_folds_within() {
    let long = "one two three four five six seven eight nine ten ".repeat(3);
    let (device, server) = (format!("{long}old {long}"), format!("{long}new {long}"));
    assert_eq!(
        drawn(Some(&device), Some(&server), &folded(3, 12)),
        ["… 0 lines, 28 words", "nine ten [old] one two  | nine ten [new] one two ", "… 0 lines, 28 words",]
    );
    let unbroken = "世".repeat(100);
    let (device, server) = (format!("{unbroken} a"), format!("{unbroken} b"));
    let last = drawn(Some(&device), Some(&server), &folded(3, 4)).pop().unwrap();
    assert_eq!(last, "世世世 [a] | 世世世 [b]");
    assert_eq!(drawn(Some(&long), Some(&long), &folded(1, 1)).len(), 1);
}

#[test]
fn what_is_too_large_is_compared_coarsely_and_says_so() {
    let words = "word ".repeat(30_000);
    let (device, server) = (format!("{words}old one {words}"), format!("{words}new two {words}"));
    let line = diff(Some(&device), Some(&server), &folded(3, 20));
    assert_eq!((line.precision, line.changes, line.changed_words()), (Precision::Lines, 1, (2, 2)));
    assert_eq!(line.rows.len(), 3);
    let (device, server) = (device.repeat(30), server.repeat(30));
    let whole = diff(Some(&device), Some(&server), &folded(3, 20));
    assert_eq!((whole.precision, whole.changes), (Precision::Whole, 1));
}

#[test]
fn a_deadline_that_has_passed_leaves_whole_lines() {
    let passed = Options { deadline: Some(Instant::now()), folding: None };
    let late = diff(Some("same\nthe quick fox"), Some("same\nthe slow fox"), &passed);
    assert_eq!((late.precision, late.changed_words()), (Precision::Lines, (1, 1)));
}

/// The ranges of one side, in order: they must be the text.
fn ranges(diff: &TextDiff, side: impl Fn(&Row) -> Vec<Range<usize>>) -> Vec<Range<usize>> {
    diff.rows.iter().flat_map(side).collect()
}

fn device_ranges(diff: &TextDiff) -> Vec<Range<usize>> {
    ranges(diff, |row| match row {
        Row::Same { device, .. } | Row::Fold { device, .. } => vec![device.clone()],
        Row::Change { device: Some(line), .. } => line.spans.iter().map(|span| span.range.clone()).collect(),
        Row::Change { device: None, .. } => vec![],
    })
}

fn mirrored(diff: TextDiff) -> TextDiff {
    let rows = diff.rows.into_iter().map(|row| match row {
        Row::Same { device, server } => Row::Same { device: server, server: device },
        Row::Fold { device, server, lines, words } => {
            Row::Fold { device: server, server: device, lines, words }
        }
        Row::Change { device, server } => Row::Change { device: server, server: device },
    });
    TextDiff { rows: rows.collect(), changed_words: (diff.changed_words.1, diff.changed_words.0), ..diff }
}

fn concatenated(ranges: &[Range<usize>], text: &str) -> Option<String> {
    ranges.iter().map(|range| text.get(range.clone())).collect()
}

/// Two texts that have much in common.
fn versions() -> impl Strategy<Value = (String, String)> {
    let words = [
        "صبر",
        "صَبْر",
        "جميل",
        "لا",
        "a",
        "b",
        "word",
        "world",
        " ",
        " ",
        "\n",
        "\r\n",
        "  ",
        "👨\u{200D}👩",
        "\0",
        "\u{301}",
    ];
    let word = || prop::sample::select(words.to_vec());
    prop::collection::vec((word(), 0..10_u8, word()), 0..40).prop_map(|steps| {
        let mut versions = (String::new(), String::new());
        for (word, chance, other) in steps {
            match chance {
                0 => versions.0.push_str(word),
                1 => versions.1.push_str(word),
                2 => {
                    versions.0.push_str(word);
                    versions.1.push_str(other);
                }
                _ => {
                    versions.0.push_str(word);
                    versions.1.push_str(word);
                }
            }
        }
        versions
    })
}

fn any_options() -> impl Strategy<Value = Options> {
    prop::option::of((0..4_usize, 0..12_usize)).prop_map(|folding| Options {
        deadline: None,
        folding: folding.map(|(lines, characters)| Folding { lines, characters }),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_rows_of_a_side_are_its_text((device, server) in versions(), options in any_options()) {
        let diff = diff(Some(&device), Some(&server), &options);
        prop_assert_eq!(concatenated(&device_ranges(&diff), &device), Some(device.clone()));
        prop_assert_eq!(concatenated(&device_ranges(&mirrored(diff)), &server), Some(server.clone()));
    }

    #[test]
    fn swapping_the_sides_mirrors_the_result((device, server) in versions(), options in any_options()) {
        let there = diff(Some(&device), Some(&server), &options);
        let back = diff(Some(&server), Some(&device), &options);
        prop_assert_eq!(there, mirrored(back));
    }

    #[test]
    fn what_is_the_same_is_the_same_and_changes_are_counted((device, server) in versions(), options in any_options()) {
        let diff = diff(Some(&device), Some(&server), &options);
        let mut marked = false;
        let mut kept = (String::new(), String::new());
        for row in &diff.rows {
            match row {
                Row::Same { device: d, server: s } | Row::Fold { device: d, server: s, .. } => {
                    prop_assert_eq!(&device[d.clone()], &server[s.clone()]);
                    kept.0.push_str(&device[d.clone()]);
                    kept.1.push_str(&server[s.clone()]);
                }
                Row::Change { device: d, server: s } => {
                    for (line, text, kept) in [(d, &device, &mut kept.0), (s, &server, &mut kept.1)] {
                        for span in line.iter().flat_map(|line| &line.spans) {
                            match span.mark {
                                Mark::Same => kept.push_str(&text[span.range.clone()]),
                                Mark::Changed => marked = true,
                            }
                        }
                    }
                }
            }
        }
        prop_assert_eq!(kept.0, kept.1);
        prop_assert_eq!(marked, device != server);
        prop_assert_eq!(diff.changes > 0, device != server);
    }

    #[test]
    fn unfolding_everything_is_not_having_folded((device, server) in versions(), options in any_options()) {
        let mut diff = diff(Some(&device), Some(&server), &options);
        while let Some(row) = diff.rows.iter().position(|row| matches!(row, Row::Fold { .. })) {
            prop_assert!(diff.unfold(row, &device) > 0);
        }
        prop_assert_eq!(concatenated(&device_ranges(&diff), &device), Some(device.clone()));
        prop_assert_eq!(concatenated(&device_ranges(&mirrored(diff)), &server), Some(server.clone()));
    }

    #[test]
    fn a_grapheme_is_changed_where_a_part_of_it_is((device, server) in versions()) {
        for row in diff(Some(&device), Some(&server), &UNFOLDED).rows {
            if let Row::Change { device: Some(line), .. } = row {
                for at in line.range.clone() {
                    let changed = line.spans.iter().any(|s| s.mark == Mark::Changed && s.range.contains(&at));
                    prop_assert_eq!(line.is_changed(&(at..at + 1)), changed);
                }
                prop_assert_eq!(line.is_changed(&line.range), line.spans.iter().any(|s| s.mark == Mark::Changed));
            }
        }
    }
}
