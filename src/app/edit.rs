//! A field being edited by hand: which text stands for its value, and which value a text stands for.

use serde_json::value::RawValue;

use super::draft::Draft;
use super::selection::Scroll;
use crate::domain::field::{Choice, Field, FieldShape};
use crate::domain::json::Json;
use crate::domain::mutation::Kind;
use crate::domain::naming;
use crate::domain::preflight::Rule;
use crate::domain::resolution::Unit;

/// How a value is written while it is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The text itself.
    Text,
    /// One element a line.
    Lines,
    /// Chapter and verse, `2:255`.
    Position,
    /// JSON.
    Json,
}

/// A field in the editor.
pub struct Editor {
    /// Which field.
    pub unit: Unit,
    /// Its name.
    pub label: String,
    /// How its value is written.
    pub form: Form,
    /// The text.
    pub draft: Draft,
    /// The text as it was.
    pub before: String,
    /// The rule that the value has to follow, where one is documented.
    pub rule: Option<Rule>,
    /// The text that was refused once already: whoever saves it again means it.
    pub insisted: Option<String>,
    /// Why it could not be saved.
    pub complaint: Option<String>,
    /// Which rows are visible.
    pub scroll: Scroll,
}

impl Editor {
    /// Whether the text is not what it was.
    pub fn changed(&self) -> bool {
        self.draft.text() != self.before
    }

    /// Breaks the text into rows for this width, and keeps the caret in view.
    pub fn fit(&mut self, width: usize, height: usize) {
        self.draft.set_width(width);
        let rows = self.draft.rows();
        let (caret, _) = self.draft.position(&rows);
        self.scroll.fit(rows.len(), height);
        if !self.scroll.visible().contains(&caret) {
            let above = caret < self.scroll.offset();
            self.scroll.go(if above { caret } else { (caret + 1).saturating_sub(self.scroll.height()) });
        }
    }
}

/// How the field's value is written, and the text to begin with: the value chosen, else the device's, else the
/// server's.
pub fn text_of(field: &Field, chosen: Option<&Choice>) -> (Form, String) {
    let result = chosen.and_then(|choice| field.result(choice));
    let value = result.as_ref().or(field.device.as_ref()).or(field.server.as_ref());
    let form = form(field);
    let text = match (form, value) {
        (_, None) => String::new(),
        (Form::Text, Some(Json::String(text))) => text.clone(),
        (Form::Lines, Some(Json::Array(items))) => {
            items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join("\n")
        }
        (Form::Position, Some(value)) => naming::position_words(value).unwrap_or_default(),
        (Form::Text | Form::Lines | Form::Json, Some(value)) => value.to_text(),
    };
    (form, text)
}

/// A form that can write the values of both sides, and any that stands between them.
fn form(field: &Field) -> Form {
    let values = || field.device.iter().chain(&field.server);
    let plain = |item: &Json| item.as_str().is_some_and(|text| !text.is_empty() && !text.contains('\n'));
    if field.shape == FieldShape::Position && values().all(|value| is_position(field, value)) {
        Form::Position
    } else if values().all(|value| value.as_str().is_some()) {
        Form::Text
    } else if values().all(|value| matches!(value, Json::Array(items) if items.iter().all(plain))) {
        Form::Lines
    } else {
        Form::Json
    }
}

/// Whether a value is a position that is read back as it is written.
fn is_position(field: &Field, value: &Json) -> bool {
    let words = naming::position_words(value);
    words.is_some_and(|words| naming::read_position(kind_of(field), &words).as_ref() == Ok(value))
}

/// Whose position it is, as far as its members go: a session's are named otherwise.
fn kind_of(field: &Field) -> &'static Kind {
    if Some(field.path.as_str()) == crate::domain::field::position(&Kind::ReadingSession) {
        &Kind::ReadingSession
    } else {
        &Kind::Bookmark
    }
}

