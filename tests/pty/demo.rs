//! The README's first command, through a whole resolution to the 200, and the ways out of it.

use std::path::{Path, PathBuf};

use super::terminal::Terminal;

const ESCAPE: &str = "\u{1b}";

/// The only folder of a demo in this temporary folder.
fn folder(temporary: &Path) -> PathBuf {
    let mut all = std::fs::read_dir(temporary).expect("the temporary folder");
    all.next().expect("the demo's folder").expect("an entry").path()
}

#[test]
fn a_stuck_tablet_is_resolved_by_hand_and_the_sync_goes_through() {
    let temporary = tempfile::tempdir().expect("a folder");
    let place = temporary.path().display().to_string();
    let mut terminal = Terminal::run_with(&["demo"], 120, 36, &[("TMPDIR", &place)]);
    terminal.see("pick a stuck sync").see("tablet-behind").keys("\r");
    terminal.see("409 OutOfSyncError").see("Why stuck: another device synced").see("0 of 2 resolved");
    terminal.keys("T").see("Phone A, Web").see("the exchange").see("0 choices made, 2 open");
    terminal.keys(ESCAPE).gone("the exchange").keys("d").see("device chosen for body");
    terminal.keys("n").see("ranges of NOTE").keys("s").see("server chosen for ranges").see("1 of 2 resolved");
    terminal.keys("u").see("0 of 2 resolved").keys("s").see("1 of 2 resolved");
    terminal.keys("n").see("waits for a choice").keys("s").see("keep deleted chosen").see("2 of 2 resolved");
    terminal.keys("p").see("nothing is sent yet").see("changes lost").see("POST /v1/sync?lastMutationAt=");
    // The key that asked does not confirm.
    terminal.keys("p").see("no key of this screen").see("y send it");
    terminal.keys("y").see("The sync went through").see("200");
    terminal.keys("w").see("the report is in").keys("W").see("-without-values.md");
    let folder = folder(temporary.path());
    let device =
        std::fs::read_to_string(folder.join("tablet-behind.json")).expect("the file was written back");
    let device: serde_json::Value = serde_json::from_str(&device).expect("it is JSON");
    assert_eq!(device["queue"].as_array().map(Vec::len), Some(0));
    let names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.iter().any(|name| name.contains(".backup-")), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("journal")), "{names:?}");
    let reports: Vec<&String> = names.iter().filter(|name| name.contains(".report-")).collect();
    assert_eq!(reports.len(), 2, "{names:?}");
    for name in reports {
        let report = std::fs::read_to_string(folder.join(name)).expect("a report");
        assert!(report.contains("## What was sent and answered"), "{report}");
        assert_ne!(report.contains("Ya-Sin"), name.contains("-without-values"), "{report}");
    }
    terminal.keys("q").see("pick a stuck sync").keys("q").see("What you wrote lies beside");
    assert!(terminal.end().success(), "nothing is open");
    assert!(terminal.is_cooked());
    let left = std::fs::read_dir(temporary.path()).expect("the temporary folder").count();
    assert_eq!(left, 1, "what somebody wrote stays");
}

#[test]
fn the_conflict_log_is_looked_at_in_charts() {
    let data = tempfile::tempdir().expect("a folder");
    let data = data.path().display().to_string();
    let mut terminal =
        Terminal::run_with(&["demo", "tablet-behind"], 120, 36, &[("UNSTICK_DATA_DIR", &data)]);
    terminal.see("0 of 2 resolved").keys("L").see("conflict log of demos").see("conflicts a day (UTC)");
    terminal.see("concurrent-mutations").keys("t").see("last 90 days").keys(ESCAPE).gone("conflict log");
    terminal.keys("q").end();
}

