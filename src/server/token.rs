//! The access token: read once, sent in headers, never shown.

use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::mask::Mask;
use crate::device::patient;
use crate::domain::mutation::Kind;
use crate::error::InputError;

/// The environment variable that holds the token.
pub const VARIABLE: &str = "UNSTICK_TOKEN";

/// No token is longer than this, bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// A user's access token. Its debug form is redacted; it has no other.
#[derive(Clone, Debug)]
pub struct Token(SecretString);

impl Token {
    /// The token in `UNSTICK_TOKEN`; `None` when the variable is not set.
    pub fn from_env() -> Result<Option<Self>, InputError> {
        match std::env::var(VARIABLE) {
            Ok(text) => Self::read(&SecretString::from(text), VARIABLE).map(Some),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(refused(VARIABLE, "is not text")),
        }
    }

    /// The token in a file, white space around it ignored.
    pub fn from_file(path: &Path) -> Result<Self, InputError> {
        let mut text = String::new();
        patient::open(path)
            .and_then(|(file, _)| file.take(MAX_BYTES + 1).read_to_string(&mut text))
            .map_err(|source| InputError::Io {
                what: "cannot read the token file",
                path: path.to_owned(),
                source,
                next: "Check --token-file, or put the token into UNSTICK_TOKEN.",
            })?;
        Self::read(&SecretString::from(text), &path.display().to_string())
    }

    /// The token in `text`, which came from `source` (a file, a variable, a prompt). White space around it and a
    /// leading `Bearer` are ignored; what no header can carry is refused.
    pub fn read(text: &SecretString, source: &str) -> Result<Self, InputError> {
        let text = text.expose_secret().trim();
        let token = text.strip_prefix("Bearer ").unwrap_or(text).trim_start();
        if token.is_empty() {
            return Err(refused(source, "is empty"));
        }
        if token.len() as u64 > MAX_BYTES {
            return Err(refused(source, "is too long for a token"));
        }
        if !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(refused(
                source,
                "holds characters that no token has (a space, a line break, or not ASCII)",
            ));
        }
        Ok(Self(SecretString::from(token)))
    }

    /// Whether the other one is the same.
    pub fn is(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }

    /// The kinds that a pull with this token cannot show (PROTOCOL A1, D26), as far as the token says what it may
    /// do; none when it does not.
    pub fn not_visible(&self) -> Vec<Kind> {
        let Some(granted) = self.scopes() else { return Vec::new() };
        let lacks = |scope: &&str| !granted.iter().any(|word| word == scope);
        Kind::KNOWN.into_iter().filter(|kind| kind.scopes().iter().any(lacks)).collect()
    }

    /// The scopes that the token names: a JWT in `scope` or `scp`, a sandbox token after `scopes:`.
    fn scopes(&self) -> Option<Vec<String>> {
        #[derive(Deserialize)]
        struct Claims {
            scope: Option<Words>,
            scp: Option<Words>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Words {
            Line(String),
            List(Vec<String>),
        }
        let words = |line: &str| line.split([' ', ',']).map(str::to_owned).collect();
        let token = self.0.expose_secret();
        if let Some(list) = token.strip_prefix("scopes:") {
            return Some(words(list));
        }
        let Claims { scope, scp } = serde_json::from_slice(&self.claims()?).ok()?;
        scope.or(scp).map(|granted| match granted {
            Words::Line(line) => words(&line),
            Words::List(list) => list,
        })
    }

    /// The user whom the token names (`sub` of a JWT); its signature is the server's to check.
    pub fn user(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Claims {
            sub: String,
        }
        let Claims { sub } = serde_json::from_slice(&self.claims()?).ok()?;
        Some(sub)
    }

    fn claims(&self) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.0.expose_secret().split('.').nth(1)?).ok()
    }

    /// What hides it in the words of a server.
    pub(super) fn mask(&self) -> Mask {
        Mask::of(self.0.expose_secret())
    }

    /// The two headers that carry it (PROTOCOL A1), marked so that nothing prints them.
    pub(super) fn headers(&self) -> [(&'static str, HeaderValue); 2] {
        let header = |text: String| {
            let mut value = HeaderValue::try_from(text).expect("a token is printable ASCII");
            value.set_sensitive(true);
            value
        };
        let token = self.0.expose_secret();
        [("x-auth-token", header(token.to_owned())), ("authorization", header(format!("Bearer {token}")))]
    }
}

fn refused(source: &str, reason: &str) -> InputError {
    InputError::Unsupported {
        file: source.to_owned(),
        reason: format!("{reason}, so it holds no token"),
        next: String::from(
            "Put the access token, and nothing else, into UNSTICK_TOKEN or a file for --token-file.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Result<Token, InputError> {
        Token::read(&SecretString::from(text), "UNSTICK_TOKEN")
    }

    fn jwt(claims: &str) -> Token {
        token(&format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))).expect("a token")
    }

    #[test]
    fn a_token_is_trimmed_and_sent_in_two_headers() {
        for text in ["abc.def", " abc.def\r\n", "Bearer abc.def"] {
            let headers = token(text).expect("a token").headers();
            assert_eq!(headers[0], ("x-auth-token", HeaderValue::from_static("abc.def")));
            assert_eq!(headers[1], ("authorization", HeaderValue::from_static("Bearer abc.def")));
            assert!(headers.iter().all(|(_, value)| value.is_sensitive()));
        }
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_repeated() {
        for text in ["", " \n", "hunter2 hunter2", "hunter2\nhunter2", "hunter2\u{7f}", "hunter2é"] {
            let error = token(text).expect_err("no token").to_string();
            assert!(error.contains("UNSTICK_TOKEN") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn debug_output_holds_no_token() {
        assert!(!format!("{:?}", token("hunter2").expect("a token")).contains("hunter2"));
    }

    #[test]
    fn a_token_file_is_read_and_a_missing_one_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("token");
        std::fs::write(&path, "abc\n").expect("a file");
        assert!(Token::from_file(&path).is_ok());
        let error = Token::from_file(&dir.path().join("none")).expect_err("no file").to_string();
        assert!(error.contains("none") && error.contains("--token-file"), "{error}");
    }

    #[test]
    fn the_kinds_that_a_token_cannot_see_are_known_where_it_says_so() {
        use Kind::{Bookmark, Collection, Link, Note, ReadingSession};
        assert_eq!(token("opaque").expect("a token").not_visible(), []);
        assert_eq!(jwt(r#"{"sub":"u"}"#).not_visible(), []);
        assert_eq!(jwt(r#"{"sub":"u"}"#).user().as_deref(), Some("u"));
        assert_eq!(token("opaque").expect("a token").user(), None);
        let narrow = token("scopes:sync,note").expect("a token");
        assert_eq!(narrow.not_visible(), [Bookmark, Collection, Link, ReadingSession]);
        assert_eq!(
            jwt(r#"{"scope":"openid sync bookmark note reading_session"}"#).not_visible(),
            [Collection, Link]
        );
        assert_eq!(
            jwt(r#"{"scp":["sync","bookmark","collection","reading_session"]}"#).not_visible(),
            [Note]
        );
    }
}
