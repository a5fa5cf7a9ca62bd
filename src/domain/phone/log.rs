//! What the phone's own log says of its sync: each abort leaves a line that tells it from the others (PROTOCOL A10, "log
//! fingerprint"). Lines of a phone's log may hold whole answers, so nothing of a line is kept but what it is recognised by.

use super::abort::Recovery;
use crate::domain::diagnosis::Cause;

/// One way in which the phone's sync ends, as its log tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The rules of PROTOCOL A10 that leave this line, such as `S-A1`; the first is the likeliest.
    pub rules: &'static [&'static str],
    /// All of one of these stand in the line, in any case of letters.
    marks: &'static [&'static [&'static str]],
    /// What happens on the phone.
    pub what: &'static str,
    /// Why it cannot get past it by itself.
    pub why: &'static str,
    /// What to do.
    pub next: &'static str,
    /// What gets the phone going again; `None` where the phone does so by itself.
    pub recovery: Option<Recovery>,
}

const REPAIR: &str = "push what waits from here; the phone then needs a repaired copy of its database";
const EACH_TIME: &str =
    "the same row and the same feed are there at each try, and one failure ends the whole sync";
const OWN_QUEUE: &str = "its own queue makes no sense to it, and each try reads the same queue";

const fn repaired(
    rules: &'static [&'static str],
    marks: &'static [&'static [&'static str]],
    what: &'static str,
    why: &'static str,
) -> Fingerprint {
    Fingerprint { rules, marks, what, why, next: REPAIR, recovery: Some(Recovery::RepairedDatabase) }
}

