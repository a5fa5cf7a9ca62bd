use super::*;

const DAY: i64 = 86_400_000;

fn conflict(id: &str, at: i64, device: &str, gap: Option<i64>) -> Event {
    Event {
        id: id.into(),
        at,
        what: What::Conflict,
        device: device.into(),
        server: "pre-live".into(),
        kind: Some("NOTE".into()),
        shape: Some("update/update".into()),
        causes: Some("another-device-synced concurrent-mutations".into()),
        gap_ms: gap,
        ..Event::default()
    }
}

fn resolution(of: &Event, at: i64, choice: &str) -> Event {
    Event {
        id: format!("{}-resolved", of.id),
        at,
        what: What::Resolution,
        device: of.device.clone(),
        server: of.server.clone(),
        conflict: Some(of.id.clone()),
        choice: Some(choice.into()),
        strategy: Some("hand".into()),
        ..Event::default()
    }
}

fn push(id: &str, at: i64, posts: i64, refused: i64) -> Event {
    Event {
        id: id.into(),
        at,
        what: What::Push,
        device: "a".into(),
        server: "pre-live".into(),
        posts: Some(posts),
        refused: Some(refused),
        ..Event::default()
    }
}

const ALL: Filter = Filter { since: None, device: None, demos: false };

fn log() -> (tempfile::TempDir, Local) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Local::open(&folder.path().join("data").join("log.sqlite3")).expect("a log");
    (folder, log)
}

#[test]
fn a_log_counts_what_was_added_to_it() {
    let (_folder, mut log) = log();
    let one = conflict("1", DAY, "a", Some(60_000));
    let two = conflict("2", DAY + 1, "b", Some(10 * 60_000));
    let three = conflict("3", 3 * DAY, "a", None);
    let all = [
        one.clone(),
        two.clone(),
        three.clone(),
        push("p", 3 * DAY, 4, 1),
        resolution(&one, DAY + 5_000, "device"),
        resolution(&two, DAY + 9_001, "server"),
        resolution(&three, 3 * DAY + 7_000, "server"),
    ];
    assert_eq!(log.append(&all).expect("written"), 7);
    let summary = log.summary(&ALL, 80).expect("read");
    assert_eq!((summary.conflicts, summary.resolved, summary.gaps), (3, 3, 2));
    assert_eq!(summary.median_ms, Some(7_000));
    assert_eq!((summary.pushes, summary.posts, summary.refused), (1, 4, 1));
    assert_eq!(summary.days, [(1, 2), (3, 1)]);
    let count = |value: &str, count| super::super::summary::Count { value: value.into(), count };
    assert_eq!(summary.devices, [count("a", 2), count("b", 1)]);
    assert_eq!(summary.choices, [count("server", 2), count("device", 1)]);
    assert_eq!(summary.causes.len(), 2);
    assert_eq!(summary.advice, Some(Advice { percent: 80, every_ms: 60_000 }));

    let later = Filter { since: Some(3), ..ALL };
    let later = log.summary(&later, 80).expect("read");
    assert_eq!((later.conflicts, later.resolved, later.median_ms, later.advice), (1, 1, Some(7_000), None));
    let of_b = Filter { device: Some("b".into()), ..ALL };
    let of_b = log.summary(&of_b, 50).expect("read");
    assert_eq!((of_b.conflicts, of_b.median_ms, of_b.pushes), (1, Some(9_000), 0));
    assert_eq!(of_b.advice, Some(Advice { percent: 50, every_ms: 600_000 }));
}

#[test]
fn a_row_that_is_there_changes_nothing() {
    let (_folder, mut log) = log();
    let one = conflict("1", DAY, "a", Some(1));
    assert_eq!(log.append(std::slice::from_ref(&one)).expect("written"), 1);
    let before = log.summary(&ALL, 80).expect("read");
    let again = Event { at: 2 * DAY, ..one };
    assert_eq!(log.append(&[again.clone(), again]).expect("nothing to do"), 0);
    assert_eq!(log.summary(&ALL, 80).expect("read"), before);
}