#[test]
fn after_a_scenario_another_can_be_picked() {
    let temporary = tempfile::tempdir().expect("a folder");
    let place = temporary.path().display().to_string();
    let mut terminal = Terminal::run_with(&["demo"], 80, 24, &[("TMPDIR", &place)]);
    terminal.see("pick a stuck sync").keys("j").keys("\r").see("Why stuck").keys("q");
    terminal.see("pick a stuck sync").keys("k").keys("\r").see("Why stuck").keys("q");
    terminal.see("pick a stuck sync").resize(30, 8).see("tablet-behind").keys("x").see("Enter begins");
    terminal.keys(ESCAPE).end();
    assert!(terminal.is_cooked());
    let left = std::fs::read_dir(temporary.path()).expect("the temporary folder").count();
    assert_eq!(left, 0, "each scenario's folder goes with it");
}

#[test]
fn a_demo_that_is_told_to_end_cleans_its_folder() {
    for signal in ["TERM", "HUP"] {
        let temporary = tempfile::tempdir().expect("a folder");
        let place = temporary.path().display().to_string();
        let mut terminal = Terminal::run_with(&["demo", "tablet-behind"], 80, 24, &[("TMPDIR", &place)]);
        terminal.see("Why stuck");
        assert!(folder(temporary.path()).is_dir());
        terminal.signal(signal).end();
        let left = std::fs::read_dir(temporary.path()).expect("the temporary folder").count();
        assert_eq!(left, 0, "after {signal}");
    }
}

#[test]
fn leaving_asks_when_choices_would_be_lost_and_gives_the_terminal_back() {
    let mut terminal = Terminal::run(&["demo", "offline-edits"], 80, 24);
    terminal.see("Why stuck").keys("2").see("client-wins");
    terminal.keys("q").see("quit").keys(ESCAPE).gone("Quit and lose");
    terminal.keys("q").see("y yes").keys("y");
    terminal.end();
    assert!(terminal.is_cooked());
    let modes = terminal.parsed();
    assert!(!modes.alternate_screen() && !modes.hide_cursor() && !modes.bracketed_paste());
}

#[test]
fn a_small_terminal_that_changes_its_size_shows_what_fits() {
    let mut terminal = Terminal::run(&["demo", "tablet-behind"], 50, 16);
    terminal.see("409").keys("n").resize(120, 36).see("Server since the cursor");
    terminal.resize(19, 5).see("unstick needs").resize(80, 24).see("Why stuck");
    terminal.keys("q").end();
}

#[test]
fn a_signal_ends_it_and_gives_the_terminal_back() {
    for signal in ["TERM", "HUP"] {
        let mut terminal = Terminal::run(&["demo"], 100, 30);
        terminal.see("pick a stuck sync").keys("\r").see("Why stuck").signal(signal).end();
        assert!(terminal.is_cooked());
        assert!(!terminal.parsed().alternate_screen());
        let mut terminal = Terminal::run(&["demo"], 100, 30);
        terminal.see("pick a stuck sync").signal(signal).end();
        assert!(terminal.is_cooked());
    }
}

#[test]
fn every_terminal_and_no_colour_show_the_same() {
    for variables in [
        [("TERM", "xterm"), ("NO_COLOR", "")],
        [("TERM", "screen"), ("NO_COLOR", "1")],
        [("TERM", "dumb"), ("NO_COLOR", "1")],
    ] {
        let mut terminal = Terminal::run_with(&["demo", "tablet-behind"], 100, 30, &variables);
        terminal.see("409 OutOfSyncError").see("Why stuck").see("0 of 2 resolved");
        let coloured = (0..30).any(|row| {
            (0..100).any(|column| {
                let cell = terminal.parsed().cell(row, column);
                cell.is_some_and(|cell| cell.fgcolor() != vt100::Color::Default)
            })
        });
        assert_eq!(coloured, variables[1].1.is_empty(), "{variables:?}");
        terminal.keys("q").end();
    }
}

