//! The commands that are proposed: with the same file, server and flags as the one that proposes them, quoted so that
//! they can be pasted into a shell. The token is never among them.

use std::fmt::Write as _;

use super::safe_text::visible_line;

/// How the device and its server were named.
#[derive(Clone, Debug, Default)]
pub struct Again {
    device: String,
    flags: Vec<String>,
    live: bool,
}

/// A device of which no command line is known.
pub static UNNAMED: Again = Again { device: String::new(), flags: Vec::new(), live: true };

impl Again {
    /// A device file against a server, named by these flags and their values.
    pub fn live(device: &str, flags: &[(&str, &str)]) -> Self {
        Self { device: device.to_owned(), flags: words(flags), live: true }
    }

    /// A device file against what lies on the disk: nothing can be sent to it.
    pub fn recorded(device: &str, flags: &[(&str, &str)]) -> Self {
        Self { device: device.to_owned(), flags: words(flags), live: false }
    }

    /// Whether there is a server that a push could go to.
    pub const fn is_live(&self) -> bool {
        self.live
    }

    /// `unstick VERB DEVICE …`, with further words as they are; each is quoted where a shell would read it otherwise.
    pub fn command(&self, verb: &str, more: &[&str]) -> String {
        let device = if self.device.is_empty() { "DEVICE" } else { &self.device };
        let device = if device.len() > 1 && device.starts_with('-') {
            format!("./{device}")
        } else {
            device.to_owned()
        };
        let mut command = format!("unstick {verb} {}", quoted(&device));
        for word in self.flags.iter().map(String::as_str).chain(more.iter().copied()) {
            command.push(' ');
            command.push_str(&quoted(word));
        }
        command
    }
}

fn words(flags: &[(&str, &str)]) -> Vec<String> {
    flags.iter().flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()]).collect()
}

/// A word as a shell reads it back. What cannot be seen is written as its number (`$'…'`, bash and zsh).
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+=,-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if visible_line(word) == word {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut quoted = String::from("$'");
    for c in word.chars() {
        match c {
            '\'' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if visible_line(&c.to_string()) == c.to_string() => quoted.push(c),
            c => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\U{:08x}", u32::from(c));
            }
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_whatever_the_file_is_called() {
        for (device, shown) in [
            ("tablet.json", "unstick open tablet.json"),
            ("/home/a b/it's.json", r"unstick open '/home/a b/it'\''s.json'"),
            ("$(x).json", "unstick open '$(x).json'"),
            ("-x.json", "unstick open ./-x.json"),
            ("-", "unstick open -"),
            ("جهاز.json", "unstick open 'جهاز.json'"),
            ("a\nb", r"unstick open $'a\U0000000ab'"),
            ("a\u{202e}b'", r"unstick open $'a\U0000202eb\''"),
        ] {
            let again = Again::live(device, &[]);
            let command = again.command("open", &[]);
            assert_eq!(command, shown);
            assert_eq!(visible_line(&command), command, "it is shown as it is");
        }
        let flags = [("--server", "https://a.example/auth"), ("--token-file", "my token")];
        assert_eq!(
            Again::live("d.json", &flags).command("push", &["--strategy", "merge", "--yes"]),
            "unstick push d.json --server https://a.example/auth --token-file 'my token' --strategy merge --yes"
        );
        assert_eq!(UNNAMED.command("open", &[]), "unstick open DEVICE");
    }
}
