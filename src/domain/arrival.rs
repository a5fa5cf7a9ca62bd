//! Whether something on the server may be what a POST in doubt has created: its content as servers put it into their
//! own words, and its client's times. Servers trim, compose, recase and suffix what they are given, leave members out
//! and turn numbers into text; only what is plainly something else is another's.

use indexmap::IndexMap;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::identity::FAVORITES;
use super::json::Json;
use super::lookalike;
use super::mutation::{Kind, Millis, Op};

type Members = IndexMap<String, Json>;

/// How much of a text a server may have cut off at its end, in characters that are left at least.
const LEFT_OF_CUT: usize = 16;
/// From how many letters on a text tells one thing from another, where it is not known what the member means.
const TELLING: usize = 4;

/// What something on the server is to a creation in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum May {
    /// Plainly something else: another text, another place, made at another time.
    IsNot,
    /// Nobody but a person can tell.
    MayBe,
    /// It says all that was sent, as servers put it.
    Is,
}

/// How a value that was sent and one that is there are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alike {
    /// The same, but for what servers do to a value.
    Same,
    /// One may have been made of the other.
    Like,
    /// At least one side says nothing.
    Silent,
    /// Different.
    Other,
}

/// What `seen`, which the server tells as the last `op` on it, is to a creation of `sent`. `collection` answers by which
/// id the server knows a collection that a link names; `None` where that is not known.
pub fn may_be(
    kind: &Kind,
    sent: &Members,
    (op, seen): (Op, &Members),
    collection: impl Fn(&str) -> Option<String>,
) -> May {
    let made = times(sent, seen, "clientCreatedAt");
    if made == Alike::Other {
        return May::IsNot;
    }
    let stamped = made == Alike::Same || times(sent, seen, "clientUpdatedAt") == Alike::Same;
    match (content(kind, sent, seen, collection), op) {
        (Alike::Same, Op::Create | Op::Update) => May::Is,
        (Alike::Like, Op::Create | Op::Update) if stamped => May::Is,
        (Alike::Same | Alike::Like | Alike::Silent, Op::Create | Op::Update | Op::Delete) => May::MayBe,
        // It may be this one, changed since, where what differs can be changed.
        (Alike::Other, Op::Update | Op::Delete) if is_changeable(kind) => May::MayBe,
        (Alike::Other, Op::Create) if made == Alike::Same && is_changeable(kind) => May::MayBe,
        (Alike::Other, Op::Create | Op::Update | Op::Delete) => May::IsNot,
    }
}

/// Whether what tells a resource from others can become another value. A bookmark and a link are a place.
const fn is_changeable(kind: &Kind) -> bool {
    match kind {
        Kind::Collection | Kind::Note | Kind::ReadingSession | Kind::Other(_) => true,
        Kind::Bookmark | Kind::Link => false,
    }
}

/// Client times: the same only where they are so to the millisecond, others only where they are so to the second, since
/// servers keep whole seconds.
fn times(sent: &Members, seen: &Members, name: &str) -> Alike {
    let time = |members: &Members| members.get(name).and_then(Millis::from_json);
    match (time(sent), time(seen)) {
        (Some(a), Some(b)) if a.0.abs_diff(b.0) >= 1000 => Alike::Other,
        (Some(a), Some(b)) if a == b && a.0.rem_euclid(1000) != 0 => Alike::Same,
        (Some(_), Some(_)) => Alike::Like,
        (None, _) | (_, None) => Alike::Silent,
    }
}

fn content(
    kind: &Kind,
    sent: &Members,
    seen: &Members,
    collection: impl Fn(&str) -> Option<String>,
) -> Alike {
    match kind {
        Kind::Note => {
            together(&[member(sent, seen, "body", text), ranges(sent.get("ranges"), seen.get("ranges"))])
        }
        Kind::Collection => together(&[member(sent, seen, "name", text)]),
        Kind::Bookmark => place(sent, seen),
        Kind::ReadingSession => together(&[
            number(sent.get("chapterNumber"), seen.get("chapterNumber")),
            number(sent.get("verseNumber"), seen.get("verseNumber")),
        ]),
        Kind::Link => link(sent, seen, collection),
        Kind::Other(_) => anything(sent, seen),
    }
}