#[test]
fn nothing_that_the_data_holds_reaches_the_terminal_raw() {
    let folder = tempfile::tempdir().expect("a folder");
    let device = folder.path().join("hostile.json");
    let pull = folder.path().join("pull.json");
    let hostile = "\\u001b]0;owned\\u0007\\u202egnp.exe\\u0000 \\u009b31m tab\\there";
    std::fs::write(
        &device,
        format!(
            r#"{{"device":{{"label":"{hostile}"}},"sync":{{"lastMutationAt":1}},"queue":[{{"id":"{hostile}","type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{{"body":"{hostile}"}},"lastError":"{hostile}"}}],"resources":[]}}"#
        ),
    )
    .expect("it is written");
    std::fs::write(
        &pull,
        format!(
            r#"{{"success":true,"data":{{"lastMutationAt":9,"mutations":[{{"type":"UPDATE","resource":"NOTE","resourceId":"n1","data":{{"body":"other {hostile}"}},"timestamp":9}}]}}}}"#
        ),
    )
    .expect("it is written");
    let (device, pull) = (device.to_string_lossy().into_owned(), pull.to_string_lossy().into_owned());
    let mut terminal = Terminal::run(&["open", &device, "--pull", &pull], 120, 36);
    terminal.see("Why stuck").see("<202E>").keys("q").end();
    let raw = terminal.raw().to_vec();
    let text = String::from_utf8_lossy(&raw);
    assert!(!text.contains("\u{1b}]0;owned"), "an escape sequence of the data reached the terminal");
    assert!(!text.contains('\u{202e}') && !text.contains('\u{9b}') && !text.contains('\0'));
}

/// What the terminal holds in a row, put through the bidirectional algorithm as a terminal that reorders does it, has
/// the bars of both sides where they were drawn; also after single cells of the row were drawn anew.
#[test]
fn both_sides_keep_their_columns_in_a_terminal_that_reorders() {
    use unicode_bidi::{BidiInfo, Level};

    let mut terminal = Terminal::run(&["demo", "tablet-behind"], 120, 36);
    terminal.see("Why stuck").see("○ choose");
    for (key, expected) in
        [("", "○ choose"), ("\t", "body"), ("d", "● device"), ("u", "taken back"), ("b", "● both")]
    {
        terminal.keys(key).see(expected);
        let (mut rows, mut jumbled) = (0, 0);
        for y in 0..36 {
            let cells: Vec<String> = (0..120)
                .filter_map(|x| terminal.parsed().cell(y, x))
                .map(|cell| if cell.has_contents() { cell.contents().to_owned() } else { String::from(" ") })
                .collect();
            let columns = |cells: &[String]| {
                let row = cells.concat();
                let seen: Vec<Vec<usize>> = [Some(Level::ltr()), None]
                    .map(|base| {
                        let info = BidiInfo::new(&row, base);
                        let paragraph = &info.paragraphs[0];
                        let levels = info.reordered_levels_per_char(paragraph, paragraph.range.clone());
                        let letters: Vec<char> = row.chars().collect();
                        let shown = BidiInfo::reorder_visual(&levels);
                        // A mark takes no column.
                        let shown = shown.into_iter().map(|at| letters[at]).filter(|c| *c != '\u{200E}');
                        shown.enumerate().filter(|(_, c)| *c == '▌').map(|(x, _)| x).collect()
                    })
                    .to_vec();
                seen
            };
            let drawn: Vec<usize> = (0..cells.len()).filter(|x| cells[*x].starts_with('▌')).collect();
            let is_right_to_left =
                |cell: &String| cell.chars().any(|c| ('\u{0621}'..='\u{064A}').contains(&c));
            if drawn.len() == 2 && cells.iter().any(is_right_to_left) {
                rows += 1;
                assert_eq!(columns(&cells), [drawn.clone(), drawn.clone()], "row {y} after {key:?}");
                let bare: Vec<String> = cells.iter().map(|cell| cell.replace('\u{200E}', "")).collect();
                jumbled += usize::from(columns(&bare) != [drawn.clone(), drawn]);
            }
        }
        assert!(
            rows > 0 && jumbled > 0,
            "{rows} rows after {key:?}, {jumbled} would be jumbled without marks"
        );
    }
    terminal.keys("q").see("leave?").keys("y").end();
}
