//! Another program has the terminal for a while: the person's editor, the shell. Afterwards the screen is whole, and in
//! the end the terminal is as it was found.

use super::terminal::{Terminal, binary};

/// The inspector on a scenario whose first open field is a text, and an editor that is this script: `$1` is the file.
fn with_editor(script: &str) -> (Terminal, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let editor = folder.path().join("editor.sh");
    std::fs::write(&editor, script).expect("it is written");
    let variables =
        [("VISUAL", format!("sh {}", editor.display())), ("TMPDIR", folder.path().display().to_string())];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut terminal = Terminal::run_with(&["demo", "tablet-behind"], 100, 30, &variables);
    terminal.see("Why stuck").see("0 of 2 resolved").keys("E");
    (terminal, folder)
}

#[test]
fn no_way_out_leaves_the_terminal_without_reordering() {
    for signal in ["TERM", "HUP"] {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().display().to_string();
        let mut terminal = Terminal::run_with(&["demo", "tablet-behind"], 100, 30, &[("TMPDIR", &folder)]);
        terminal.see("Why stuck");
        assert!(!reorders(&terminal));
        // In the order in which rows keep what they are told: their own mode first, then the person's rows again.
        let begin = String::from_utf8_lossy(terminal.raw()).into_owned();
        assert!(
            begin.find("\u{1b}[?1049h") < begin.find("\u{1b}[8l") && begin.contains("\u{1b}[8l\u{1b}[2J")
        );
        terminal.ends_by(signal);
        assert!(reorders(&terminal), "{signal}");
        let end = String::from_utf8_lossy(terminal.raw()).into_owned();
        assert!(end.rfind("\u{1b}[8h") < end.rfind("\u{1b}[?1049l"));
    }
    let mut terminal = Terminal::run(&["simulate"], 100, 30);
    terminal.see("simulat");
    assert!(!reorders(&terminal));
    terminal.keys("q").end();
    assert!(reorders(&terminal));
}

#[test]
fn whoever_wants_to_read_from_right_to_left_says_so_in_the_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "reorder = true\n").expect("it is written");
    let (config, folder) = (config.display().to_string(), folder.path().display().to_string());
    let arguments = ["--config", &config, "demo", "tablet-behind"];
    let mut terminal = Terminal::run_with(&arguments, 120, 36, &[("TMPDIR", &folder)]);
    terminal.see("Why stuck").keys("q").end();
    let written = String::from_utf8_lossy(terminal.raw()).into_owned();
    assert!(
        !written.contains("\u{1b}[8l") && written.contains('\u{200E}'),
        "the marks are there all the same"
    );
}

/// Whether the terminal reorders right-to-left text: what was asked for last, and the mode it starts in.
fn reorders(terminal: &Terminal) -> bool {
    let written = String::from_utf8_lossy(terminal.raw());
    match (written.rfind("\u{1b}[8l"), written.rfind("\u{1b}[8h")) {
        (Some(asked_not_to), Some(asked_to)) => asked_to > asked_not_to,
        (asked_not_to, _) => asked_not_to.is_none(),
    }
}

/// Leaves without having chosen anything.
fn leaves_whole(terminal: &mut Terminal) {
    assert!(
        terminal.parsed().alternate_screen() && !terminal.is_cooked(),
        "the program has the terminal again"
    );
    assert!(!reorders(terminal));
    terminal.keys("q").end();
    assert!(terminal.is_cooked(), "the terminal is as it was found");
    assert!(!terminal.parsed().alternate_screen() && reorders(terminal));
}

#[test]
fn what_the_persons_own_editor_saves_is_the_value() {
    // What an editor does: it draws, reads a key, writes the file.
    let (mut terminal, _folder) =
        with_editor("printf 'the editor has the terminal'\nread -r key\nprintf ' and more' >> \"$1\"\n");
    terminal.see("the editor has the terminal");
    assert!(
        terminal.is_cooked() && !terminal.parsed().alternate_screen(),
        "as a shell gives it to a program"
    );
    assert!(reorders(&terminal), "the editor shows right-to-left text as ever");
    terminal.keys("\n").see("edited chosen for body").see("and more").keys("u").see("taken back");
    leaves_whole(&mut terminal);
}

