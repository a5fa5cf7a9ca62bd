//! A recorded pull: what a GET answered, kept in a file (DESIGN §3). Read by the same page reader and put together
//! by the same function as a live one.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::answer::{AnswerError, Garbage, Page, ResponseHead, read_page};
use crate::domain::json::Text;
use crate::domain::mutation::Cursor;
use crate::domain::whole::torn;
use crate::domain::window::{PullPath, Window, assemble};
use crate::error::InputError;

/// Reads a recorded pull: one GET answer, an array of them (the pages), or an object whose `pages` are
/// `{request, headers, body}`. `name` is the file's, for messages; `cursor` is the device's.
pub fn recorded(text: String, name: &str, cursor: Option<Cursor>) -> Result<Window, InputError> {
    Recording::read(text, name)?.window(name, cursor)
}

/// A recorded pull that was read, but not yet held against a device's cursor.
pub struct Recording {
    pages: Vec<Page>,
    /// `mutationsSince` of the requests, where it was recorded.
    since: Option<Cursor>,
}

impl Recording {
    /// Reads the pages of a recorded pull.
    pub fn read(text: String, name: &str) -> Result<Self, InputError> {
        let whole = Text::new(text);
        // Editors on Windows begin a file with a byte order mark.
        let text = whole.part(whole.as_str().trim_start_matches('\u{feff}'));
        if text.as_str().trim_start().starts_with('[') {
            return Self::of_answers(&text, name);
        }
        match read_page(&ResponseHead::ok(), &text, 1) {
            Ok(page) => Ok(Self { pages: vec![page], since: None }),
            Err(error) => match Self::of_exchanges(&text, name)? {
                Some(recording) => Ok(recording),
                None => Err(input_error(error, name, "")),
            },
        }
    }

    fn of_answers(text: &Text, name: &str) -> Result<Self, InputError> {
        let answers: Vec<&RawValue> =
            serde_json::from_str(text.as_str()).map_err(|error| syntax(&error, name))?;
        let pages = (1..).zip(&answers).map(|(number, answer)| {
            let pointer = format!("/{}", number - 1);
            read_page(&ResponseHead::ok(), &text.part(answer.get()), number)
                .map_err(|error| input_error(error, name, &pointer))
        });
        Ok(Self { pages: pages.collect::<Result<_, _>>()?, since: None })
    }

    /// The form with requests and headers; `None` when it is not that form.
    fn of_exchanges(text: &Text, name: &str) -> Result<Option<Self>, InputError> {
        let Ok(Exchanges { pages: Some(exchanges) }) = serde_json::from_str(text.as_str()) else {
            return Ok(None);
        };
        let since = exchanges.first().and_then(|exchange| exchange.request.as_ref()?.mutations_since);
        let pages = (1..).zip(&exchanges).map(|(number, exchange)| {
            let pointer = format!("/pages/{}/body", number - 1);
            let Some(body) = exchange.body else {
                return Err(InputError::Shape {
                    file: name.to_owned(),
                    pointer,
                    found: String::from("nothing"),
                    expected: String::from("the answer's body"),
                });
            };
            read_page(&exchange.head(), &text.part(body.get()), number)
                .map_err(|error| input_error(error, name, &pointer))
        });
        let pages = pages.collect::<Result<_, _>>()?;
        Ok(Some(Self { pages, since: since.map(Cursor::read) }))
    }

    /// The window for a device with this cursor.
    pub fn window(self, name: &str, cursor: Option<Cursor>) -> Result<Window, InputError> {
        let Some((first, last)) = self.pages.first().zip(self.pages.last()) else {
            return Err(InputError::Shape {
                file: name.to_owned(),
                pointer: String::from("(the whole document)"),
                found: String::from("no page"),
                expected: String::from("at least one answer to a GET"),
            });
        };
        // The earlier head: what came after it may be missing.
        let (head, end) = (first.head, last.head);
        let since = self.since.or(cursor).unwrap_or(Cursor::ZERO);
        let torn = (1..).zip(&self.pages).filter_map(|(number, page)| torn(&[], page, number, since));
        let torn: Vec<String> = torn.map(|gap| format!("{gap}; record it again")).collect();
        let mut window = assemble(PullPath::of(cursor, head), since, head, self.pages);
        window.warnings.extend(torn);
        if head != end {
            window.warnings.push(format!(
                "the head moved from {head} to {end} while this was recorded: mutations may be missing; record it again"
            ));
        }
        if let Some(cursor) = cursor.filter(|cursor| since > *cursor) {
            window.warnings.push(format!(
                "recorded since {since}, but the device's cursor is {cursor}: what lies between is missing; record it again"
            ));
        }
        Ok(window)
    }
}

#[derive(Deserialize)]
struct Exchanges<'a> {
    #[serde(borrow)]
    pages: Option<Vec<Exchange<'a>>>,
}

