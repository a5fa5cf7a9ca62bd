use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> String {
    visible_line(text).into_owned()
}

#[test]
fn plain_text_is_borrowed_as_it_is() {
    for text in [
        "",
        "Ya-Sin",
        "a < b > c",
        "صَبْرٌ جَمِيلٌ ۝ ۩ لا ﷺ ﷽",
        "नमस्ते",
        "가나다",
        "世界",
        "🕌 📖 👨 ❤ é",
        "<b>x</b>",
    ] {
        assert!(matches!(visible_line(text), Cow::Borrowed(same) if same == text), "{text}");
    }
    assert!(matches!(visible("a\nb"), Cow::Borrowed("a\nb")));
}

#[test]
fn everything_hidden_has_its_stand_in() {
    for (text, expected) in [
        ("a\0b\u{1B}[31m\u{7F}", "a␀b␛[31m␡"),
        ("a\tb\r\nc", "a⇥b␍⏎c"),
        ("\u{9B}31m", "<009B>31m"),
        ("\u{202E}abc\u{202C}", "<202E>abc<202C>"),
        ("a\u{200B}b\u{FEFF}c\u{AD}d", "a<200B>b<FEFF>c<00AD>d"),
        ("a\u{A0}b\u{3000}c", "a<00A0>b<3000>c"),
        ("\u{3164}\u{FFFD}\u{E000}\u{FFF9}", "<3164><FFFD><E000><FFF9>"),
        ("\u{E0067}\u{10FFFF}", "<E0067><10FFFF>"),
        ("\u{64E}x", "<064E>x"),
        ("\u{2028}\u{93E}", "<2028><093E>"),
        ("می\u{200C}خواهم", "می¦خواهم"),
        ("pay\u{200C}pal\u{200D}", "pay<200C>pal‿"),
        ("\u{200D}a\n\u{200D}", "<200D>a⏎<200D>"),
        ("ه\u{200D} ", "ه‿ "),
        ("👨\u{200D}👩\u{200D}👧", "👨‿👩‿👧"),
        ("👩🏽\u{200D}💻", "👩<1F3FD>‿💻"),
        ("❤\u{FE0F}\u{200D}🔥", "❤⁺‿🔥"),
        ("☪\u{FE0E}a\u{FE0F}", "☪<FE0E>a<FE0F>"),
        ("1\u{FE0F}\u{20E3}", "1⁺<20E3>"),
        ("🇸🇦🇦", "<SA><A>"),
    ] {
        assert_eq!(shown(text), expected);
    }
}

#[test]
fn a_text_that_spells_a_stand_in_gets_one_itself() {
    for (text, expected) in [
        ("<202E>", "<003C>202E>"),
        ("<SA><B>", "<003C>SA><003C>B>"),
        ("␀ ⇥ ⏎ ¦ ‿ ⁺", "<2400> <21E5> <23CE> <00A6> <203F> <207A>"),
        ("<b> <3 <20> <202e> <1234567>", "<b> <3 <20> <202e> <1234567>"),
        // U+0600 takes the next character into its grapheme.
        ("\u{600}<202E>", "\u{600}<003C>202E>"),
    ] {
        assert_eq!(shown(text), expected);
    }
}

#[test]
fn a_pile_of_marks_cannot_spill() {
    let pile = format!("a{}", "\u{301}".repeat(100));
    assert_eq!(shown(&pile), format!("a{}{}", "\u{301}".repeat(7), "<0301>".repeat(93)));
    assert!(cells(&pile).all(|cell| cell.width <= 6));
}

#[test]
fn lam_alef_takes_two_columns_as_terminals_draw_it() {
    assert_eq!(width("لا"), 2);
    assert_eq!(width("لَا"), 2);
    assert_eq!(cells("لا").count(), 2);
}

#[test]
fn json_stays_the_same_document() {
    let document = "{\n  \"body\": \"a\u{9B}31m\u{202E}\u{E0067}\u{7F}صَبْر\"\n}";
    let safe = visible_json(document);
    assert_eq!(safe, "{\n  \"body\": \"a\\u009b31m\\u202e\\udb40\\udc67\\u007fصَبْر\"\n}");
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(parse(&safe), parse(document));
    assert!(matches!(visible_json("{\n\t\"a\": 1\r\n}"), Cow::Borrowed(_)));
}