/// The choice that a text stands for: one side's where it is exactly that side's value.
pub fn choice_of(field: &Field, form: Form, text: &str) -> Result<Choice, String> {
    let value = match form {
        Form::Text => Json::string(text),
        Form::Lines => Json::Array(text.lines().filter(|line| !line.is_empty()).map(Json::string).collect()),
        Form::Position => naming::read_position(kind_of(field), text)?,
        Form::Json => match serde_json::from_str::<&RawValue>(text.trim()) {
            Ok(raw) => Json::parse(raw.get()),
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.split(" at line ").next().unwrap_or_default();
                return Err(format!(
                    "not JSON at line {}, column {}: {reason}. A text stands in quotes.",
                    error.line(),
                    error.column()
                ));
            }
        },
    };
    Ok(if field.device.as_ref() == Some(&value) {
        Choice::Device
    } else if field.server.as_ref() == Some(&value) {
        Choice::Server
    } else {
        Choice::Edited(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::compare;
    use crate::domain::json::Text;
    use crate::domain::mutation::{Kind, Payload};

    fn field(kind: &Kind, device: &str, server: &str) -> Field {
        let members = |text: &str| Payload::new(Text::new(text.to_owned())).members();
        compare(kind, &members("{}"), &members(device), &members(server)).remove(0)
    }

    #[test]
    fn every_value_can_be_written_and_read_back() {
        for (device, server, form) in [
            (r#"{"body":"a\nb"}"#, r#"{"body":"c"}"#, Form::Text),
            (r#"{"ranges":["2:1-2:1","3:1-3:2"]}"#, r#"{"ranges":["2:1-2:1"]}"#, Form::Lines),
            (r#"{"ranges":[""]}"#, r#"{"ranges":["a"]}"#, Form::Json),
            (r#"{"key":2,"verseNumber":255}"#, r#"{"key":3}"#, Form::Position),
            (r#"{"x":1.50}"#, r#"{"x":null}"#, Form::Json),
            (r#"{"x":"text"}"#, r#"{"x":1e400}"#, Form::Json),
        ] {
            let field = field(&kind_named(form), device, server);
            for choice in [Choice::Device, Choice::Server] {
                let (written, text) = text_of(&field, Some(&choice));
                assert_eq!(written, form, "{device}");
                assert_eq!(choice_of(&field, form, &text), Ok(choice), "{device}");
            }
        }
    }

    fn kind_named(form: Form) -> Kind {
        if form == Form::Position { Kind::Bookmark } else { Kind::Note }
    }

    #[test]
    fn a_position_is_edited_as_people_write_it() {
        let sides = [r#"{"chapterNumber":2,"verseNumber":200}"#, r#"{"chapterNumber":18,"verseNumber":10}"#];
        let field = field(&Kind::ReadingSession, sides[0], sides[1]);
        assert_eq!(text_of(&field, None), (Form::Position, String::from("2:200")));
        assert_eq!(choice_of(&field, Form::Position, "18:10"), Ok(Choice::Server));
        let edited = Json::parse(r#"{"chapterNumber":2,"verseNumber":201}"#);
        assert_eq!(choice_of(&field, Form::Position, " 2:201\n"), Ok(Choice::Edited(edited)));
        let complaint = choice_of(&field, Form::Position, "page 3").expect_err("no position");
        assert!(complaint.contains("2:255"), "{complaint}");
        let odd = super::tests::field(&Kind::Bookmark, r#"{"key":"x"}"#, r#"{"key":2}"#);
        assert_eq!(text_of(&odd, None).0, Form::Json, "what is no position is edited as it is");
    }

    #[test]
    fn what_is_not_json_is_refused_with_the_place() {
        let field = field(&Kind::Note, r#"{"x":1}"#, r#"{"x":2}"#);
        let complaint = choice_of(&field, Form::Json, "{\"a\":").expect_err("it is cut off");
        assert!(complaint.contains("line 1, column 5"), "{complaint}");
        assert_eq!(choice_of(&field, Form::Json, " 3 "), Ok(Choice::Edited(Json::parse("3"))));
    }
}
