//! The configuration file: what would otherwise be typed with every command. Arguments and variables come first.

use std::fs;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::{Deserialize, Deserializer};

use crate::conflict_log::team::TeamUrl;
use crate::error::InputError;
use crate::report::style::Color;

/// The configuration; everything may be missing. `assets/config.toml` explains each key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The server's base URL, for commands without `--server` and `--pull`.
    pub server: Option<String>,
    /// The id of the app whose devices are looked at (`x-client-id`).
    pub client_id: Option<String>,
    /// A file with the user's token; relative to the configuration's folder.
    pub token_file: Option<PathBuf>,
    /// When to use colours.
    #[serde(deserialize_with = "color")]
    pub color: Option<Color>,
    /// Whether the terminal may reorder right-to-left text in the inspector; it is asked not to, unless this is `true`.
    pub reorder: Option<bool>,
    /// Both logs.
    pub log: Log,
}

/// The section `[log]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Where to write it; relative to the configuration's folder. Without a file nothing is logged.
    pub file: Option<PathBuf>,
    /// Whether the conflict log is added to; it is, unless this is `false`.
    pub conflicts: Option<bool>,
    /// How many days the conflict log on this machine goes back; for ever without it.
    pub keep_days: Option<NonZeroU32>,
    /// The team's conflict log: a `PostgreSQL`.
    pub url: Option<TeamUrl>,
}

impl Config {
    /// Reads `file`, or else the file in the platform's folder for configurations, which may be missing.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds a key or a value that unstick does not know.
    pub fn read(file: Option<&Path>) -> Result<Self, InputError> {
        let Some(path) = file.map(Path::to_owned).or_else(default_path) else {
            return Ok(Self::default());
        };
        match fs::read_to_string(&path) {
            Ok(text) => Self::from_text(&path, &text),
            // A HOME that is no folder holds no configuration.
            Err(error) if file.is_none() && is_nothing(error.kind()) => Ok(Self::default()),
            Err(source) => Err(InputError::Io {
                what: "cannot read the configuration",
                path,
                source,
                next: "Check --config",
            }),
        }
    }

    fn from_text(path: &Path, text: &str) -> Result<Self, InputError> {
        let mut config: Self = toml::from_str(text).map_err(|error| refused(path, text, &error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in [&mut config.token_file, &mut config.log.file].into_iter().flatten() {
            *file = folder.join(&*file);
        }
        Ok(config)
    }
}

const fn is_nothing(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Where the configuration lies when nobody says where.
pub fn default_path() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("unstick").join("config.toml"))
}

/// The parser's own display quotes the line, which may hold what nobody should see.
fn refused(path: &Path, text: &str, error: &toml::de::Error) -> InputError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.split('\n').count();
    let message = error.message().lines().next().unwrap_or_default();
    let next = if message.contains("unknown field `token`") {
        "Tokens are not read from the configuration: put it into UNSTICK_TOKEN or into a file for token_file"
    } else {
        "The keys are server, client_id, token_file, color, reorder, and file, conflicts, keep_days and url in [log]"
    };
    InputError::Unsupported {
        file: path.display().to_string(),
        reason: format!("cannot be used, line {line}: {message}"),
        next: format!("{next}."),
    }
}

fn color<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Color>, D::Error> {
    let word = String::deserialize(deserializer)?;
    let names = || Color::ALL.map(Color::name).join(", ");
    let unknown = || serde::de::Error::custom(format!("unknown color {word:?}, expected one of {}", names()));
    Color::from_name(&word).map(Some).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        Config::from_text(Path::new("/etc/unstick/config.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_is_read_and_files_are_relative_to_the_configuration() {
        let text = r#"
            server = "https://sync.example"
            client_id = "app"
            token_file = "token"
            color = "never"
            reorder = true
            [log]
            file = "/var/log/unstick.log"
            conflicts = false
            keep_days = 400
            url = "postgres://support:secret@db.example/conflicts"
        "#;
        let expected = Config {
            server: Some("https://sync.example".into()),
            client_id: Some("app".into()),
            token_file: Some("/etc/unstick/token".into()),
            color: Some(Color::Never),
            reorder: Some(true),
            log: Log {
                file: Some("/var/log/unstick.log".into()),
                conflicts: Some(false),
                keep_days: NonZeroU32::new(400),
                url: Some(TeamUrl::parse("postgres://support:secret@db.example/conflicts").expect("a URL")),
            },
        };
        assert_eq!(read(text), Ok(expected));
        assert_eq!(read(""), Ok(Config::default()));
    }

    #[test]
    fn unknown_keys_and_values_are_named_and_nothing_else_is() {
        for (text, line, named) in [
            ("client_id = \"app\"\nsever = \"x\"", "line 2", "`sever`"),
            ("[log]\nkeep_days = 0", "line 2", "nonzero"),
            ("[log]\nlevel = \"secret\"", "line 2", "`level`"),
            ("color = \"sometimes\"", "line 1", "expected one of auto, always, never"),
            ("token = \"secret\"", "line 1", "UNSTICK_TOKEN"),
            ("[log]\nurl = \"postgres://support:secret@db.example:secret/x\"", "line 2", "%-escapes"),
            ("server = [\"secret\"", "line 1", "/etc/unstick/config.toml"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(line) && error.contains(named) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_example_holds_the_defaults_and_every_key() {
        let example = include_str!("../assets/config.toml");
        assert_eq!(read(example), Ok(Config::default()));
        let told: String =
            example.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect();
        let config = read(&told).unwrap_or_else(|error| panic!("{error}"));
        assert!(config.server.is_some() && config.client_id.is_some() && config.token_file.is_some());
        assert!(config.color.is_some() && config.reorder.is_some() && config.log.file.is_some());
        assert!(config.log.conflicts.is_some() && config.log.keep_days.is_some() && config.log.url.is_some());
    }

    #[test]
    fn a_file_that_was_asked_for_must_be_there() {
        let error =
            Config::read(Some(Path::new("/nowhere/config.toml"))).expect_err("no such file").to_string();
        assert!(error.contains("/nowhere/config.toml") && error.contains("--config"), "{error}");
    }
}
