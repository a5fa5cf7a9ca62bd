//! The simulation's screen: charts, settings that are turned, and every way out of it.

use super::terminal::Terminal;

const SMALL: [&str; 9] =
    ["simulate", "--devices", "6", "--users", "3", "--days", "3", "--interval", "1h,12h"];

/// More than any machine simulates while a test looks on.
const LARGE: [&str; 9] =
    ["simulate", "--devices", "20000", "--users", "8000", "--days", "30", "--interval", "10m"];

#[test]
fn charts_are_drawn_turned_and_left() {
    let mut terminal = Terminal::run(&SMALL, 120, 36);
    terminal
        .see("↑ changes lost, in 1,000 edits")
        .see("time between two syncs →")
        .see("every 1h: changes lost");
    terminal.see("s server-wins").see("c client-wins").see("l last-write-wins").see("m merge");
    terminal.see("server-wins, every 1h: until").see("how long, from 0 to");
    terminal.keys("m").see("↑ 409s, in 100 syncs with something to send");
    terminal.keys("i").see("every 12h: 409s").keys("s").see("client-wins, every 12h");
    terminal.keys("l").see("‹ 10 ›").see("r simulates with this");
    terminal.keys("r").see("10 devices, 3 users").gone("Esc stops");
    terminal
        .keys("?")
        .see("keys and measures")
        .see("Show the next measure")
        .keys("?")
        .gone("keys and measures");
    terminal
        .resize(50, 16)
        .see("↑ 409s, in 100")
        .keys("i")
        .see("every 1h: 409s")
        .resize(80, 24)
        .see("↑ 409s");
    terminal.keys("q");
    assert!(terminal.end().success());
    assert!(terminal.is_cooked());
    let modes = terminal.parsed();
    assert!(!modes.alternate_screen() && !modes.hide_cursor() && !modes.bracketed_paste());
}

/// While it computes, keys are taken, what is under way can be stopped, and nobody waits for it to leave.
#[test]
fn a_long_simulation_is_stopped_and_left() {
    let mut terminal = Terminal::run(&LARGE, 80, 24);
    terminal.see("simulating, ").see("Esc stops").keys("l").see("‹ 50000 ›");
    terminal.keys("x").see("stopped; r simulates again").keys("r").see("Esc stops").keys("\u{3}");
    assert!(terminal.end().success());
    assert!(terminal.is_cooked() && !terminal.parsed().alternate_screen());
}

#[test]
fn a_signal_ends_a_simulation_and_gives_the_terminal_back() {
    let mut terminal = Terminal::run(&LARGE, 100, 30);
    terminal.see("Esc stops").signal("TERM").end();
    assert!(terminal.is_cooked() && !terminal.parsed().alternate_screen());
}

/// Without colour letters tell the strategies apart, and no colour is set.
#[test]
fn without_colour_the_charts_say_the_same() {
    let mut terminal = Terminal::run_with(&SMALL, 120, 36, &[("NO_COLOR", "1")]);
    terminal.see("s server-wins").see("how long, from 0 to").keys("q").end();
    let raw = String::from_utf8_lossy(terminal.raw()).into_owned();
    assert!(!raw.contains("\u{1b}[38;") && !raw.contains("\u{1b}[48;"), "a colour was set");
}

/// With `--format` a terminal gets what a file gets.
#[test]
fn with_a_format_nothing_is_opened() {
    let arguments: Vec<&str> = SMALL.into_iter().chain(["--format", "human"]).collect();
    let mut terminal = Terminal::run(&arguments, 120, 36);
    assert!(terminal.end().success());
    assert!(terminal.screen().contains("longest is the longest of all"), "{}", terminal.screen());
    assert!(!String::from_utf8_lossy(terminal.raw()).contains("\u{1b}[?1049h"));
}
