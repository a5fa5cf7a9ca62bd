//! Device and window without what people wrote. Every text and number that is somebody's is replaced by random
//! letters and digits of the same length, the same value always by the same, so that the same rules give the same
//! verdicts. Nothing is kept from which the values could be found again.
//!
//! What the rules read stays: ids of resources and queue entries, kinds, operations, times, flags. Whitespace alone stays
//! too. Of places (chapters, verses, pages, ranges) the rules read which are the same, which comes first and whether the
//! server would take them: others stand for them, in the same order. A place that no server takes stays.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;

use indexmap::IndexMap;

use crate::domain::device::{Device, Known};
use crate::domain::json::{Json, Number, Text};
use crate::domain::mutation::{Millis, Payload, Queued, ServerMutation};
use crate::domain::phone::Feed;
use crate::domain::window::Window;

/// What of an old answer says why a device is stuck; all else of it may quote a note.
const TELLING: [&str; 8] =
    ["401", "403", "409", "422", "OutOfSync", "ValidationError", "nauthorized", "orbidden"];

/// How often a stand-in is drawn from the letters before the alphabet grows.
const DRAWS: u32 = 64;
/// Numbers of places that mean the same to the rules: parts of the book, chapters, verses of a chapter, pages. A number
/// gets one of its own row in its place, so that whatever took the one takes the other.
const PLACES: [RangeInclusive<u64>; 4] = [1..=30, 31..=114, 115..=286, 287..=604];

/// Stands for people's values. `random` gives 64 random bits at a time.
pub struct StandIns<R> {
    random: R,
    texts: HashMap<String, String>,
    numbers: HashMap<String, String>,
    /// The numbers of places that are there, and what stands for each.
    places: BTreeMap<u64, u64>,
    taken: HashSet<String>,
}

impl<R: FnMut() -> u64> StandIns<R> {
    /// No value was met yet.
    pub fn new(random: R) -> Self {
        Self {
            random,
            texts: HashMap::new(),
            numbers: HashMap::new(),
            places: BTreeMap::new(),
            taken: HashSet::new(),
        }
    }

    /// Learns which places there are on both sides, and draws others for them. Comes before all else.
    pub fn learn(&mut self, device: &Device, window: &Window) {
        let queue = device.queue.iter().flat_map(|entry| [&entry.data, &entry.base]);
        let known = device.known.iter().flatten().map(|row| &row.data);
        let server = window.mutations.iter().map(|mutation| &mutation.data);
        let mut there = BTreeSet::new();
        for data in queue.chain(known).chain(server).filter(|data| !data.is_unreadable()) {
            for (name, value) in data.members() {
                collect(&name, &value, &mut there);
            }
        }
        for row in PLACES {
            let used: Vec<u64> = there.range(row.clone()).copied().collect();
            let mut drawn = BTreeSet::new();
            let (first, count) = (*row.start(), row.end() - row.start() + 1);
            while drawn.len() < used.len() {
                drawn.insert(first + (self.random)() % count);
            }
            self.places.extend(used.into_iter().zip(drawn));
        }
    }

    /// What stands for the number of a place.
    fn place(&self, number: u64) -> u64 {
        self.places.get(&number).copied().unwrap_or(number)
    }

