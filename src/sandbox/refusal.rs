//! Why the server says no, and the shapes in which it says so (PROTOCOL A4).

use serde_json::{Value, json};

/// A request that was refused. Nothing of it was applied, except where a fault lies about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which refusal it is.
    pub reason: Reason,
    /// The message without the place; may name members and words of the request, never their content.
    pub message: String,
    /// The index of the mutation at fault, where there is one.
    pub at: Option<usize>,
}

/// The refusals that the protocol documents, and those that any HTTP server has. The last two come of faults only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The request could not be read.
    Malformed,
    /// No token or no client id.
    Unauthorized,
    /// The token lacks a scope.
    Forbidden,
    /// No such path, or no such resource.
    NotFound,
    /// The path does not know this method.
    MethodNotAllowed,
    /// The request stopped half way.
    TimedOut,
    /// It names another machine.
    Misdirected,
    /// `lastMutationAt` is not the head: `OutOfSyncError`.
    OutOfSync,
    /// The body is larger than the server reads.
    TooLarge,
    /// A query whose values are out of bounds (GET 422, PROTOCOL D24).
    Unprocessable,
    /// Mutations that cannot be taken: `ValidationError` (POST 422).
    Validation,
    /// Too many requests.
    RateLimited,
    /// The server failed.
    Internal,
}

impl Reason {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TimedOut => 408,
            Self::Misdirected => 421,
            Self::OutOfSync => 409,
            Self::TooLarge => 413,
            Self::Unprocessable | Self::Validation => 422,
            Self::RateLimited => 429,
            Self::Internal => 500,
        }
    }

    /// `type` of the flat and of the wrapped shape.
    const fn flat_type(self) -> &'static str {
        match self {
            Self::Malformed => "invalid_request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TimedOut => "request_timeout",
            Self::Misdirected => "misdirected_request",
            Self::OutOfSync => "Conflict",
            Self::TooLarge => "payload_too_large",
            Self::Unprocessable | Self::Validation => "unprocessable_entity",
            Self::RateLimited => "rate_limit_exceeded",
            Self::Internal => "internal_server_error",
        }
    }

    /// `error.code`, for the refusals that are documented in the nested shape.
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::OutOfSync => Some("OutOfSyncError"),
            Self::Validation => Some("ValidationError"),
            Self::Malformed
            | Self::Unauthorized
            | Self::Forbidden
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::TimedOut
            | Self::Misdirected
            | Self::TooLarge
            | Self::Unprocessable
            | Self::RateLimited
            | Self::Internal => None,
        }
    }
}

/// Which of the shapes of PROTOCOL A4 the server answers in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// As documented: nested for 409 and for the 422 of a POST, flat for the rest.
    #[default]
    Documented,
    /// 409 and the 422 of a POST wrapped in `details`, as the SDK's tests have them; the rest flat.
    Wrapped,
    /// Everything flat, as the direct endpoints answer; a 409 has the type `OutOfSyncError`.
    Flat,
}

impl Refusal {
    /// A refusal of the whole request.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), at: None }
    }

    /// A mutation that cannot be taken; [`Refusal::at`] says which.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(Reason::Validation, message)
    }

    /// The same, laid at the door of mutation `index`.
    #[must_use]
    pub(super) fn at(self, index: usize) -> Self {
        Self { at: Some(index), ..self }
    }

    /// The message as it is sent: with `at mutation[i]` where one mutation is at fault.
    pub fn text(&self) -> String {
        match self.at {
            Some(index) => format!("{} at mutation[{index}]", self.message),
            None => self.message.clone(),
        }
    }

    /// Status, code and message in one line, as a device records its last error.
    pub fn summary(&self) -> String {
        let code = self.reason.code().unwrap_or_else(|| self.reason.flat_type());
        format!("{} {code}: {}", self.reason.status(), self.text())
    }

    /// The answer's body.
    pub fn body(&self, shape: Shape, request_id: &str) -> Value {
        let message = self.text();
        let flat = |of: &str| json!({ "message": message, "type": of, "success": false });
        let Some(code) = self.reason.code() else { return flat(self.reason.flat_type()) };
        let nested = json!({ "success": false, "error": { "code": code, "message": message } });
        match shape {
            Shape::Documented => nested,
            Shape::Flat => flat(code),
            Shape::Wrapped => json!({
                "message": message,
                "type": self.reason.flat_type(),
                "success": false,
                "requestId": request_id,
                "details": nested,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_carries_the_code_and_the_place() {
        let refusal = Refusal::validation("Missing resourceId").at(3);
        let message = json!("Missing resourceId at mutation[3]");
        let documented = refusal.body(Shape::Documented, "r1");
        assert_eq!(documented["error"], json!({ "code": "ValidationError", "message": message }));
        let wrapped = refusal.body(Shape::Wrapped, "r1");
        assert_eq!(wrapped["details"], documented);
        assert_eq!((&wrapped["type"], &wrapped["requestId"]), (&json!("unprocessable_entity"), &json!("r1")));
        assert_eq!(refusal.body(Shape::Flat, "r1")["message"], message);
    }

    #[test]
    fn what_is_documented_flat_stays_flat_in_every_shape() {
        let refusal = Refusal::new(Reason::NotFound, "Not found");
        let flat = json!({ "message": "Not found", "type": "not_found", "success": false });
        for shape in [Shape::Documented, Shape::Wrapped, Shape::Flat] {
            assert_eq!(refusal.body(shape, "r1"), flat);
        }
    }
}
