//! A queue of 240 against a window of 1,300, made by rule: 48 queued mutations meet one of the server's, 36 of those
//! agree with it and 12 diverge.

use serde_json::{Value, json};

use super::{Act, Story, Waiting};

const CLIENT: &str = "phone-i";

/// Suras that are long enough to give 1,153 places.
const VERSES: [(i64, usize); 6] = [(2, 286), (3, 200), (4, 176), (5, 120), (6, 165), (7, 206)];

/// Subjects of the invented notes, so that neighbours in a list do not look alike.
const SUBJECTS: [&str; 8] = [
    "مراجعة الورد",
    "Question for the study circle",
    "معنى كلمة",
    "Compare with the parallel story",
    "تأمل قبل النوم",
    "Tajwid: watch the stretching here",
    "خاطرة في القطار",
    "Memorised, repeat on Friday",
];

pub(super) fn fill(story: &mut Story) {
    story.agreed = vec![act(50_000, agreed())];
    story.queue = queue();
    let sent = story.queue.iter().take(ECHOES).map(|waiting| waiting.id.clone()).collect();
    story.since = vec![
        Act { sent, by: CLIENT.to_owned(), ..act(40_000, Vec::new()) },
        act(20_000, diverging()),
        act(600, of_the_server_alone()),
    ];
}

/// How many of the queue, from its beginning, the server has already.
const ECHOES: usize = 36;

fn act(minutes_ago: i64, mutations: Vec<Value>) -> Act {
    Act { by: "web".to_owned(), minutes_ago, mutations, sent: Vec::new(), acknowledged: false }
}

fn agreed() -> Vec<Value> {
    let mut all = Vec::new();
    all.extend((0..20).map(|n| make("COLLECTION", &format!("c{n}"), &collection(n))));
    all.extend((0..100).map(|n| make("NOTE", &format!("n{n}"), &note(n, "first version"))));
    all.extend((0..60).map(|n| make("BOOKMARK", &format!("b{n}"), &place(n))));
    all.extend((0..30).map(|n| make("READING_SESSION", &format!("s{n}"), &session(n))));
    all
}

fn queue() -> Vec<Waiting> {
    // Agreed by now: the server has these, the device does not know it.
    let mut all: Vec<Value> = Vec::new();
    all.extend((0..12).map(|n| new("BOOKMARK", &place(100 + n))));
    all.extend((0..12).map(|n| new("NOTE", &note(200 + n, "sent, no answer"))));
    all.extend((0..6).map(|n| new("COLLECTION", &collection(100 + n))));
    all.extend((0..6).map(|n| change("READING_SESSION", &format!("s{n}"), &session(100 + n))));
    // Diverged.
    all.extend((0..9).map(|n| change("NOTE", &format!("n{n}"), &note(n, "changed on the phone"))));
    all.extend((0..2).map(|n| change("COLLECTION", &format!("c{n}"), &collection(120 + n))));
    all.push(change("READING_SESSION", "s10", &session(120)));
    // The device alone.
    all.extend((0..70).map(|n| new("NOTE", &note(300 + n, "new on the phone"))));
    all.extend((20..60).map(|n| change("NOTE", &format!("n{n}"), &note(n, "second version"))));
    all.extend((0..30).map(|n| new("BOOKMARK", &place(120 + n))));
    all.extend((0..30).map(|n| new("COLLECTION_BOOKMARK", &link(2 + n % 10, n))));
    all.extend((0..10).map(|n| new("READING_SESSION", &session(130 + n))));
    all.extend((0..8).map(|n| remove("NOTE", &format!("n{}", 60 + n))));
    all.extend((0..4).map(|n| new("COLLECTION", &collection(130 + n))));
    let waiting = |(at, mutation): (usize, Value)| Waiting {
        id: format!("q{}", at + 1),
        minutes_ago: 42_000 - 100 * i64::try_from(at).unwrap_or_default(),
        mutation,
        base: false,
        retry_count: u32::from(at < ECHOES),
        last_error: (at < ECHOES).then(|| "timeout while waiting for the answer".to_owned()),
    };
    all.into_iter().enumerate().map(waiting).collect()
}

/// What the server did to the resources that the device changed too.
fn diverging() -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    all.extend((0..6).map(|n| change("NOTE", &format!("n{n}"), &note(n, "changed on the web"))));
    all.extend((6..9).map(|n| remove("NOTE", &format!("n{n}"))));
    all.extend((0..2).map(|n| change("COLLECTION", &format!("c{n}"), &collection(140 + n))));
    all.push(change("READING_SESSION", "s10", &session(140)));
    all
}

/// 1,252 resources that only the server speaks of.
fn of_the_server_alone() -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    all.extend((0..50).map(|n| new("COLLECTION", &collection(200 + n))));
    all.extend((0..400).map(|n| new("BOOKMARK", &place(200 + n))));
    all.extend((0..252).map(|n| new("COLLECTION_BOOKMARK", &link(2 + n % 18, 200 + n))));
    all.extend((0..500).map(|n| new("NOTE", &note(500 + n, "new on the web"))));
    all.extend((0..50).map(|n| new("READING_SESSION", &session(200 + n))));
    all
}

fn new(resource: &str, data: &Value) -> Value {
    json!({ "type": "CREATE", "resource": resource, "data": data })
}

fn make(resource: &str, id: &str, data: &Value) -> Value {
    json!({ "type": "CREATE", "resource": resource, "resourceId": id, "data": data })
}

fn change(resource: &str, id: &str, data: &Value) -> Value {
    json!({ "type": "UPDATE", "resource": resource, "resourceId": id, "data": data })
}

fn remove(resource: &str, id: &str) -> Value {
    json!({ "type": "DELETE", "resource": resource, "resourceId": id })
}

/// Sura and verse of a number below 1,153; every number has a place of its own.
fn verse(number: usize) -> (i64, usize) {
    let mut left = number;
    for (sura, verses) in VERSES {
        if left < verses {
            return (sura, left + 1);
        }
        left -= verses;
    }
    (114, left % 6 + 1)
}

fn place(number: usize) -> Value {
    let (key, verse) = verse(number);
    json!({ "type": "ayah", "key": key, "verseNumber": verse, "isReading": false, "mushaf": 1 })
}

fn link(collection: usize, number: usize) -> Value {
    let (key, verse) = verse(number);
    json!({ "collectionId": format!("c{collection}"), "type": "ayah", "key": key, "verseNumber": verse, "mushaf": 1 })
}

fn session(number: usize) -> Value {
    let (chapter, verse) = verse(number * 4);
    json!({ "chapterNumber": chapter, "verseNumber": verse })
}

fn collection(number: usize) -> Value {
    json!({ "name": format!("{} {number}", if number.is_multiple_of(2) { "مجموعة" } else { "Shelf" }) })
}

fn note(number: usize, state: &str) -> Value {
    let (sura, verse) = verse(number);
    let subject = SUBJECTS[number % SUBJECTS.len()];
    json!({ "body": format!("{subject} ({number}): {state}"), "ranges": [format!("{sura}:{verse}-{sura}:{verse}")] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_place_of_its_own() {
        let mut places: Vec<_> = (0..1153).map(verse).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 1153);
    }

    #[test]
    fn the_rule_makes_the_numbers_that_it_promises() {
        assert_eq!(queue().len(), 240);
        assert_eq!(ECHOES + diverging().len() + of_the_server_alone().len(), 1300);
    }
}