    /// What stands for a place that is written with digits, such as `2:255-2:256`.
    fn place_text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for part in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
            let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
            match digits.parse::<u64>() {
                // What is written in a way of its own (`007`) keeps its zeros.
                Ok(number) => {
                    let zeros = digits.len() - digits.trim_start_matches('0').len();
                    out.push_str(&"0".repeat(if number == 0 { 0 } else { zeros }));
                    out.push_str(&if number == 0 {
                        digits.to_owned()
                    } else {
                        self.place(number).to_string()
                    });
                }
                Err(_) => out.push_str(digits),
            }
            out.push_str(&part[digits.len()..]);
        }
        out
    }

    /// The device with stand-ins.
    pub fn device(&mut self, device: &Device) -> Device {
        let mut device = device.clone();
        device.identity.id = device.identity.id.map(|id| self.text(&id));
        device.identity.label = device.identity.label.map(|label| self.text(&label));
        device.identity.user = device.identity.user.map(|user| self.text(&user));
        for entry in &mut device.queue {
            self.queued(entry);
        }
        for row in device.known.iter_mut().flatten() {
            let Known { data, .. } = row;
            *data = self.payload(data);
        }
        for row in &mut device.tombstones {
            row.data = self.payload(&row.data);
        }
        device
    }

    fn queued(&mut self, entry: &mut Queued) {
        entry.data = self.payload(&entry.data);
        entry.base = self.payload(&entry.base);
        entry.last_error = entry.last_error.as_deref().map(told);
    }

    /// The window with stand-ins. What its warnings say of the answers holds no values.
    pub fn window(&mut self, window: &Window) -> Window {
        let mut window = window.clone();
        for ServerMutation { data, .. } in &mut window.mutations {
            *data = self.payload(data);
        }
        // A case holds the feed in one reading.
        window.phone = Feed::NONE;
        window
    }

    /// A payload with stand-ins; one that cannot be read is replaced by one that cannot be read.
    fn payload(&mut self, data: &Payload) -> Payload {
        if data.as_str().is_none() || data.is_unreadable() {
            return data.as_str().map_or(Payload::ABSENT, |_| unreadable());
        }
        let members: IndexMap<String, Json> = data
            .members()
            .into_iter()
            .map(|(name, value)| {
                let value = self.member(&name, &value);
                (name, value)
            })
            .collect();
        Payload::from_members(&members)
    }

    fn member(&mut self, name: &str, value: &Json) -> Json {
        if !is_read_by_the_rules(name, value) {
            return self.value(value);
        }
        match (name, value) {
            ("key" | "verseNumber" | "chapterNumber", Json::Number(number)) => match place_number(number) {
                Some((place, behind)) => Json::parse(&format!("{}{behind}", self.place(place))),
                None => value.clone(),
            },
            ("key" | "verseNumber" | "chapterNumber", Json::String(text)) => {
                Json::string(self.place_text(text))
            }
            ("ranges", Json::Array(ranges)) => Json::Array(
                ranges
                    .iter()
                    .map(|range| {
                        range
                            .as_str()
                            .map_or_else(|| range.clone(), |text| Json::string(self.place_text(text)))
                    })
                    .collect(),
            ),
            _ => value.clone(),
        }
    }

    /// The stand-in of any value; lists and objects keep their form.
    pub fn value(&mut self, value: &Json) -> Json {
        match value {
            Json::Null | Json::Bool(_) => value.clone(),
            Json::Number(number) => Json::parse(&self.number(&number.canonical())),
            Json::String(text) => Json::string(self.text(text)),
            Json::Array(items) => Json::Array(items.iter().map(|item| self.value(item)).collect()),
            Json::Object(members) => Json::Object(
                members.iter().map(|(name, value)| (name.clone(), self.member(name, value))).collect(),
            ),
            Json::Opaque(text) => Json::string(self.text(text)),
        }
    }

    /// As long in characters and in UTF-16 units as `text`.
    fn text(&mut self, text: &str) -> String {
        if text.trim().is_empty() {
            return text.to_owned();
        }
        if let Some(stand_in) = self.texts.get(text) {
            return stand_in.clone();
        }
        let mut tries = 0;
        let stand_in = loop {
            let wide = tries >= DRAWS;
            let mut drawn: String = text.chars().map(|c| self.letter(c.len_utf16() == 2, wide)).collect();
            // A file of all texts there are of one length cannot have stand-ins of that length.
            drawn.extend((0..tries / (DRAWS * 8)).map(|_| self.letter(false, true)));
            tries += 1;
            if !self.taken.contains(&drawn) {
                break drawn;
            }
        };
        self.taken.insert(stand_in.clone());
        self.texts.insert(text.to_owned(), stand_in.clone());
        stand_in
    }

    /// A letter; one of many where the few are used up, as they are by texts of one character.
    fn letter(&mut self, astral: bool, wide: bool) -> char {
        let (first, count) = match (astral, wide) {
            (true, false) => (0x1F600, 64),
            (true, true) => (0x2_0000, 40_000),
            (false, false) => (0x61, 26),
            (false, true) => (0x4E00, 20_000),
        };
        let drawn = u32::try_from((self.random)() % count).unwrap_or(0);
        char::from_u32(first + drawn).unwrap_or('x')
    }

    /// As many digits as the number has; more where those are used up.
    fn number(&mut self, canonical: &str) -> String {
        if let Some(stand_in) = self.numbers.get(canonical) {
            return stand_in.clone();
        }
        let digits =
            canonical.chars().take_while(|c| *c != 'e').filter(char::is_ascii_digit).count().clamp(1, 15);
        let mut tries = 0;
        let stand_in = loop {
            let more = usize::try_from(tries / DRAWS).unwrap_or(0);
            let drawn: String = (0..digits + more)
                .map(|at| {
                    let digit = (self.random)() % if at == 0 { 9 } else { 10 };
                    char::from_digit(u32::try_from(digit).unwrap_or(0) + u32::from(at == 0), 10)
                        .unwrap_or('1')
                })
                .collect();
            tries += 1;
            if !self.taken.contains(&drawn) {
                break drawn;
            }
        };
        self.taken.insert(stand_in.clone());
        self.numbers.insert(canonical.to_owned(), stand_in.clone());
        stand_in
    }
}