/// The fingerprints, the more telling before those that others contain.
pub const FINGERPRINTS: &[Fingerprint] = &[
    repaired(
        &["S-A2"],
        &[&["ambiguous deleted reading session"]],
        "the server has a reading session where the phone has deleted several that were never synced",
        EACH_TIME,
    ),
    Fingerprint {
        rules: &["S-A4"],
        marks: &[&["ambiguous deleted collection"]],
        what: "the server has a collection of a name under which the phone has deleted several that were never synced",
        why: EACH_TIME,
        next: "rename that collection on the server, then let the phone sync",
        recovery: Some(Recovery::Apart),
    },
    Fingerprint {
        rules: &["S-A3"],
        marks: &[&["unique", "reading_session.chapter_number"]],
        what: "the server moved a reading session onto the place of another one that the phone has",
        why: EACH_TIME,
        next: "move or delete one of the two on the server, then let the phone sync",
        recovery: Some(Recovery::Apart),
    },
    repaired(
        &["S-A1", "S-A7"],
        &[&["unique", "reading_session.remote_id"]],
        "the server has a reading session where the phone deleted one that was never synced, or gave a new one the id of one that the phone has",
        EACH_TIME,
    ),
    Fingerprint {
        rules: &["S-A6"],
        marks: &[&["unique", "is_default"]],
        what: "the server has a second collection that calls itself Favorites",
        why: EACH_TIME,
        next: "take that mark from one of the two on the server, then let the phone sync",
        recovery: Some(Recovery::Apart),
    },
    Fingerprint {
        rules: &["S-A5"],
        marks: &[&["unique", "collection.name"]],
        what: "the server gave a collection a name that another collection has on the phone",
        why: EACH_TIME,
        next: "rename one of the two on the server, then let the phone sync",
        recovery: Some(Recovery::Apart),
    },
    repaired(
        &["S-A10"],
        &[&["unique", "bookmark.remote_id"]],
        "a link brings the id of a bookmark that another row of the phone has",
        EACH_TIME,
    ),
    repaired(
        &["S-A8"],
        &[&["no such column"]],
        "the phone's database was made by an older version of the app, which is never brought up to date",
        "a column is missing, and nothing adds it",
    ),
    Fingerprint {
        rules: &["S-A9"],
        marks: &[&["sqlite_busy"], &["database is locked"]],
        what: "the phone's database is held by another part of the app",
        why: "the app opens the same file twice",
        next: "close the app for good and open it again; if it stays, take the data folder and push from here",
        recovery: Some(Recovery::UserAction),
    },
    Fingerprint {
        rules: &["S-A9"],
        marks: &[&["sqlite_full"], &["disk is full"]],
        what: "the phone's disk is full",
        why: "nothing can be written",
        next: "make room on the phone, then let it sync",
        recovery: Some(Recovery::UserAction),
    },
    repaired(
        &["S-A9"],
        &[&["sqlite_corrupt"], &["disk image is malformed"]],
        "the phone's database is damaged",
        "no part of it can be trusted to be read",
    ),
    repaired(
        &["S-R1"],
        &[&["local creation conflicts with remote deletion"]],
        "the phone makes a bookmark (often the reading place) that was deleted elsewhere",
        EACH_TIME,
    ),
    Fingerprint {
        rules: &["S-R2"],
        marks: &[&["local deletion conflicts with remote creation"]],
        what: "the phone deletes a bookmark that the server has under another id",
        why: EACH_TIME,
        next: "push from here, which writes that bookmark anew; then let the phone sync, and look at it again",
        recovery: Some(Recovery::PushOnly),
    },
    repaired(
        &["S-R3"],
        &[&["unexpected conflict scenario"]],
        "both sides changed one bookmark in a way that the phone has no rule for",
        EACH_TIME,
    ),
    repaired(
        &["S-L1", "S-L2", "S-L3", "S-L4", "S-L5", "S-L6"],
        &[&["illogical scenario"]],
        "the phone's queue holds changes of one bookmark that contradict each other",
        OWN_QUEUE,
    ),
    repaired(
        &["S-L7"],
        &[&["deletion without remote id"]],
        "the phone deletes a collection or a note of which it never learnt the server's id",
        OWN_QUEUE,
    ),
    repaired(
        &["S-L8"],
        &[&["is required for sync"]],
        "a link without a collection, or a note or collection without text, waits in the phone's queue",
        OWN_QUEUE,
    ),
    repaired(
        &["S-L9"],
        &[&["unsupported bookmark type"]],
        "a bookmark without a place, or of a type that the phone does not know, waits in its queue",
        OWN_QUEUE,
    ),
    Fingerprint {
        rules: &["S-G1"],
        marks: &[&["missing resourceid for remote"]],
        what: "an entry of the server's feed names no resource",
        why: "the feed is the same at each try",
        next: "report it to whoever runs the server, with the request id of that line",
        recovery: Some(Recovery::ServerFix),
    },
    Fingerprint {
        rules: &["S-G2"],
        marks: &[&["unknown mutation type"]],
        what: "the server's feed holds a change of a type that the phone does not know",
        why: "the feed is the same at each try",
        next: "report it to whoever runs the server, with the request id of that line",
        recovery: Some(Recovery::ServerFix),
    },
    Fingerprint {
        rules: &["S-G3"],
        marks: &[&["not a jsonprimitive"]],
        what: "a value in the server's feed has a form that the phone cannot read",
        why: "the feed is the same at each try",
        next: "write that resource anew on the server (push from here); then let the phone sync",
        recovery: Some(Recovery::PushOnly),
    },
    Fingerprint {
        rules: &["S-G3"],
        marks: &[&["not a jsonarray"]],
        what: "the ranges of a note in the server's feed have a form that the phone cannot read",
        why: "the feed is the same at each try",
        next: "write that note anew on the server (push from here); then let the phone sync",
        recovery: Some(Recovery::PushOnly),
    },
    Fingerprint {
        rules: &["S-P1"],
        marks: &[&["must not exceed 100"]],
        what: "more than 100 changes of one phase wait, and the phone sends them in one request",
        why: "the server takes at most 100, and the phone never cuts",
        next: "push from here, which sends them in several requests; the phone then needs a repaired copy of its database",
        recovery: Some(Recovery::RepairedDatabase),
    },
    Fingerprint {
        rules: &["S-K2"],
        marks: &[&["collection bookmark ack"]],
        what: "the server took a link, and its answer says something else of it than the phone sent",
        why: "the phone does not believe the answer and sends the link again at each try",
        next: REPAIR,
        recovery: Some(Recovery::RepairedDatabase),
    },
    Fingerprint {
        rules: &["S-K1"],
        marks: &[&["mutation type mismatch"]],
        what: "the server took a change, and answered with another type than was sent",
        why: "the phone does not believe the answer and sends it again at each try",
        next: REPAIR,
        recovery: Some(Recovery::RepairedDatabase),
    },
    Fingerprint {
        rules: &["S-K1"],
        marks: &[&["remote id mismatch"]],
        what: "the server took a change, and answered with another id than was sent",
        why: "the phone does not believe the answer and sends it again at each try",
        next: REPAIR,
        recovery: Some(Recovery::RepairedDatabase),
    },
    Fingerprint {
        rules: &["S-K1"],
        marks: &[&["mismatched"]],
        what: "the server took a change, and its answer does not fit what was sent",
        why: "the phone does not believe the answer and sends it again at each try",
        next: REPAIR,
        recovery: Some(Recovery::RepairedDatabase),
    },
    Fingerprint {
        rules: &["S-K1"],
        marks: &[&["missing resourceid"]],
        what: "the server took a change, and its answer names no id",
        why: "the phone does not believe the answer and sends it again at each try",
        next: REPAIR,
        recovery: Some(Recovery::RepairedDatabase),
    },
    Fingerprint {
        rules: &["S-X2"],
        marks: &[&["failed to recover persisted session reset"]],
        what: "a sign-out was broken off half-way, and the phone does not sync until it is finished",
        why: "it tries to finish the sign-out at each start and fails",
        next: "save what waits first (push from here), then sign out and in on the phone",
        recovery: Some(Recovery::UserAction),
    },
    Fingerprint {
        rules: &["S-X3"],
        marks: &[&["no authentication headers"]],
        what: "nobody is signed in, so that each sync does nothing and counts as a success",
        why: "without a token nothing is sent",
        next: "let the user sign in; if it is the same account, what waits is sent then",
        recovery: Some(Recovery::UserAction),
    },
    Fingerprint {
        rules: &["S-X1"],
        marks: &[&["token", "refresh"]],
        what: "the sign-in has run out and cannot be renewed",
        why: "without a token nothing is sent",
        next: "let the user sign in again, into the same account",
        recovery: Some(Recovery::UserAction),
    },
    Fingerprint {
        rules: &["S-X4"],
        marks: &[&["token", "store"]],
        what: "the phone cannot store how far it has synced",
        why: "everything is taken over, and at the next try all of it comes again",
        next: "make room on the phone and restart it",
        recovery: Some(Recovery::UserAction),
    },
    Fingerprint {
        rules: &["S-P4"],
        marks: &[&["outofsyncerror"]],
        what: "another device wrote between the phone's pull and its push",
        why: "nothing: the next try pulls first. If it comes at each try, another cause of this list stands before it",
        next: "let the phone sync again; if the line comes at every try, look at the device with `unstick why DEVICE`",
        recovery: None,
    },
    Fingerprint {
        rules: &["S-P2"],
        marks: &[&["validationerror"], &["422"]],
        what: "the server refuses an entry: a note under 6 or over 10,000 characters, a collection without a name, a field that is not allowed",
        why: "one such entry refuses the whole request, and the phone sends the same at each try",
        next: "push the rest from here; the user has to correct or remove that entry in the app",
        recovery: Some(Recovery::UserAction),
    },
    Fingerprint {
        rules: &["S-G4", "S-X1"],
        marks: &[&["request failed with status", "401"]],
        what: "the server does not take the phone's token",
        why: "the phone has no special way for it and tries the same again",
        next: "let the user sign in again, into the same account",
        recovery: Some(Recovery::UserAction),
    },
    Fingerprint {
        rules: &["S-G4"],
        marks: &[&["request failed with status", "403"]],
        what: "the phone's token may not do this",
        why: "the phone has no special way for it and tries the same again",
        next: "let the user sign in again; if it stays, a scope is missing for the app",
        recovery: Some(Recovery::UserAction),
    },
    Fingerprint {
        rules: &["S-P3"],
        marks: &[&["request failed with status", "404"]],
        what: "the phone names something that this server does not know: deleted elsewhere, another account, another environment",
        why: "the phone sends the same id at each try",
        next: "look at the device with `unstick why DEVICE`: it says whether the ids are of another account",
        recovery: Some(Recovery::RepairedDatabase),
    },
    Fingerprint {
        rules: &["S-P5"],
        marks: &[&["success=false"]],
        what: "the server answered that it failed, without saying why",
        why: "the phone tries the same again",
        next: "report it to whoever runs the server, with the request id of that line",
        recovery: Some(Recovery::ServerFix),
    },
    Fingerprint {
        rules: &["S-G4"],
        marks: &[&["request failed with status"]],
        what: "the server could not answer",
        why: "nothing: the phone tries again six times in 13 seconds, and then at its next occasion",
        next: "let the phone sync again later; if it stays, report the request id of that line",
        recovery: None,
    },
    Fingerprint {
        rules: &["S-G2"],
        marks: &[&["decoding"]],
        what: "the server's answer has a form that the phone cannot read",
        why: "the answer is the same at each try",
        next: "report it to whoever runs the server, with the request id of that line",
        recovery: Some(Recovery::ServerFix),
    },
    Fingerprint {
        rules: &["S-G2"],
        marks: &[&["serializationexception"]],
        what: "the server's answer has a form that the phone cannot read",
        why: "the answer is the same at each try",
        next: "report it to whoever runs the server, with the request id of that line",
        recovery: Some(Recovery::ServerFix),
    },
];