#[test]
fn an_editor_that_fails_changes_nothing() {
    let (mut terminal, _folder) = with_editor("printf ' and more' >> \"$1\"\nexit 3\n");
    terminal.see("the editor ended with exit status: 3: nothing changed").see("0 of 2 resolved");
    assert!(!terminal.screen().contains("and more"));
    leaves_whole(&mut terminal);
}

#[test]
fn an_editor_that_is_interrupted_ends_alone() {
    let (mut terminal, _folder) = with_editor("printf 'the editor has the terminal'\nread -r key\n");
    terminal.see("the editor has the terminal").keys("\u{3}");
    terminal.see("nothing changed").see("0 of 2 resolved");
    leaves_whole(&mut terminal);
}

#[test]
fn an_editor_that_leaves_the_terminal_raw_does_not_leave_it_so_for_good() {
    let (mut terminal, _folder) = with_editor("stty raw -echo\nprintf ' and more' >> \"$1\"\n");
    terminal.see("edited chosen for body").keys("u").see("taken back");
    leaves_whole(&mut terminal);
}

#[test]
fn stopped_by_a_key_it_goes_on_when_the_shell_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().display().to_string();
    let mut terminal = Terminal::shell(100, 30, &[("TMPDIR", &folder)]);
    terminal.prompt().keys(&format!("{} demo\n", binary().display())).see("pick a stuck sync");
    terminal.keys("\u{1a}").prompt().see("Stopped");
    terminal.keys("fg\n").see("pick a stuck sync").keys("\r").see("Why stuck");
    assert!(!reorders(&terminal));
    terminal.keys("\u{1a}").prompt().see("Stopped");
    assert!(!terminal.parsed().alternate_screen() && reorders(&terminal));
    terminal.keys("echo while it $((1 + 1)) stands\n").see("while it 2 stands");
    terminal.keys("fg\n").see("Why stuck").keys("d").see("device chosen for body");
    assert!(!reorders(&terminal));
    terminal.keys("q").see("y yes").keys("y").see("pick a stuck sync");
    terminal.keys("q").prompt().keys("exit\n").end();
    assert_eq!(std::fs::read_dir(&folder).expect("the folder").count(), 0, "a demo takes its folder with it");
}

#[test]
fn stopped_from_elsewhere_it_takes_the_terminal_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().display().to_string();
    let mut terminal = Terminal::shell(100, 30, &[("TMPDIR", &folder)]);
    let command = format!("sh -c 'echo it is $$ there; exec {} demo tablet-behind'\n", binary().display());
    // The last row: a stop amid a frame would leave the rest of it to be written behind what follows.
    terminal.prompt().keys(&command).see("Why stuck").see("1 of 6");
    let written = String::from_utf8_lossy(terminal.raw()).into_owned();
    let id = written.rsplit_once("it is ").and_then(|(_, rest)| rest.split_once(" there")).expect("its id").0;
    let status = std::process::Command::new("kill").args(["-s", "STOP", id]).status().expect("kill runs");
    assert!(status.success());
    terminal.see("Stopped").forget().keys("stty sane\n").prompt().keys("fg\n");
    terminal.see("Why stuck").keys("d").see("device chosen for body").keys("u").see("taken back");
    terminal.keys("q").prompt().keys("exit\n").end();
}

#[test]
fn continued_after_a_stop_it_is_drawn_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().display().to_string();
    let mut terminal = Terminal::run_with(&["demo", "tablet-behind"], 100, 30, &[("TMPDIR", &folder)]);
    terminal.see("Why stuck").forget().signal("CONT").see("Why stuck").keys("q").end();
    assert!(terminal.is_cooked());
}