/// The numbers of places in a member, as deep as it goes.
fn collect(name: &str, value: &Json, there: &mut BTreeSet<u64>) {
    let mut take = |text: &str| {
        there.extend(
            text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<u64>().ok()),
        );
    };
    match value {
        Json::Object(members) => members.iter().for_each(|(name, value)| collect(name, value, there)),
        Json::Array(items) if name == "ranges" => items.iter().filter_map(Json::as_str).for_each(take),
        Json::Array(items) => items.iter().for_each(|item| collect("", item, there)),
        Json::Number(number) if is_place(name) => {
            there.extend(place_number(number).map(|(place, _)| place));
        }
        Json::String(text) if is_place(name) => take(text),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Opaque(_) => {}
    }
}

fn is_place(name: &str) -> bool {
    matches!(name, "key" | "verseNumber" | "chapterNumber")
}

/// The number of a place, and what is written behind it without saying more: `18.0` is `18` and `.0`. One with another
/// fraction or an exponent is none.
fn place_number(number: &Number) -> Option<(u64, &str)> {
    let text = number.as_str();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, behind) = text.split_at(digits);
    let says_no_more = behind.strip_prefix('.').is_none_or(|zeros| zeros.bytes().all(|b| b == b'0'))
        && !behind.contains(['e', 'E']);
    number.parse().ok().filter(|_| says_no_more).map(|number| (number, behind))
}