/// Several members of one resource: one that differs tells, and only all of them say that it is the same. A member that
/// neither side has is left out by the caller's `None`.
fn together(members: &[Option<Alike>]) -> Alike {
    let told = || members.iter().flatten();
    if told().any(|alike| *alike == Alike::Other) {
        Alike::Other
    } else if told().all(|alike| *alike == Alike::Silent) {
        Alike::Silent
    } else if told().all(|alike| *alike == Alike::Same) {
        Alike::Same
    } else {
        Alike::Like
    }
}

fn member(sent: &Members, seen: &Members, name: &str, alike: fn(&str, &str) -> Alike) -> Option<Alike> {
    fn said(value: Option<&Json>) -> Option<String> {
        value.and_then(scalar).filter(|text| !text.trim().is_empty())
    }
    match (said(sent.get(name)), said(seen.get(name))) {
        (None, None) => None,
        (Some(sent), Some(seen)) => Some(alike(&sent, &seen)),
        (Some(_), None) | (None, Some(_)) => Some(Alike::Silent),
    }
}

/// A plain value as text, so that a number and its digits are one.
fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => {
            Some(number.as_i64().map_or_else(|| number.as_str().to_owned(), |whole| whole.to_string()))
        }
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) | Json::Opaque(_) => None,
    }
}

/// Two texts: the same but for spaces, composition, invisible characters and case; one made of the other by a suffix, a
/// prefix, markup or a cut; or different.
fn text(sent: &str, seen: &str) -> Alike {
    let (sent, seen) = (lookalike::skeleton(&plain(sent)), lookalike::skeleton(&plain(seen)));
    if sent == seen {
        return if sent.is_empty() { Alike::Silent } else { Alike::Same };
    }
    if sent.is_empty() || seen.is_empty() {
        return Alike::Silent;
    }
    let cut = sent.starts_with(&seen) && seen.chars().count() >= LEFT_OF_CUT;
    let (short, long) = if sent.len() < seen.len() { (&sent, &seen) } else { (&seen, &sent) };
    if letters(&sent) == letters(&seen) || cut || is_extended(short, long) {
        Alike::Like
    } else {
        Alike::Other
    }
}

/// Without the escapes of markup that servers put in the place of characters.
fn plain(text: &str) -> String {
    let escapes =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")];
    let mut text = text.to_owned();
    for (escape, character) in escapes {
        if text.contains(escape) {
            text = text.replace(escape, character);
        }
    }
    text
}