#[test]
fn clip_ends_with_an_ellipsis_only_where_it_cut() {
    for (text, columns, expected) in [
        ("صبر", 3, "صبر"),
        ("صبر جميل", 4, "صبر…"),
        ("世界世界", 4, "世…"),
        ("世界世界", 5, "世界…"),
        ("ab", 1, "…"),
        ("a", 1, "a"),
        ("a", 0, ""),
        ("", 0, ""),
        ("a\u{202E}b", 6, "a…"),
        ("a\nb", 3, "a⏎b"),
    ] {
        assert_eq!(clip(text, columns), expected, "{text} in {columns}");
    }
}

#[test]
fn wrap_breaks_behind_words_and_splits_long_ones() {
    let rows =
        |text: &'static str, columns| wrap(text, columns).into_iter().map(|r| &text[r]).collect::<Vec<_>>();
    assert_eq!(rows("", 5), [""]);
    assert_eq!(rows("hello world", 5), ["hello ", "world"]);
    assert_eq!(rows("hello  world", 5), ["hello ", " ", "world"]);
    assert_eq!(rows("hi hello", 6), ["hi ", "hello"]);
    assert_eq!(rows("a abcdefgh", 4), ["a ", "abcd", "efgh"]);
    assert_eq!(rows("a\n\nb\n", 4), ["a\n", "\n", "b\n", ""]);
    assert_eq!(rows("abcd ", 4), ["abcd "]);
    assert_eq!(rows("世界世", 3), ["世", "界", "世"]);
    assert_eq!(rows("世a", 1), ["世", "a"]);
    assert_eq!(rows("ab", 0), ["a", "b"]);
    assert_eq!(rows("a\u{202E}b", 4), ["a", "\u{202E}", "b"]);
}

/// What must never come out, written down apart from the table in the code.
fn is_denied(c: char) -> bool {
    let bidi =
        "\u{061C}\u{200E}\u{200F}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}";
    let invisible = "\u{200B}\u{200C}\u{200D}\u{2060}\u{FEFF}\u{AD}\u{2028}\u{2029}\u{34F}\u{180E}\u{3164}\u{115F}\u{1160}\u{FFA0}\u{A0}\u{2800}";
    let range = |from, to| (from..=to).contains(&u32::from(c));
    (c.is_control() && c != '\n')
        || bidi.contains(c)
        || invisible.contains(c)
        || range(0xFE00, 0xFE0F)
        || range(0xE0000, 0xE0FFF)
        || range(0xFFF9, 0xFFFB)
        || range(0x1F1E6, 0x1F1FF)
        || (c.is_whitespace() && !matches!(c, ' ' | '\n'))
}