/// An object with a name that is not Unicode, which no reader can show.
fn unreadable() -> Payload {
    Payload::new(Text::new(String::from(r#"{"\ud800":0}"#)))
}

/// The telling words of an answer that the device recorded, without the rest.
fn told(error: &str) -> String {
    let words: Vec<&str> = TELLING.into_iter().filter(|word| error.contains(word)).collect();
    if words.is_empty() { String::from("(redacted)") } else { words.join(" ") }
}

/// Whether a member is one that the rules read by what it says, in the form in which they read it.
fn is_read_by_the_rules(name: &str, value: &Json) -> bool {
    match (name, value) {
        (_, Json::Null | Json::Bool(_)) => true,
        ("key" | "verseNumber" | "chapterNumber" | "mushaf" | "mushafId", Json::Number(_)) => true,
        ("key" | "verseNumber" | "chapterNumber", Json::String(text)) => text.parse::<i64>().is_ok(),
        ("collectionId" | "bookmarkId" | "bookmark_id", Json::String(_)) => true,
        ("type" | "bookmarkType", Json::String(text)) => matches!(&**text, "ayah" | "page" | "juz" | "surah"),
        ("clientCreatedAt" | "clientUpdatedAt", value) => Millis::from_json(value).is_some(),
        ("ranges", Json::Array(ranges)) => ranges.iter().all(|range| range.as_str().is_some_and(is_range)),
        _ => false,
    }
}

/// Digits, colons and hyphens alone can only be places.
fn is_range(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::device::{SyncStatus, Tombstone};
    use crate::domain::mutation::Kind;

    fn stand_ins() -> StandIns<impl FnMut() -> u64> {
        let mut state: u64 = 7;
        StandIns::new(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        })
    }

    fn redacted(data: &str) -> Json {
        let payload = Payload::new(Text::new(data.to_owned()));
        Json::parse(stand_ins().payload(&payload).as_str().expect("an object"))
    }

    #[test]
    fn no_place_where_a_device_or_a_feed_keeps_a_text_is_left_out() {
        let private = || Payload::new(Text::new(String::from(r#"{"name":"صبر جميل","body":"صبر جميل"}"#)));
        let row = |data| Known {
            id: "c1".into(),
            kind: Kind::Collection,
            data,
            status: SyncStatus::Synced,
            local_updated_at: None,
            server_timestamp: None,
        };
        let device = Device {
            known: Some(vec![row(private())]),
            tombstones: vec![Tombstone { kind: Kind::Note, data: private(), deleted_at: None }],
            ..Device::default()
        };
        let device = stand_ins().device(&device);
        let kept = device.known.iter().flatten().map(|row| &row.data);
        for data in kept.chain(device.tombstones.iter().map(|row| &row.data)) {
            assert!(data.as_str().is_some_and(|text| !text.contains("صبر")), "a private text is left");
        }
    }

    #[test]
    fn what_somebody_wrote_is_gone_and_what_the_rules_read_stays() {
        let data = r#"{"body":"صبر جميل 🤲","ranges":["2:255-2:256"],"type":"page","key":18,"mood":4711,"tags":["x",{"deep":"y"}],"clientUpdatedAt":"2026-05-19T10:16:30.000Z","collectionId":"c-1","isReading":true,"slug":"  "}"#;
        let Json::Object(members) = redacted(data) else { panic!("an object") };
        for kept in ["ranges", "type", "key", "clientUpdatedAt", "collectionId", "isReading", "slug"] {
            let Json::Object(before) = Json::parse(data) else { panic!("an object") };
            assert_eq!(members[kept], before[kept], "{kept}");
        }
        let body = members["body"].as_str().expect("text");
        assert_eq!((body.chars().count(), body.encode_utf16().count()), (10, 11));
        let text = Json::Object(members).to_text();
        assert!(!text.contains("صبر") && !text.contains("4711") && !text.contains("\"x\""), "{text}");
    }

    #[test]
    fn equal_values_stay_equal_and_different_ones_different() {
        let mut stand_ins = stand_ins();
        let mut seen = HashSet::new();
        for number in 0..300 {
            let text = char::from_u32(0x0621 + number).map(String::from).expect("a character");
            let one = stand_ins.text(&text);
            assert_eq!(one, stand_ins.text(&text));
            assert_eq!(one.chars().count(), 1);
            assert!(seen.insert(one), "two texts with one stand-in");
        }
        let numbers: HashSet<String> = (0..50).map(|n| stand_ins.number(&format!("{n}e0"))).collect();
        assert_eq!(numbers.len(), 50);
        assert_eq!(stand_ins.value(&Json::parse("1.50")), stand_ins.value(&Json::parse("15e-1")));
    }

    #[test]
    fn places_are_others_in_the_same_order() {
        let mut stand_ins = stand_ins();
        stand_ins.places = BTreeMap::from([(2, 7), (18, 21), (255, 140), (256, 201)]);
        assert_eq!(stand_ins.place_text("2:255-2:256"), "7:140-7:201");
        assert_eq!(stand_ins.place_text("02:255"), "07:140");
        assert_eq!(stand_ins.place_text("0:999"), "0:999", "what no server takes stays");
        let member =
            |stand_ins: &mut StandIns<_>, name, json| stand_ins.member(name, &Json::parse(json)).to_text();
        assert_eq!(member(&mut stand_ins, "key", "18"), "21");
        assert_eq!(member(&mut stand_ins, "key", "18.0"), "21.0");
        assert_eq!(member(&mut stand_ins, "verseNumber", r#""255""#), r#""140""#);
        assert_eq!(member(&mut stand_ins, "ranges", r#"["2:255-2:256"]"#), r#"["7:140-7:201"]"#);
        assert_eq!(member(&mut stand_ins, "mushaf", "4"), "4");
    }

    #[test]
    fn an_old_answer_keeps_what_it_says_of_the_cause() {
        let error = "409 OutOfSyncError: note 'صبر جميل' is behind";
        assert_eq!(told(error), "409 OutOfSync");
        assert_eq!(told("صبر"), "(redacted)");
    }

    #[test]
    fn what_cannot_be_read_stays_unreadable() {
        let payload = Payload::new(Text::new(String::from(r#"{"body":"a","body":"b"}"#)));
        let redacted = stand_ins().payload(&payload);
        assert!(redacted.is_unreadable());
        assert!(!redacted.as_str().expect("text").contains("body"));
    }
}