#[derive(Deserialize)]
struct Exchange<'a> {
    request: Option<Request>,
    headers: Option<HashMap<String, String>>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    mutations_since: Option<i64>,
}

impl Exchange<'_> {
    fn head(&self) -> ResponseHead {
        let header = |name: &str| {
            let headers = self.headers.as_ref()?;
            headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        ResponseHead { mutation_at: header("x-mutation-at"), ..ResponseHead::ok() }
    }
}

fn syntax(error: &serde_json::Error, name: &str) -> InputError {
    input_error(AnswerError::Garbage(Garbage::syntax(error, String::new())), name, "")
}

/// The error of a page that stands at `pointer` of the file.
fn input_error(error: AnswerError, name: &str, pointer: &str) -> InputError {
    let file = name.to_owned();
    match error {
        AnswerError::Garbage(Garbage::Syntax { line, column, reason, .. }) => {
            InputError::Syntax { file, line, column, reason }
        }
        AnswerError::Garbage(Garbage::Status(status)) => InputError::Unsupported {
            file,
            reason: format!("holds an answer with the status {status}, which is not a whole one"),
            next: String::from("Record the answer of a GET that was answered with 200."),
        },
        AnswerError::Garbage(Garbage::Shape { pointer: within, found, expected }) => {
            let pointer = match format!("{pointer}{within}") {
                whole if whole.is_empty() => String::from("(the whole document)"),
                pointer => pointer,
            };
            InputError::Shape { file, pointer, found, expected: expected.to_owned() }
        }
        AnswerError::Refused(refusal) => InputError::Unsupported {
            file,
            reason: format!("holds a refusal and no mutations ({refusal})"),
            next: String::from("Record the answer of a GET that was answered with success."),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"success":true,"data":{"lastMutationAt":9,"mutations":[
        {"type":"DELETE","resource":"NOTE","resourceId":"n1","data":{},"timestamp":8}]}}"#;

    fn read(text: &str) -> Result<Window, InputError> {
        recorded(text.to_owned(), "pull.json", Some(Cursor::read(5)))
    }

    fn error(text: &str) -> String {
        read(text).expect_err(text).to_string()
    }

    #[test]
    fn one_answer_or_an_array_of_them_is_a_window() {
        for text in [ONE.to_owned(), format!("\u{feff}{ONE}"), format!(" [{ONE}] "), format!("[{ONE},{ONE}]")]
        {
            let window = read(&text).expect("a window");
            assert_eq!((window.mutations.len(), window.head), (1, Cursor::read(9)));
            assert_eq!((window.path, window.since), (PullPath::SinceCursor, Cursor::read(5)));
        }
        let lost = recorded(ONE.to_owned(), "pull.json", None).expect("a window");
        assert_eq!((lost.path, lost.since), (PullPath::LostCursor, Cursor::ZERO));
    }

    #[test]
    fn a_recording_with_requests_and_headers_is_read_too() {
        let text = format!(
            r#"{{"note":"x","pages":[{{"request":{{"mutationsSince":7,"page":1}},"headers":{{"x-mutation-AT":"10"}},"body":{ONE}}}]}}"#
        );
        let window = read(&text).expect("a window");
        assert_eq!((window.since, window.mutations.len()), (Cursor::read(7), 1));
        assert_eq!(window.warnings.len(), 2, "{:?}", window.warnings);
        assert!(error(r#"{"pages":[{}]}"#).contains("/pages/0/body"));
        assert!(error(r#"{"pages":[{"body":{"data":{}}}]}"#).contains("/pages/0/body/data/lastMutationAt"));
    }

    #[test]
    fn a_head_that_moved_while_recording_is_said() {
        let later = ONE.replace(":9", ":12").replace("n1", "n2");
        let window = read(&format!("[{ONE},{later}]")).expect("a window");
        assert_eq!(window.head, Cursor::read(9));
        assert!(window.warnings[0].contains("from 9 to 12"), "{:?}", window.warnings);
    }

    #[test]
    fn bad_recordings_are_named_by_place_and_never_quoted() {
        for (text, place) in [
            ("", "line 1"),
            (r#"{"secret":"#, "line 1"),
            (r#"[{"secret":1},"#, "line 1"),
            ("[]", "the whole document"),
            ("7", "the whole document"),
            ("\"secret\"", "the whole document"),
            (r#"{"secret":1}"#, "/data"),
            (r#"{"pages":"secret"}"#, "/data"),
            ("[7]", "/0"),
            (r#"[{"data":{"lastMutationAt":"secret"}}]"#, "/0/data/lastMutationAt"),
            (r#"{"success":false,"error":{"code":"OutOfSyncError","message":"stale"}}"#, "OutOfSyncError"),
        ] {
            let error = error(text);
            assert!(error.contains("pull.json") && error.contains(place), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(error(&deep).contains("pull.json"));
    }
}
