//! Input for the benches: a device file and a recorded pull of any size, the same ones every time.
//!
//! Of the queued mutations 20% speak of a resource that the server changed too, and 5% say something else of it
//! than the server does. Bodies are Arabic, as they mostly are on real devices.

use std::fmt::Write as _;

/// A cursor that every server mutation lies behind.
const CURSOR: u64 = 1_769_900_000_000;
/// The first moment of the pull, ms.
const SERVER_TIME: u64 = 1_770_050_000_000;
/// The first moment of the queue, ms.
const DEVICE_TIME: u64 = 1_769_990_400_000;
/// Mutations on a page of the pull, the most that a server gives (PROTOCOL A2).
const PAGE: usize = 1000;

const WORDS: [&str; 16] = [
    "الصبر",
    "عند",
    "الصدمة",
    "الأولى",
    "وبشّر",
    "الصابرين",
    "تدبّر",
    "القرآن",
    "آيةُ",
    "الكرسيّ",
    "راجع",
    "التفسير",
    "معنى",
    "الحيّ",
    "القيّوم",
    "🤲",
];

/// A device file with `count` queued mutations, about 300 bytes each.
pub fn device_file(count: usize) -> String {
    let mut text = format!(
        r#"{{"device":{{"id":"bench","label":"Bench"}},"sync":{{"lastMutationAt":{CURSOR},"pendingMutationCount":{count}}},"queue":["#
    );
    for index in 0..count {
        if index > 0 {
            text.push(',');
        }
        let resource = Resource::of_device(index);
        let at = DEVICE_TIME + index as u64;
        let _ = write!(
            text,
            r#"{{"id":"q{index}",{},"createdAt":{at},"retryCount":{}}}"#,
            resource.members(index),
            index % 4
        );
    }
    text.push_str("]}");
    text
}

/// A recorded pull of `count` mutations in pages of 1,000, about 300 bytes each.
pub fn recorded_pull(count: usize) -> String {
    let head = SERVER_TIME + count as u64;
    let pages = count.div_ceil(PAGE).max(1);
    let mut text = String::from("[");
    for page in 0..pages {
        if page > 0 {
            text.push(',');
        }
        let _ = write!(text, r#"{{"success":true,"data":{{"lastMutationAt":{head},"mutations":["#);
        for index in (page * PAGE)..count.min((page + 1) * PAGE) {
            if index % PAGE > 0 {
                text.push(',');
            }
            let resource = Resource::of_server(index);
            let _ =
                write!(text, r#"{{{},"timestamp":{}}}"#, resource.members(index), SERVER_TIME + index as u64);
        }
        let (number, more) = (page + 1, page + 1 < pages);
        let _ = write!(text, r#"],"page":{number},"limit":{PAGE},"total":{count},"hasMore":{more}}}}}"#);
    }
    text.push(']');
    text
}

/// What one mutation speaks of, and which words it says.
struct Resource {
    /// The same number on both sides is the same resource.
    number: usize,
    /// The same seed on both sides is the same value.
    seed: usize,
}

impl Resource {
    fn of_device(index: usize) -> Self {
        Self { number: if paired(index) { index } else { index + 10_000_000 }, seed: index }
    }

    fn of_server(index: usize) -> Self {
        let seed = if index.is_multiple_of(20) { index + 7 } else { index };
        Self { number: if paired(index) { index } else { index + 20_000_000 }, seed }
    }

    /// The members that the queue and the feed have in common. The kind depends on `index`, so that a pair has one.
    fn members(&self, index: usize) -> String {
        let Self { number, seed } = self;
        let (sura, verse) = (number % 114 + 1, number / 114 + 1);
        let updated =
            format!("2026-02-02T{:02}:{:02}:{:02}.000Z", seed / 3600 % 24, seed / 60 % 60, seed % 60);
        match index / 5 % 10 {
            0 => format!(
                r#""type":"CREATE","resource":"BOOKMARK","resourceId":"bookmark-{number}","data":{{"type":"ayah","key":{sura},"verseNumber":{verse},"isReading":false,"mushaf":{},"clientUpdatedAt":"{updated}"}}"#,
                if seed.is_multiple_of(2) { 1 } else { 4 }
            ),
            1 => format!(
                r#""type":"UPDATE","resource":"COLLECTION","resourceId":"collection-{number}","data":{{"name":"{} {number}","isDefault":false,"clientUpdatedAt":"{updated}"}}"#,
                words(*seed, 3)
            ),
            2 => format!(
                r#""type":"UPDATE","resource":"READING_SESSION","resourceId":"session-{number}","data":{{"chapterNumber":{},"verseNumber":{verse},"clientUpdatedAt":"{updated}"}}"#,
                seed % 114 + 1
            ),
            _ => format!(
                r#""type":"UPDATE","resource":"NOTE","resourceId":"note-{number}","data":{{"body":"{}","ranges":["{sura}:{verse}-{sura}:{verse}"],"clientUpdatedAt":"{updated}"}}"#,
                words(*seed, 12)
            ),
        }
    }
}

fn paired(index: usize) -> bool {
    index.is_multiple_of(5)
}

/// `count` words that only `seed` decides, by the multiplier of a 64-bit congruential generator.
fn words(seed: usize, count: usize) -> String {
    let mut state =
        (seed as u64).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let mut text = String::new();
    for at in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if at > 0 {
            text.push(' ');
        }
        text.push_str(WORDS[(state >> 60) as usize]);
    }
    text
}