/// The text that `visible_line` was given.
fn decode(shown: &str) -> String {
    let mut out = String::new();
    let mut rest = shown;
    while let Some(c) = rest.chars().next() {
        let stand_in = rest.get(1..).filter(|after| c == '<' && spells_stand_in(after));
        if let Some(inner) = stand_in.and_then(|after| after.split_once('>')).map(|(inner, _)| inner) {
            if inner.len() < 3 {
                out.extend(inner.bytes().map(|b| char::from_u32(0x1F1E6 + u32::from(b - b'A')).unwrap()));
            } else {
                out.push(char::from_u32(u32::from_str_radix(inner, 16).unwrap()).unwrap());
            }
            rest = &rest[inner.len() + 2..];
            continue;
        }
        out.push(match c {
            '⇥' => '\t',
            '⏎' => '\n',
            '␡' => '\u{7F}',
            '¦' => '\u{200C}',
            '‿' => '\u{200D}',
            '⁺' => '\u{FE0F}',
            '\u{2400}'..='\u{241F}' => char::from_u32(u32::from(c) - 0x2400).unwrap(),
            _ => c,
        });
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Text in which everything that matters here stands next to everything else.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "Z",
        " ",
        "<",
        ">",
        "<202E>",
        "<SA>",
        "<20",
        "E>",
        "FFFD>",
        "⇥",
        "⏎",
        "␛",
        "¦",
        "‿",
        "⁺",
        "\t",
        "\n",
        "\r\n",
        "\0",
        "\u{1B}[31m",
        "\u{7F}",
        "\u{85}",
        "\u{9B}",
        "\u{A0}",
        "\u{AD}",
        "\u{200B}",
        "\u{200C}",
        "\u{200D}",
        "\u{202E}",
        "\u{2066}",
        "\u{2028}",
        "\u{FE0E}",
        "\u{FE0F}",
        "\u{E0067}",
        "\u{E007F}",
        "\u{FEFF}",
        "\u{FFF9}",
        "\u{FFFD}",
        "\u{3164}",
        "\u{1160}",
        "\u{1100}",
        "\u{1161}",
        "가",
        "ل",
        "ا",
        "لا",
        "صَبْر",
        "َ",
        "ّ",
        "ی",
        "\u{600}",
        "\u{605}",
        "\u{6DD}",
        "١",
        "👨",
        "👩",
        "🏽",
        "❤",
        "1",
        "\u{20E3}",
        "🇸",
        "🇦",
        "🕌",
        "世",
        "é",
        "e\u{301}",
        "\u{301}",
        "\u{338}",
        "क",
        "्",
        "ि",
        "\u{93E}",
        "\u{D4E}",
        "\u{111C2}",
        "ก",
        "ำ",
        "\u{17D2}",
        "\u{1780}",
        "\u{16D68}",
        "\u{16D67}",
        "\u{2D4F}",
        "\u{2D7F}",
        "א",
        "“",
        "\u{FE01}",
        "\u{E001}",
        "\u{10FFFF}",
        "\u{FDFD}",
        "\u{A8FA}",
        "\u{FF9E}",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_hidden_comes_out(text in hostile(), columns in 0_usize..20) {
        prop_assert!(!visible(&text).contains(is_denied));
        prop_assert!(!visible_line(&text).contains(|c| c == '\n' || is_denied(c)));
        prop_assert!(!clip(&text, columns).contains(|c| c == '\n' || is_denied(c)));
    }

    #[test]
    fn no_two_texts_look_the_same(text in hostile()) {
        prop_assert_eq!(decode(&visible_line(&text)), text.clone());
        prop_assert_eq!(decode(&visible(&text)), text);
    }

    #[test]
    fn cells_cover_the_text_and_take_the_columns_they_say(text in hostile()) {
        let mut at = 0;
        let mut joined = String::new();
        for cell in cells(&text) {
            prop_assert_eq!(cell.source.start, at);
            at = cell.source.end;
            prop_assert!(cell.width > 0);
            prop_assert_eq!(cell.symbol.width(), usize::from(cell.width));
            prop_assert_eq!(cell.stand_in, cell.symbol != text[cell.source.clone()]);
            joined.push_str(&cell.symbol);
        }
        prop_assert_eq!(at, text.len());
        prop_assert_eq!(&joined, &visible_line(&text));
        // Drawn as one string, grapheme by grapheme, it takes as many columns.
        prop_assert_eq!(joined.graphemes(true).map(UnicodeWidthStr::width).sum::<usize>(), width(&text));
    }

    #[test]
    fn wrap_covers_the_text_in_rows_that_fit(text in hostile(), columns in 0_usize..20) {
        let mut at = 0;
        for row in wrap(&text, columns) {
            prop_assert_eq!(row.start, at);
            at = row.end;
            let drawn = text[row.clone()].strip_suffix(['\n', ' ']).unwrap_or(&text[row.clone()]);
            prop_assert!(!drawn.contains('\n'));
            let alone = cells(drawn).next().map_or(0, |cell| cell.width);
            prop_assert!(width(drawn) <= columns.max(usize::from(alone)));
        }
        prop_assert_eq!(at, text.len());
    }

    #[test]
    fn clip_fits_and_cuts_only_what_does_not(text in hostile(), columns in 0_usize..20) {
        let clipped = clip(&text, columns);
        prop_assert!(clipped.graphemes(true).map(UnicodeWidthStr::width).sum::<usize>() <= columns);
        if width(&text) <= columns {
            prop_assert_eq!(clipped, visible_line(&text));
        } else if columns > 0 {
            prop_assert!(visible_line(&text).starts_with(clipped.strip_suffix('…').unwrap()));
        }
    }
}