#[test]
fn demos_are_kept_apart() {
    let (_folder, mut log) = log();
    let demo = Event { server: DEMO.into(), ..conflict("d", DAY, "a", Some(5)) };
    log.append(&[conflict("1", DAY, "a", Some(9)), demo.clone()]).expect("written");
    let summary = log.summary(&ALL, 100).expect("read");
    assert_eq!((summary.conflicts, summary.advice), (1, Some(Advice { percent: 100, every_ms: 9 })));
    let demos = Filter { demos: true, ..ALL };
    let summary = log.summary(&demos, 100).expect("read");
    assert_eq!((summary.conflicts, summary.advice), (1, Some(Advice { percent: 100, every_ms: 5 })));
    let mut rows = Vec::new();
    let none: Result<(), std::convert::Infallible> = log
        .each(&demos, |event| {
            rows.push(event);
            Ok(())
        })
        .expect("read");
    assert_eq!((none, rows), (Ok(()), vec![demo]));
}

#[test]
fn every_member_of_a_row_comes_back() {
    let (_folder, mut log) = log();
    let mut event = conflict("1", DAY, "a\"b", Some(7));
    event.resource = Some("n1".into());
    event.fields = Some(2);
    log.append(std::slice::from_ref(&event)).expect("written");
    let mut rows = Vec::new();
    let all: Result<(), ()> = log
        .each(&ALL, |event| {
            rows.push(event);
            Ok(())
        })
        .expect("read");
    assert_eq!((all, rows), (Ok(()), vec![event]));
}

#[test]
fn many_begin_and_append_at_once_and_nothing_is_lost_or_counted_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.sqlite3");
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let mut log = Local::open(path).expect("a log");
                for row in 0..20 {
                    // Every row is seen by two of them.
                    let id = format!("{}-{row}", writer / 2);
                    log.append(&[conflict(&id, DAY, "a", Some(row))]).expect("written");
                }
            });
        }
    });
    let log = Local::existing(&path).expect("a log");
    let summary = log.summary(&ALL, 80).expect("read");
    assert_eq!((summary.conflicts, summary.gaps), (80, 80));
}

/// What a killed process leaves: rows that were committed, and a transaction that was not.
#[test]
fn what_was_not_committed_is_as_if_it_had_never_been() {
    let (folder, mut log) = log();
    log.append(&[conflict("1", DAY, "a", Some(1))]).expect("written");
    log.connection.execute_batch("BEGIN IMMEDIATE; DELETE FROM event; DELETE FROM tally").expect("begun");
    // The files as they lie on the disk at this moment.
    let copy = folder.path().join("copy.sqlite3");
    for end in ["", "-wal"] {
        let from = folder.path().join("data").join(format!("log.sqlite3{end}"));
        std::fs::copy(from, folder.path().join(format!("copy.sqlite3{end}"))).expect("copied");
    }
    let mut left = Local::open(&copy).expect("a log");
    assert_eq!(left.summary(&ALL, 80).expect("read").conflicts, 1);
    assert_eq!(left.append(&[conflict("2", DAY, "a", None)]).expect("written"), 1);
}

#[test]
fn what_is_no_log_is_left_as_it_is_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.sqlite3");
    std::fs::write(&path, "somebody's notes, and long enough to be looked at as a database file would be")
        .expect("written");
    let error = Local::open(&path).err().expect("no database").to_string();
    assert!(error.contains("log.sqlite3") && error.contains("--no-log"), "{error}");
    assert!(std::fs::read_to_string(&path).expect("there").starts_with("somebody's notes"));

    let newer = folder.path().join("newer.sqlite3");
    Connection::open(&newer).and_then(|c| c.pragma_update(None, "user_version", 99)).expect("made");
    let error = Local::open(&newer).err().expect("too new").to_string();
    assert!(error.contains("newer unstick"), "{error}");
}

#[cfg(unix)]
#[test]
fn the_log_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, mut log) = log();
    log.append(&[conflict("1", DAY, "a", None)]).expect("written");
    let data = folder.path().join("data");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for entry in std::fs::read_dir(&data).expect("a folder") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// The indexes must hold all that the questions for an order ask for; a look at each row would take seconds.
#[test]
fn questions_for_an_order_are_answered_from_an_index_alone() {
    let (_folder, log) = log();
    for (column, what) in [("gap_ms", "conflict"), ("took_ms", "resolution")] {
        let plan: String = log
            .connection
            .query_row(
                &format!("EXPLAIN QUERY PLAN {}", schema::nth(column, what)),
                params![0, "a", DEMO, false, 0],
                |row| row.get(3),
            )
            .expect("a plan");
        assert!(plan.contains("USING COVERING INDEX"), "{plan}");
    }
}

