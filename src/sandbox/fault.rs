//! Faults: what goes wrong between a client and a server that does everything right, as a script that says which
//! request meets which fault. The grammar is that of [`GRAMMAR`].
//!
//! Nothing is done here. What a request meets follows from the script, its method and its numbers alone, so a run is
//! repeated by giving the same script; [`super::http`] does the rest.

mod script;
mod text;

pub use script::{Asked, Method, Requests, Rule, Script, Which};
pub use text::{BadRule, GRAMMAR};

use std::time::Duration;

/// One thing that goes wrong with one request, sorted by when it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Somebody writes before the server looks at the request.
    Write(Write),
    /// The server never gets to see the request.
    Instead(Instead),
    /// The POST is applied and its acknowledgement is wrong.
    Bend(Bend),
    /// A page is answered, and then the first resource of the window is written again: what follows moves up by
    /// one, and the next page leaves one out (PROTOCOL A5).
    PageShift,
    /// The answer comes this much later, ms.
    Slow(u32),
    /// The server does its work, and its answer is lost on the way.
    Loss(Loss),
    /// The server puts what the POST creates in its own words.
    Words(Words),
}

/// How a server puts what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// Texts are trimmed, composed and in small letters; the client's times are left out.
    Own,
    /// Names get a number behind them.
    Suffix,
}

/// Who writes before the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Another device adds a reading session, a bookmark or a note.
    Another,
    /// Another device changes the first resource that the POST names; without one it adds something.
    Same,
    /// Something that no pull shows: the head moves on by a minute (PROTOCOL A5).
    Unseen,
}

/// What answers in the server's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// 409 `OutOfSyncError`, whatever the head.
    OutOfSync,
    /// 429, with or without a `Retry-After`.
    RateLimited(Option<RetryAfter>),
    /// 401, as to a token that has run out.
    Unauthorized,
    /// The gateway.
    Gateway(Gateway),
    /// Nobody.
    Silence,
}

/// How a `Retry-After` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// As so many seconds.
    Seconds(u32),
    /// As the date that is so many seconds away.
    Date(u32),
}

/// How a gateway says that it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway {
    /// 500 in the flat shape of PROTOCOL A4.
    InternalError,
    /// 502 as a page of HTML.
    Html,
}

/// What is wrong with an acknowledgement (PROTOCOL A3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bend {
    /// The last entry is missing.
    Count,
    /// The first entry names another operation.
    Type,
    /// The first entry names another resource.
    Id,
    /// The entries are in reverse order.
    Order,
}

/// How an answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The gateway answers in its place.
    Gateway(Gateway),
    /// It never comes.
    Silence,
    /// The connection is reset in the middle of the body.
    Reset,
    /// The body is cut in half; the HTTP around it is whole.
    Truncated,
    /// A gateway tried it twice and hands on the second answer, a refusal with this status.
    Refusal(u16),
}

/// Everything that goes wrong with one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Nothing goes wrong.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of the script.
    pub fn iter(&self) -> impl Iterator<Item = Fault> {
        self.0.iter().copied()
    }

    /// The writes before it, all of them.
    pub fn writes(&self) -> impl Iterator<Item = Write> {
        self.iter().filter_map(|fault| match fault {
            Fault::Write(write) => Some(write),
            Fault::Instead(_)
            | Fault::Bend(_)
            | Fault::PageShift
            | Fault::Slow(_)
            | Fault::Loss(_)
            | Fault::Words(_) => None,
        })
    }

    /// What answers in the server's place: the first that was named.
    pub fn instead(&self) -> Option<Instead> {
        self.iter().find_map(|fault| match fault {
            Fault::Instead(instead) => Some(instead),
            Fault::Write(_)
            | Fault::Bend(_)
            | Fault::PageShift
            | Fault::Slow(_)
            | Fault::Loss(_)
            | Fault::Words(_) => None,
        })
    }

    /// How the server puts what it is given, all of it.
    pub fn words(&self) -> impl Iterator<Item = Words> {
        self.iter().filter_map(|fault| match fault {
            Fault::Words(words) => Some(words),
            Fault::Write(_)
            | Fault::Instead(_)
            | Fault::Bend(_)
            | Fault::PageShift
            | Fault::Slow(_)
            | Fault::Loss(_) => None,
        })
    }

    /// What is wrong with the acknowledgement, all of it.
    pub fn bends(&self) -> impl Iterator<Item = Bend> {
        self.iter().filter_map(|fault| match fault {
            Fault::Bend(bend) => Some(bend),
            Fault::Write(_)
            | Fault::Instead(_)
            | Fault::PageShift
            | Fault::Slow(_)
            | Fault::Loss(_)
            | Fault::Words(_) => None,
        })
    }

    /// Whether the pages shift after this one.
    pub fn shifts_pages(&self) -> bool {
        self.0.contains(&Fault::PageShift)
    }

    /// By how much the answer is late, all delays together.
    pub fn delay(&self) -> Duration {
        let ms = self.iter().map(|fault| match fault {
            Fault::Slow(ms) => u64::from(ms),
            Fault::Write(_)
            | Fault::Instead(_)
            | Fault::Bend(_)
            | Fault::PageShift
            | Fault::Loss(_)
            | Fault::Words(_) => 0,
        });
        Duration::from_millis(ms.sum())
    }

    /// How the answer is lost: the first that was named.
    pub fn loss(&self) -> Option<Loss> {
        self.iter().find_map(|fault| match fault {
            Fault::Loss(loss) => Some(loss),
            Fault::Write(_)
            | Fault::Instead(_)
            | Fault::Bend(_)
            | Fault::PageShift
            | Fault::Slow(_)
            | Fault::Words(_) => None,
        })
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        Self(faults.into_iter().collect())
    }
}