/// Letters and digits alone, without their marks. Of a text that has none, all of it.
fn letters(text: &str) -> String {
    let bare: String = text
        .nfkd()
        .filter(|c| c.is_alphanumeric() && !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    if bare.is_empty() { text.to_owned() } else { bare }
}

/// Whether `long` is `short` with a number or with other words before or behind it.
fn is_extended(short: &str, long: &str) -> bool {
    let behind = long.strip_prefix(short).is_some_and(|rest| {
        rest.starts_with(|c: char| !c.is_alphanumeric()) || rest.chars().all(char::is_numeric)
    });
    behind || long.strip_suffix(short).is_some_and(|rest| rest.ends_with(|c: char| !c.is_alphanumeric()))
}

/// Two numbers, also where one side has them as text; 0 is no place.
fn number(sent: Option<&Json>, seen: Option<&Json>) -> Option<Alike> {
    let said =
        |value: Option<&Json>| value.and_then(scalar).map(|text| whole(&text)).filter(|text| text != "0");
    match (said(sent), said(seen)) {
        (None, None) => None,
        (Some(sent), Some(seen)) => Some(if sent == seen { Alike::Same } else { Alike::Other }),
        (Some(_), None) | (None, Some(_)) => Some(Alike::Silent),
    }
}

/// Digits in one way of writing them: `07`, ` 7 ` and `7.0` are `7`.
fn whole(text: &str) -> String {
    let text = text.trim();
    text.parse::<i64>()
        .ok()
        .or_else(|| Json::parse(text).as_i64())
        .map_or_else(|| text.to_owned(), |n| n.to_string())
}

/// What sort of place it is: `type` and `bookmarkType` are a string or an object with a `type` (PROTOCOL D10).
fn sort(members: &Members) -> Option<String> {
    let named = members.get("type").or_else(|| members.get("bookmarkType"))?;
    let word = named.as_object().map_or(Some(named), |object| object.get("type"))?;
    word.as_str().map(str::trim).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn place(sent: &Members, seen: &Members) -> Alike {
    let sorts = match (sort(sent), sort(seen)) {
        (None, None) => None,
        (Some(sent), Some(seen)) => Some(if sent == seen { Alike::Same } else { Alike::Other }),
        (Some(_), None) | (None, Some(_)) => Some(Alike::Silent),
    };
    together(&[
        sorts,
        number(sent.get("key"), seen.get("key")),
        number(sent.get("verseNumber"), seen.get("verseNumber")),
    ])
}

fn link(sent: &Members, seen: &Members, collection: impl Fn(&str) -> Option<String>) -> Alike {
    let id =
        |members: &Members, name: &str| members.get(name).and_then(scalar).filter(|id| !id.trim().is_empty());
    let compare = |sent: Option<String>, seen: Option<String>| match (sent, seen) {
        (Some(sent), Some(seen)) if sent == seen => Alike::Same,
        // Favorites have two names.
        (Some(sent), Some(seen)) if sent != FAVORITES && seen != FAVORITES => Alike::Other,
        (Some(_) | None, _) => Alike::Silent,
    };
    let collections =
        compare(id(sent, "collectionId").and_then(|name| collection(&name)), id(seen, "collectionId"));
    let bookmark = |members: &Members| id(members, "bookmarkId").or_else(|| id(members, "bookmark_id"));
    let bookmarks = compare(bookmark(sent), bookmark(seen));
    let places = place(sent, seen);
    let all = [collections, bookmarks, places];
    if all.contains(&Alike::Other) {
        Alike::Other
    } else if collections == Alike::Same && (bookmarks == Alike::Same || places == Alike::Same) {
        Alike::Same
    } else if all.iter().all(|alike| *alike == Alike::Silent) {
        Alike::Silent
    } else {
        Alike::Like
    }
}

/// Ranges of a note as servers may write them, `1:1` for `1:1-1:1`: the same, overlapping, or of other places.
fn ranges(sent: Option<&Json>, seen: Option<&Json>) -> Option<Alike> {
    let (sent, seen) = match (listed(sent), listed(seen)) {
        (None, None) => return None,
        (Some(sent), Some(seen)) => (sent, seen),
        (Some(_), None) | (None, Some(_)) => return Some(Alike::Silent),
    };
    let read = |texts: &[String]| {
        let mut ranges = texts.iter().map(|text| range(text)).collect::<Option<Vec<_>>>()?;
        ranges.sort_unstable();
        ranges.dedup();
        Some(ranges)
    };
    let (Some(sent), Some(seen)) = (read(&sent), read(&seen)) else {
        return Some(if sent == seen { Alike::Same } else { Alike::Like });
    };
    let meet = || sent.iter().any(|a| seen.iter().any(|b| a.0 <= b.1 && b.0 <= a.1));
    Some(if sent == seen {
        Alike::Same
    } else if meet() {
        Alike::Like
    } else {
        Alike::Other
    })
}

/// The ranges; `None` where there are none.
fn listed(value: Option<&Json>) -> Option<Vec<String>> {
    let texts: Vec<String> = match value? {
        Json::Array(list) => list.iter().map(|one| scalar(one).unwrap_or_else(|| one.to_text())).collect(),
        Json::String(text) => text.split(',').map(str::to_owned).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) | Json::Opaque(_) => return None,
    };
    (!texts.is_empty()).then_some(texts)
}

type Verse = (u32, u32);

fn range(text: &str) -> Option<(Verse, Verse)> {
    let verse = |text: &str| {
        let (chapter, verse) = text.trim().split_once(':')?;
        Some((chapter.trim().parse().ok()?, verse.trim().parse().ok()?))
    };
    match text.split_once('-') {
        Some((from, to)) => Some((verse(from)?, verse(to)?)),
        None => verse(text).map(|only| (only, only)),
    }
}

/// A resource of a kind that this version does not know: nobody knows which members tell it from others. What shares a
/// telling text may be it; what shares none and differs is another.
fn anything(sent: &Members, seen: &Members) -> Alike {
    let (mut alike, mut differ, mut shared, mut all) = (false, false, false, true);
    for (name, wanted) in sent.iter().filter(|(name, _)| !is_stamp(name)) {
        let Some(holds) = seen.get(name) else {
            all &= *wanted == Json::Null;
            continue;
        };
        shared = true;
        let same = if let (Some(wanted), Some(holds)) = (scalar(wanted), scalar(holds)) {
            let found = if whole(&wanted) == whole(&holds) { Alike::Same } else { text(&wanted, &holds) };
            let tells = letters(&holds).chars().count() >= TELLING;
            alike |= tells && matches!(found, Alike::Same | Alike::Like);
            differ |= found == Alike::Other;
            found == Alike::Same
        } else {
            // What lies within is not looked into: it may have been put in other words.
            alike |= *wanted != Json::Null && *holds != Json::Null;
            wanted == holds
        };
        all &= same;
    }
    match (shared, all) {
        (false, _) => Alike::Silent,
        (true, true) => Alike::Same,
        (true, false) if alike || !differ => Alike::Like,
        (true, false) => Alike::Other,
    }
}

fn is_stamp(name: &str) -> bool {
    matches!(name, "clientCreatedAt" | "clientUpdatedAt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Members {
        let Json::Object(members) = Json::parse(text) else { panic!("an object: {text}") };
        members
    }

    fn told(kind: &str, op: Op, sent: &str, seen: &str) -> May {
        let collection = |name: &str| match name {
            "q1" => None,
            "q2" => Some(String::from("c2")),
            name => Some(name.to_owned()),
        };
        may_be(&Kind::from_wire(kind), &members(sent), (op, &members(seen)), collection)
    }

    #[test]
    fn what_a_server_puts_in_its_own_words_is_what_was_sent() {
        use May::*;
        for (kind, sent, seen, expected) in [
            // Trimmed, composed, recased, with numbers as text.
            ("COLLECTION", r#"{"name":" Duas "}"#, r#"{"name":"Duas"}"#, Is),
            ("COLLECTION", r#"{"name":"Cafe\u0301"}"#, r#"{"name":"Café"}"#, Is),
            ("COLLECTION", r#"{"name":"DUAS"}"#, r#"{"name":"duas"}"#, Is),
            (
                "NOTE",
                r#"{"body":"a text\n","ranges":["1:1-1:1"]}"#,
                r#"{"body":"a text","ranges":["1:1"]}"#,
                Is,
            ),
            ("BOOKMARK", r#"{"type":"surah","key":2}"#, r#"{"type":"surah","key":"2"}"#, Is),
            ("BOOKMARK", r#"{"type":"juz","key":2}"#, r#"{"bookmarkType":{"type":"juz"},"key":"02"}"#, Is),
            ("BOOKMARK", r#"{"type":"ayah","key":2}"#, r#"{"type":"ayah","key":2}"#, Is),
            (
                "READING_SESSION",
                r#"{"chapterNumber":2,"verseNumber":5}"#,
                r#"{"chapterNumber":"2","verseNumber":"5"}"#,
                Is,
            ),
            (
                "COLLECTION_BOOKMARK",
                r#"{"collectionId":"q2","type":"page","key":5}"#,
                r#"{"collectionId":"c2","type":"page","key":"5"}"#,
                Is,
            ),
            ("PIN", r#"{"title":" Al-Kahf ","at":3}"#, r#"{"title":"al-kahf","at":"3","serial":9}"#, Is),
            // Put in so different words that only a person can tell.
            ("COLLECTION", r#"{"name":"Duas"}"#, r#"{"name":"Duas (2)"}"#, MayBe),
            ("COLLECTION", r#"{"name":"Duas"}"#, r#"{"name":"Copy of Duas"}"#, MayBe),
            ("COLLECTION", r#"{"name":"Duas"}"#, r#"{"name":"Duas2"}"#, MayBe),
            ("COLLECTION", r#"{"name":"صَبْر"}"#, r#"{"name":"صبر"}"#, MayBe),
            ("COLLECTION", r#"{"name":"  "}"#, r#"{"name":"Untitled"}"#, MayBe),
            ("COLLECTION", r#"{"isDefault":false}"#, r#"{"name":"Untitled"}"#, MayBe),
            ("NOTE", r#"{"body":"a < b","ranges":["1:1-1:2"]}"#, r#"{"body":"a &lt; b"}"#, MayBe),
            ("NOTE", r#"{"body":"a long text that is cut"}"#, r#"{"body":"a long text that"}"#, MayBe),
            ("BOOKMARK", r#"{"type":"page","key":2}"#, r#"{"key":2}"#, MayBe),
            ("BOOKMARK", r#"{"type":"ayah","key":2}"#, r#"{"type":"ayah","key":2,"verseNumber":1}"#, MayBe),
            (
                "COLLECTION_BOOKMARK",
                r#"{"collectionId":"q2","key":2,"verseNumber":5}"#,
                r#"{"collectionId":"c2","bookmarkId":"b1"}"#,
                MayBe,
            ),
            (
                "COLLECTION_BOOKMARK",
                r#"{"collectionId":"q1","key":2,"verseNumber":5}"#,
                r#"{"collectionId":"c9","key":2,"verseNumber":5}"#,
                MayBe,
            ),
            (
                "COLLECTION_BOOKMARK",
                r#"{"collectionId":"__default__","key":2}"#,
                r#"{"collectionId":"c9","key":2}"#,
                MayBe,
            ),
            ("PIN", r#"{"title":"Al-Kahf","at":3}"#, r#"{"title":"Al-Kahf","at":4}"#, MayBe),
            ("PIN", r#"{"title":"Al-Kahf"}"#, r#"{"label":"Al-Kahf"}"#, MayBe),
            ("PIN", "{}", "{}", MayBe),
            // Plainly something else.
            ("COLLECTION", r#"{"name":"Duas"}"#, r#"{"name":"Ramadan"}"#, IsNot),
            ("COLLECTION", r#"{"name":"Dua"}"#, r#"{"name":"Duas"}"#, IsNot),
            ("NOTE", r#"{"body":"one"}"#, r#"{"body":"another"}"#, IsNot),
            (
                "NOTE",
                r#"{"body":"one","ranges":["1:1-1:2"]}"#,
                r#"{"body":"one","ranges":["2:1-2:2"]}"#,
                IsNot,
            ),
            ("BOOKMARK", r#"{"type":"surah","key":2}"#, r#"{"type":"juz","key":2}"#, IsNot),
            ("BOOKMARK", r#"{"type":"surah","key":2}"#, r#"{"key":"3"}"#, IsNot),
            (
                "READING_SESSION",
                r#"{"chapterNumber":2,"verseNumber":5}"#,
                r#"{"chapterNumber":2,"verseNumber":6}"#,
                IsNot,
            ),
            (
                "COLLECTION_BOOKMARK",
                r#"{"collectionId":"q2","key":2}"#,
                r#"{"collectionId":"c3","key":2}"#,
                IsNot,
            ),
            ("PIN", r#"{"title":"Al-Kahf","at":3}"#, r#"{"title":"Ya-Sin","at":3}"#, IsNot),
        ] {
            assert_eq!(told(kind, Op::Create, sent, seen), expected, "{kind} {sent} as {seen}");
        }
    }

    #[test]
    fn what_was_changed_or_deleted_since_may_be_it_where_that_can_change() {
        use May::*;
        for (kind, op, sent, seen, expected) in [
            ("NOTE", Op::Update, r#"{"body":"one"}"#, r#"{"body":"another"}"#, MayBe),
            ("NOTE", Op::Delete, r#"{"body":"one"}"#, "{}", MayBe),
            ("COLLECTION", Op::Update, r#"{"name":"Duas"}"#, r#"{"name":"Ramadan"}"#, MayBe),
            ("BOOKMARK", Op::Delete, r#"{"type":"surah","key":2}"#, r#"{"key":0,"verseNumber":0}"#, MayBe),
            ("BOOKMARK", Op::Update, r#"{"type":"surah","key":2}"#, r#"{"type":"surah","key":3}"#, IsNot),
            ("COLLECTION", Op::Delete, r#"{"name":"Duas"}"#, r#"{"name":"Duas"}"#, MayBe),
        ] {
            assert_eq!(told(kind, op, sent, seen), expected, "{kind} {sent} as {seen}");
        }
    }

    #[test]
    fn the_times_of_its_client_tell() {
        use May::*;
        let at = |time: &str, body: &str| {
            format!(r#"{{"body":"{body}","clientCreatedAt":"2026-02-02T10:00:{time}Z"}}"#)
        };
        for (made, body, expected) in [
            ("00.250", "as written", Is),
            ("00.250", "as written (2)", Is),
            ("00.250", "another", MayBe),
            ("00", "as written", Is),
            ("00", "another", IsNot),
            ("02", "as written", IsNot),
        ] {
            let told = told("NOTE", Op::Create, &at("00.250", "as written"), &at(made, body));
            assert_eq!(told, expected, "{made} {body}");
        }
        let changed =
            |name: &str| format!(r#"{{"name":"{name}","clientUpdatedAt":"2026-02-02T10:00:00.250Z"}}"#);
        assert_eq!(told("COLLECTION", Op::Create, &changed("Duas"), &changed("Duas (2)")), Is);
        assert_eq!(told("COLLECTION", Op::Create, &changed("Duas"), &changed("Ramadan")), IsNot);
    }
}
