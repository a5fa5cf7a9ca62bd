//! Dependencies point one way (DESIGN §2), and what is pure has no way to the world: the sources say so themselves.

use std::fs;
use std::path::{Path, PathBuf};

/// What a folder may not name, and what of it is allowed all the same.
struct Layer {
    folder: &'static str,
    /// Modules of this crate that it may use.
    uses: &'static [&'static str],
    /// Text that it may not hold.
    without: &'static [&'static str],
    /// Files that may, and why.
    except: &'static [(&'static str, &'static str)],
}

/// Files, sockets, clocks, the environment, other programs, async: none of it is pure. Grouped imports would hide it.
const WORLD: [&str; 11] = [
    "std::{",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::io",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "tokio",
    "async ",
];
const TERMINAL: [&str; 6] = [
    "crossterm::terminal",
    "crossterm::cursor",
    "crossterm::{",
    "event::read",
    "ratatui::Terminal",
    "ratatui::backend",
];

/// Of the conflict log only what it says is pure; who keeps it is not.
const LOG_KEEPERS: &[&str] = &[
    "reqwest",
    "conflict_log::{",
    "conflict_log::local",
    "conflict_log::team",
    "conflict_log::writer",
    "conflict_log::observe",
    "ConflictLog",
];

const LAYERS: [Layer; 4] = [
    Layer {
        folder: "domain",
        uses: &["domain"],
        without: &["ratatui", "crossterm", "reqwest"],
        // A deadline that the caller sets; it bounds the work and says nothing of the time.
        except: &[("domain/text.rs", "Instant"), ("domain/text/compare.rs", "Instant")],
    },
    Layer {
        folder: "app",
        uses: &["app", "domain", "exit", "unwritten", "conflict_log"],
        without: LOG_KEEPERS,
        // The same deadline, handed on.
        except: &[("app/task.rs", "Instant")],
    },
    Layer {
        folder: "lab",
        uses: &["lab", "domain", "simulate"],
        // It asks for a simulation and is told of it.
        without: &["simulate::simulate", "simulate::{simulate", ", simulate"],
        except: &[],
    },
    Layer {
        folder: "ui",
        uses: &["ui", "app", "lab", "domain", "conflict_log", "simulate"],
        without: LOG_KEEPERS,
        except: &[],
    },
];

#[test]
fn the_pure_layers_name_nothing_of_the_world() {
    for layer in &LAYERS {
        let files = sources(&root().join(layer.folder));
        assert!(files.len() > 3, "{}: where are its files?", layer.folder);
        for file in files {
            let name = file.strip_prefix(root()).expect("below src").to_string_lossy().into_owned();
            let code = code(&fs::read_to_string(&file).expect("a source file"));
            assert_eq!(layer.misfits(&name, &code), Vec::<String>::new());
        }
    }
}

#[test]
fn a_layer_that_reaches_out_is_caught() {
    let [domain, app, lab, ui] = &LAYERS;
    for (layer, line) in [
        (domain, "use crate::error::InputError;"),
        (domain, "let now = std::time::SystemTime::now();"),
        (domain, "use std::time::Instant;"),
        (domain, "use ratatui::style::Color;"),
        (domain, "pub async fn inspect() {}"),
        (app, "use crate::session::Session;"),
        (app, "use crate::{app, runtime};"),
        (app, "use crate::conflict_log::local::Local;"),
        (ui, "use crate::conflict_log::{team, summary};"),
        (lab, "use crate::simulate::{Settings, simulate};"),
        (ui, "std::fs::read(path)"),
        (ui, "use crossterm::terminal::size;"),
    ] {
        assert_eq!(layer.misfits("x.rs", line).len(), 1, "{line}");
    }
    assert_eq!(
        ui.misfits("x.rs", "use crate::app::Screen; use ratatui::layout::Rect;"),
        Vec::<String>::new()
    );
    assert_eq!(code("a;\n    // tokio\n#[cfg(test)]\nmod tests { tokio }"), "a;\n");
}

impl Layer {
    /// What the code of one file names that it may not.
    fn misfits(&self, file: &str, code: &str) -> Vec<String> {
        let excepted = |word: &str| self.except.contains(&(file, word));
        let own_crate = code.split("crate::").skip(1).filter_map(|rest| {
            let module = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
            (!self.uses.contains(&module)).then(|| format!("{file}: crate::{module}"))
        });
        let words = WORLD.iter().chain(&TERMINAL).chain(self.without);
        let world = words.filter(|word| code.contains(**word) && !excepted(word));
        own_crate.chain(world.map(|word| format!("{file}: {word}"))).collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The Rust files of a folder and what is below it, without its tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .filter(|path| !path.iter().any(|part| part == "tests" || part == "tests.rs"))
        .collect();
    files.sort();
    files
}

/// A source without comments and without the tests at its end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect::<String>().replace("#[cfg(test)]\n", "")
}
