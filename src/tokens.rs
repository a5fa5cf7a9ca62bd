//! Where access tokens come from: the first one, and a fresh one when the server no longer takes it. A token is
//! never asked for where nobody could answer, and never comes from an argument.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use secrecy::SecretString;

use crate::cli::{Access, Against};
use crate::domain::answer::Class;
use crate::domain::inspect::Inspection;
use crate::domain::safe_text::visible_line;
use crate::domain::window::PullStep;
use crate::error::InputError;
use crate::server::{Client, Failure, PullError, Timeouts, Token};
use crate::session::Session;

/// Where the tokens for one server come from.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    file: Option<PathBuf>,
    loopback: bool,
    current: Option<Token>,
}

impl Tokens {
    /// The sources that are there for a server. Nothing is read yet.
    pub fn of(against: &Against) -> Self {
        match against {
            Against::Server(access) => Self::for_server(access),
            Against::Recorded(_) | Against::Unsaid => Self::default(),
        }
    }

    /// The same for a server that is sure to be asked.
    pub fn for_server(access: &Access) -> Self {
        Self { file: access.token_file.clone(), loopback: access.endpoint.is_loopback(), current: None }
    }

    /// A client with the first token: from the file, from `UNSTICK_TOKEN`, or asked for. Further clients get the token
    /// that is in use.
    ///
    /// # Errors
    /// No token, one that cannot be one, or a client that cannot be set up.
    pub fn client(&mut self, access: Access) -> Result<Client, InputError> {
        let token = match (self.current.clone(), &self.file, Token::from_env()?) {
            (Some(current), _, _) => current,
            (None, Some(file), _) => Token::from_file(file)?,
            (None, None, Some(token)) => token,
            (None, None, None) => self.first()?,
        };
        self.current = Some(token.clone());
        let timeouts = Timeouts { pull: access.patience, ..Timeouts::default() };
        Client::with_timeouts(access.endpoint, &token, &access.client_id, timeouts)
    }

    fn first(&self) -> Result<Token, InputError> {
        if self.loopback {
            // The sandbox takes any token.
            return Token::read(&SecretString::from("sandbox"), "the default for a server on this machine");
        }
        if !can_ask() {
            return Err(InputError::Unsupported {
                file: String::from("unstick"),
                reason: String::from("has no access token"),
                next: String::from("Put it into UNSTICK_TOKEN or into a file for --token-file"),
            });
        }
        ask("Access token (not shown): ")
    }

    /// A token in the place of the one that was refused: the file's, where it holds another one by now, else what a
    /// person types. `None` where there is none.
    pub async fn fresh(&mut self) -> Option<Token> {
        if let Some(token) = self.changed_file() {
            self.current = Some(token.clone());
            return Some(token);
        }
        if !can_ask() {
            return None;
        }
        let typed = tokio::task::spawn_blocking(|| {
            ask("The server no longer takes the token. A fresh one (not shown), or nothing to stop: ")
        });
        let token = typed.await.ok()?.ok()?;
        self.current = Some(token.clone());
        Some(token)
    }

    /// The file's token, where it is not the one that was refused.
    fn changed_file(&self) -> Option<Token> {
        let token = Token::from_file(self.file.as_deref()?).ok()?;
        let refused = self.current.as_ref().is_some_and(|current| current.is(&token));
        (!refused).then_some(token)
    }

    /// Pulls and inspects; where the token is refused, with a fresh one, as long as there is one.
    ///
    /// # Errors
    /// As [`Session::look`].
    pub async fn look(
        &mut self,
        session: &mut Session,
        mut on_step: impl FnMut(PullStep) + Send,
    ) -> Result<Inspection, PullError> {
        loop {
            let error = match session.look(&mut on_step).await {
                Ok(inspection) => return Ok(inspection),
                Err(error) => error,
            };
            match if is_about_the_token(&error) { self.fresh().await } else { None } {
                Some(token) => {
                    if let Err(bad) = session.use_token(&token) {
                        eprintln!("error: {}", visible_line(&bad.to_string()));
                        return Err(error);
                    }
                }
                None => return Err(error),
            }
        }
    }
}

/// Whether the same pull might go well with another token.
pub fn is_about_the_token(error: &PullError) -> bool {
    let refusal = error.failure().and_then(Failure::refusal);
    refusal.is_some_and(|refusal| refusal.class == Class::Unauthorized)
}

fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn ask(prompt: &str) -> Result<Token, InputError> {
    let text = rpassword::prompt_password(prompt).map_err(|source| InputError::Io {
        what: "cannot read the token from",
        path: "the terminal".into(),
        source,
        next: "Put it into UNSTICK_TOKEN or a file for --token-file",
    })?;
    Token::read(&SecretString::from(text), "the prompt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        Token::read(&SecretString::from(text), "a test").expect("a token")
    }

    #[test]
    fn a_file_that_holds_another_token_by_now_gives_it_and_the_same_one_is_not_taken_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "old\n").expect("written");
        let tokens = |current| Tokens { file: Some(path.clone()), loopback: true, current };
        assert!(tokens(Some(token("old"))).changed_file().is_none());
        assert!(tokens(Some(token("older"))).changed_file().is_some_and(|fresh| fresh.is(&token("old"))));
        std::fs::write(&path, "two words\n").expect("written");
        assert!(tokens(Some(token("old"))).changed_file().is_none());
        assert!(Tokens { file: None, loopback: true, current: None }.changed_file().is_none());
    }
}