impl Fingerprint {
    /// What is known of the rule of PROTOCOL A10 by which a cause is known.
    pub fn of_cause(cause: &Cause) -> Option<&'static Self> {
        cause.rules().find_map(|rule| Self::by_rule(rule.strip_prefix("sdk-abort:")?))
    }

    /// What is known of a rule of PROTOCOL A10, such as `S-R1`.
    pub fn by_rule(rule: &str) -> Option<&'static Self> {
        FINGERPRINTS.iter().find(|print| print.rules.contains(&rule))
    }

    /// What a line of the phone's log tells, where it tells of an abort.
    pub fn of(line: &str) -> Option<&'static Self> {
        let line = line.to_lowercase();
        let tells = |marks: &&[&str]| marks.iter().all(|mark| line.contains(mark));
        FINGERPRINTS.iter().find(|print| print.marks.iter().any(&tells))
    }
}

/// A fingerprint that was found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub print: &'static Fingerprint,
    /// The lines that say it, from 1.
    pub lines: Vec<usize>,
}

/// Every fingerprint in a log, the latest first: what the log ends with is what stops the phone now.
pub fn recognise<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (at, line) in lines.enumerate() {
        let Some(print) = Fingerprint::of(line) else { continue };
        match found.iter_mut().find(|found| found.print.what == print.what) {
            Some(known) => known.lines.push(at + 1),
            None => found.push(Found { print, lines: vec![at + 1] }),
        }
    }
    found.sort_by_key(|found| std::cmp::Reverse(found.lines.last().copied()));
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The fingerprints of PROTOCOL A10 as a phone's log holds them, and the rule that each tells of.
    const LINES: &[(&str, &str)] = &[
        ("SQLiteConstraintException: UNIQUE constraint failed: reading_session.remote_id", "S-A1"),
        ("IllegalStateException: Ambiguous deleted reading session at 2:255", "S-A2"),
        ("UNIQUE constraint failed: reading_session.chapter_number, reading_session.verse_number", "S-A3"),
        ("Ambiguous deleted collection Ramadan", "S-A4"),
        ("UNIQUE constraint failed: collection.name (code 2067 SQLITE_CONSTRAINT_UNIQUE)", "S-A5"),
        ("UNIQUE constraint failed: collection.is_default", "S-A6"),
        ("SQLiteException: no such column: sura (code 1 SQLITE_ERROR)", "S-A8"),
        ("SQLITE_BUSY: database is locked", "S-A9"),
        ("SQLITE_FULL: database or disk is full", "S-A9"),
        ("SQLITE_CORRUPT: database disk image is malformed", "S-A9"),
        ("UNIQUE constraint failed: bookmark.remote_id", "S-A10"),
        ("Local creation conflicts with remote deletion", "S-R1"),
        ("Local deletion conflicts with remote creation", "S-R2"),
        ("Unexpected conflict scenario: 1 local, 2 remote", "S-R3"),
        ("Illogical scenario detected for key 2:255", "S-L1"),
        ("NOTE deletion without remote ID", "S-L7"),
        ("Collection remote id is required for sync", "S-L8"),
        ("Unsupported bookmark type: juz", "S-L9"),
        ("Missing resourceId for remote NOTE mutation at mutation[3]", "S-G1"),
        ("Unknown mutation type: UPSERT", "S-G2"),
        ("Element class kotlinx.serialization.json.JsonObject is not a JsonPrimitive", "S-G3"),
        ("Element class kotlinx.serialization.json.JsonLiteral is not a JsonArray", "S-G3"),
        ("HTTP request failed with status 503", "S-G4"),
        ("HTTP request failed with status 401 Unauthorized", "S-G4"),
        ("422: Mutations must not exceed 100", "S-P1"),
        ("HTTP request failed with status 422 ValidationError mutation[0]", "S-P2"),
        ("HTTP request failed with status 404 NotFoundError", "S-P3"),
        ("HTTP request failed with status 409 OutOfSyncError", "S-P4"),
        ("Server returned success=false", "S-P5"),
        ("Mismatched pushed mutations: sent 3, acknowledged 2", "S-K1"),
        ("Mutation type mismatch: expected CREATED", "S-K1"),
        ("Missing resourceId at mutation[0]", "S-K1"),
        ("Collection bookmark ACK verseNumber mismatch", "S-K2"),
        ("Failed to recover persisted session reset", "S-X2"),
        ("No authentication headers available", "S-X3"),
    ];

    #[test]
    fn each_line_tells_of_its_rule() {
        for (line, rule) in LINES {
            for line in [(*line).to_owned(), line.to_uppercase(), format!("05-19 10:20 E/Sync: {line} req-7")]
            {
                let print = Fingerprint::of(&line);
                assert_eq!(print.and_then(|print| print.rules.first()), Some(rule), "{line}");
            }
        }
        let told: BTreeSet<&str> = LINES.iter().map(|(_, rule)| *rule).collect();
        let known = FINGERPRINTS.iter().filter_map(|print| print.rules.first());
        let missing: Vec<&&str> = known.filter(|rule| !told.contains(**rule)).collect();
        assert_eq!(missing, [&"S-X1", &"S-X4"], "every rule but these two has a line here");
        assert_eq!(Fingerprint::of("sync finished, 3 pushed"), None);
    }

    #[test]
    fn the_latest_comes_first_and_each_once() {
        let lines = [
            "Illogical scenario detected",
            "sync started",
            "HTTP request failed with status 503",
            "illogical scenario detected",
        ];
        let found = recognise(lines.into_iter());
        let told: Vec<_> = found.iter().map(|found| (found.print.rules[0], found.lines.clone())).collect();
        assert_eq!(told, [("S-L1", vec![1, 4]), ("S-G4", vec![3])]);
    }
}
