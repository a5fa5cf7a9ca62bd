//! The README says what the program does, word by word.

use unstick::app;

const README: &str = include_str!("../../README.md");
const BEGIN: &str = "<!-- keys: from src/app/action.rs, kept the same by a test -->\n";
const END: &str = "<!-- /keys -->";

/// `UPDATE_README=1 cargo test --test contracts readme` writes the table anew.
#[test]
fn the_key_table_is_the_programs_own() {
    let (before, rest) = README.split_once(BEGIN).expect("where the table begins");
    let (table, after) = rest.split_once(END).expect("where it ends");
    let wanted = format!("\n{}\n", app::markdown());
    if std::env::var_os("UPDATE_README").is_some() && table != wanted {
        let text = format!("{before}{BEGIN}{wanted}{END}{after}");
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"), text)
            .expect("the README is written");
    } else {
        assert_eq!(table, wanted, "UPDATE_README=1 cargo test --test contracts readme");
    }
}

#[test]
fn the_commands_and_files_it_names_exist() {
    for path in ["assets/inspector.png", "assets/schemas/device-file-1.json", "LICENSE-MIT", "LICENSE-APACHE"]
    {
        let whole = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert!(whole.exists(), "{path}");
        assert!(README.contains(path), "{path} is not in the README");
    }
    for command in ["cargo run --release -- demo", "cargo test"] {
        assert!(README.contains(command));
    }
}