#[test]
fn what_is_old_is_let_go_of_with_its_counts_and_the_rest_counts_as_before() {
    let (folder, mut log) = log();
    let at = |day: i64| day * DAY + 7;
    let old: Vec<Event> = (0..40).map(|n| conflict(&format!("old-{n}"), at(n % 4), "a", Some(n))).collect();
    let mut kept = vec![
        conflict("1", at(4), "a", Some(60_000)),
        conflict("2", at(9), "b", None),
        push("p", at(4), 3, 1),
    ];
    kept.push(resolution(&kept[0], at(9), "device"));
    let demo = Event { server: DEMO.into(), ..conflict("demo", at(1), "a", None) };
    log.append(&[&old[..], &kept, &[demo]].concat()).expect("written");
    // As if nothing else had ever been there.
    let (_other_folder, mut other) = self::log();
    other.append(&kept).expect("written");

    assert!(!log.holds_before(0).expect("an answer"));
    assert!(log.holds_before(4).expect("an answer"));
    assert_eq!(log.prune(4, None).expect("pruned"), Pruned::Gone { rows: 41, left: 4 });
    assert!(!log.holds_before(4).expect("an answer"));
    for filter in [
        ALL,
        Filter { since: Some(5), ..ALL },
        Filter { device: Some("a".into()), ..ALL },
        Filter { demos: true, ..ALL },
    ] {
        assert_eq!(
            log.summary(&filter, 80).expect("an answer"),
            other.summary(&filter, 80).expect("an answer"),
            "{filter:?}"
        );
    }
    assert_eq!(log.prune(4, None).expect("pruned"), Pruned::Gone { rows: 0, left: 4 });
    // Rows that come now have other numbers than those that are gone.
    log.append(&old[..1]).expect("written");
    log.shrink();
    drop(log);
    let again = Local::existing(&folder.path().join("data").join("log.sqlite3")).expect("it is whole");
    assert_eq!(again.summary(&ALL, 80).expect("an answer").conflicts, 3);
}

#[test]
fn many_rows_go_in_stretches_of_whole_days_whatever_their_order() {
    for reversed in [false, true] {
        let (_folder, mut log) = log();
        let mut rows: Vec<Event> =
            (0..60).map(|n| conflict(&n.to_string(), n / 3 * DAY, "a", Some(n))).collect();
        if reversed {
            rows.reverse();
        }
        log.append(&rows).expect("written");
        assert_eq!(log.prune_by(15, None, 20).expect("pruned"), Pruned::Gone { rows: 45, left: 15 });
        let summary = log.summary(&ALL, 100).expect("an answer");
        assert_eq!((summary.conflicts, summary.days.len()), (15, 5));
        assert_eq!(summary.advice.map(|advice| advice.every_ms), Some(45));
    }
}

#[test]
fn the_file_becomes_smaller() {
    let (folder, mut log) = log();
    let path = folder.path().join("data").join("log.sqlite3");
    let rows: Vec<Event> = (0..5000).map(|n| conflict(&n.to_string(), n, "a", None)).collect();
    log.append(&rows).expect("written");
    log.shrink();
    let before = std::fs::metadata(&path).expect("a file").len();
    log.prune(1, None).expect("pruned");
    log.shrink();
    let after = std::fs::metadata(&path).expect("a file").len();
    assert!(after * 4 < before, "{before} {after}");
}

#[test]
fn what_waits_for_a_teams_log_is_not_let_go_of() {
    let (_folder, mut log) = log();
    let demo = Event { server: DEMO.into(), ..conflict("demo", 3, "a", None) };
    log.append(&[conflict("1", 1, "a", None), conflict("2", 2, "a", None), demo]).expect("written");
    assert_eq!(log.prune(1, Some("team")).expect("an answer"), Pruned::Unsent(2));
    let (first, _) = log.unsent("team", 1).expect("rows").remove(0);
    log.sent("team", first).expect("noted");
    assert_eq!(log.prune(1, Some("team")).expect("an answer"), Pruned::Unsent(1));
    assert_eq!(log.summary(&ALL, 80).expect("an answer").conflicts, 2, "nothing is gone");
    assert_eq!(log.prune(0, Some("team")).expect("an answer"), Pruned::Gone { rows: 0, left: 3 });
    log.sent("team", first + 1).expect("noted");
    assert_eq!(log.prune(1, Some("team")).expect("an answer"), Pruned::Gone { rows: 3, left: 0 });
}
