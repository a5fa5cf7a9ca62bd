//! What the phone's own client would do with a feed, as `inspect` tells it: by the phone's reading, not by unstick's.

use serde_json::Value;

use super::bench::{said, unstick};

/// Ids and sentences of what ends the phone's sync, and the mutations that unstick could not read.
fn causes(queue: &str, entries: &str) -> (Vec<(String, String)>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path.to_string_lossy().into_owned()
    };
    let device = write(
        "device.json",
        format!(
            r#"{{"sync":{{"lastMutationAt":100}},"queue":[{queue}],"resources":[
                {{"id":"r0","resource":"COLLECTION","data":{{"name":"Duas"}},"syncStatus":"synced"}},
                {{"id":"r1","resource":"COLLECTION","data":{{"name":"Ramadan"}},"syncStatus":"synced"}},
                {{"id":"s0","resource":"READING_SESSION","data":{{"chapterNumber":2,"verseNumber":255}},"syncStatus":"synced"}},
                {{"id":"s1","resource":"READING_SESSION","data":{{"chapterNumber":18,"verseNumber":10}},"syncStatus":"synced"}}]}}"#
        ),
    );
    let pull = write(
        "pull.json",
        format!(r#"{{"success":true,"data":{{"lastMutationAt":200,"mutations":[{entries}]}}}}"#),
    );
    let output =
        unstick(&["inspect", &device, "--pull", &pull, "--format", "json"]).output().expect("it runs");
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let causes = report["causes"].as_array().expect("causes").iter().map(|cause| {
        let text = |name: &str| cause[name].as_str().unwrap_or_default().to_owned();
        (text("id"), text("evidence"))
    });
    (causes.filter(|(id, _)| id.starts_with("sdk-abort:")).collect(), said(&output))
}

#[test]
fn a_feed_that_only_the_phone_cannot_decode_is_told() {
    let entry = |timestamp: &str| {
        format!(r#"{{"type":"DELETE","resource":"NOTE","resourceId":"n","timestamp":{timestamp}}}"#)
    };
    for (timestamp, stops) in [("150", false), ("150.0", true), ("15e1", false), ("\"150\"", false)] {
        let (found, said) = causes("", &entry(timestamp));
        let stopped = found.iter().any(|(id, what)| id == "sdk-abort:S-G2" && what.contains("timestamp"));
        assert_eq!(stopped, stops, "{timestamp}: {said}");
    }
}

#[test]
fn a_kind_in_small_letters_is_the_phones_all_the_same() {
    let entry = r#"{"type":"CREATE","resource":"bookmark","timestamp":150}"#;
    let (found, said) = causes("", entry);
    assert!(found.iter().any(|(id, _)| id == "sdk-abort:S-G1"), "{said}");
}

#[test]
fn a_bookmark_that_cannot_be_read_is_one_reason_also_for_the_links() {
    let deletion = r#"{"id":"q1","type":"DELETE","resource":"COLLECTION_BOOKMARK","resourceId":"c-b","data":{"collectionId":"c","bookmarkId":"b","type":"ayah","key":1,"verseNumber":1}}"#;
    let entry = r#"{"type":"CREATE","resource":"BOOKMARK","resourceId":"x","data":{"type":"ayah","key":{},"verseNumber":1},"timestamp":150}"#;
    let (found, said) = causes(deletion, entry);
    let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["sdk-abort:S-G3"], "{said}");
    assert!(!found[0].1.contains("more like it"), "{said}");
}

#[test]
fn an_update_without_an_id_is_sent_and_its_answer_refused() {
    let update =
        r#"{"id":"q1","type":"UPDATE","resource":"NOTE","data":{"body":"long enough","ranges":["1:1-1:2"]}}"#;
    let (found, said) = causes(update, "");
    let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["sdk-abort:S-K1"], "{said}");
}

#[test]
fn what_the_phones_tables_cannot_hold_ends_its_sync() {
    let renamed = r#"{"type":"UPDATE","resource":"COLLECTION","resourceId":"r0","data":{"name":"Ramadan"},"timestamp":150}"#;
    let moved = r#"{"type":"UPDATE","resource":"READING_SESSION","resourceId":"s0","data":{"chapterNumber":18,"verseNumber":10},"timestamp":150}"#;
    for (entry, id, place) in [(renamed, "sdk-abort:S-A5", "r0"), (moved, "sdk-abort:S-A3", "18:10")] {
        let (found, said) = causes("", entry);
        let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, [id], "{said}");
        assert!(found[0].1.contains(place), "{said}");
        assert!(!found[0].1.contains("Ramadan"), "a name is private: {said}");
    }
}
