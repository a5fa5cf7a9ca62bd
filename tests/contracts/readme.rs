//! The README says what the program does, word by word.

use unstick::{app, lab};

const README: &str = include_str!("../../README.md");
/// The tables between their marks, and what the program says of them.
fn tables() -> [(&'static str, &'static str, String); 3] {
    [
        (
            "<!-- keys: from src/app/action.rs, kept the same by a test -->\n",
            "<!-- /keys -->",
            app::markdown(),
        ),
        (
            "<!-- faults: from assets/faults.md, which names every fault of the sandbox; both kept by tests -->\n",
            "<!-- /faults -->",
            include_str!("../../assets/faults.md").to_owned(),
        ),
        (
            "<!-- simulation keys: from src/lab/keys.rs, kept the same by a test -->\n",
            "<!-- /simulation keys -->",
            lab::markdown(),
        ),
    ]
}

/// `UPDATE_README=1 cargo test --test contracts readme` writes the tables anew.
#[test]
fn the_tables_are_the_programs_own() {
    let update = std::env::var_os("UPDATE_README").is_some();
    let mut text = README.to_owned();
    for (begin, end, wanted) in tables() {
        let (before, rest) = text.split_once(begin).expect("where the table begins");
        let (table, after) = rest.split_once(end).expect("where it ends");
        let wanted = format!("\n{wanted}\n");
        assert!(update || table == wanted, "UPDATE_README=1 cargo test --test contracts readme");
        text = format!("{before}{begin}{wanted}{end}{after}");
    }
    if text != README {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"), text)
            .expect("the README is written");
    }
}

#[test]
fn the_commands_and_files_it_names_exist() {
    for path in ["assets/demo.svg", "assets/schemas/device-file-1.json", "LICENSE-MIT", "LICENSE-APACHE"] {
        let whole = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert!(whole.exists(), "{path}");
        assert!(README.contains(path), "{path} is not in the README");
    }
    for command in ["cargo run --release -- demo", "cargo test"] {
        assert!(README.contains(command));
    }
}

/// The animated picture shows the whole way, and nothing of the machine that it was made on.
#[test]
fn the_picture_shows_the_main_job_and_no_machine() {
    let picture = include_str!("../../assets/demo.svg");
    assert!(picture.len() < 2_000_000);
    assert!(picture.contains("@keyframes"));
    for shown in [
        "409 OutOfSyncError",
        "Why stuck:",
        "Phone A, Web",
        "choose",
        "nothing is sent yet",
        "The sync went through",
        "answered 200",
        "in step",
    ] {
        assert!(picture.contains(shown), "{shown}");
    }
    for place in ["/tmp", "/home", "/root", "/work", "/Users", "/var", "127.0.0.1"] {
        assert!(!picture.contains(place), "{place}");
    }
}
