//! The server's answers, read: a page of the feed, the acknowledgements of a POST, or a refusal with its reason.
//! Text in, meaning out; who asked, how and when is not known here.

mod entry;
mod good;
mod refusal;

pub use good::{AnswerError, Garbage, Page, PostAnswer, read_page, read_post};
pub use refusal::{Class, Refusal, RetryAfter};

/// The parts of a response's head that mean something to the sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `X-Request-Id`, for the server's operators.
    pub request_id: Option<String>,
    /// `Retry-After`, seconds or an HTTP date.
    pub retry_after: Option<String>,
    /// `X-Mutation-At`: the head once more, as text of ms (PROTOCOL A2).
    pub mutation_at: Option<String>,
    /// The host that a redirect names.
    pub redirect_host: Option<String>,
}

impl ResponseHead {
    /// The head of a good answer without headers, as of a recording that kept the bodies only.
    pub fn ok() -> Self {
        Self { status: 200, ..Self::default() }
    }
}
