//! A choices file as text, entry by entry, before it meets an inspection. Strict: a misspelt member would turn a
//! choice for one field into one for the whole resource.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{BOTH, BRING_BACK, BadChoices, EDIT, KEEP_DELETED, Misfit, SCHEMA, named};
use crate::domain::field::FieldPath;
use crate::domain::json::{Json, Members};
use crate::domain::mutation::{Kind, Side};
use crate::domain::strategy::Strategy;

const WHOLE: &str = "(the whole document)";
const WORDS: &str = "device, server, both, keep-deleted, bring-back, or an object with the one member edit";

/// One choice of the file.
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) key: String,
    /// `None` stands for every open field.
    pub(super) path: Option<FieldPath>,
    pub(super) word: Word,
    pub(super) saw: Option<String>,
    /// The resource's queue entries; empty where the file does not say.
    pub(super) queue: Vec<String>,
    /// What both sides together came to.
    pub(super) result: Option<Json>,
    /// The strategy that made the choice; `None` where a person did.
    pub(super) by: Option<Strategy>,
}

/// What the file says in `choice`.
pub(super) enum Word {
    Side(Side),
    Both,
    KeepDeleted,
    BringBack,
    Edit(Json),
}

impl Word {
    /// The word in the file, without the value of an edit.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Side(side) => side.name(),
            Self::Both => BOTH,
            Self::KeepDeleted => KEEP_DELETED,
            Self::BringBack => BRING_BACK,
            Self::Edit(_) => EDIT,
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        [Self::Side(Side::Device), Self::Side(Side::Server), Self::Both, Self::KeepDeleted, Self::BringBack]
            .into_iter()
            .find(|word| word.name() == text)
    }
}

/// The entries of a file, in order.
pub(super) fn read(file: &str, text: &str) -> Result<Vec<Entry>, BadChoices> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document: &RawValue =
        serde_json::from_str(text).map_err(|error| BadChoices::NotJson { file: file.to_owned(), error })?;
    let entries = || {
        let [schema, choices] = members(WHOLE, document.get(), ["schema", "choices"])?;
        let schema = required_string("/schema", schema)?;
        if schema != SCHEMA {
            return Err(Misfit::new("/schema", named(&schema), named(SCHEMA)));
        }
        let choices = choices.ok_or_else(|| Misfit::new("/choices", "nothing", "an array"))?;
        let rows: Vec<&RawValue> = serde_json::from_str(choices)
            .map_err(|_| Misfit::new("/choices", Json::parse(choices).type_name(), "an array"))?;
        rows.iter().enumerate().map(|(index, row)| entry(index, row.get())).collect()
    };
    entries().map_err(|misfit| misfit.in_file(file))
}

fn entry(index: usize, text: &str) -> Result<Entry, Misfit> {
    let place = |member: &str| format!("/choices/{index}/{member}");
    let here = format!("/choices/{index}");
    let names = ["kind", "key", "path", "choice", "saw", "queue", "result", "by"];
    let [kind, key, path, choice, saw, queue, result, by] = members(&here, text, names)?;
    let optional_string = |member: &str, text: Option<&str>| {
        text.map(|text| required_string(&place(member), Some(text))).transpose()
    };
    Ok(Entry {
        kind: Kind::from_wire(&required_string(&place("kind"), kind)?),
        key: required_string(&place("key"), key)?,
        path: optional_string("path", path)?.map(|path| FieldPath::from_text(&path)),
        word: word(&place("choice"), choice)?,
        saw: optional_string("saw", saw)?,
        queue: queue.map_or(Ok(Vec::new()), |text| {
            serde_json::from_str(text).map_err(|_| {
                Misfit::new(place("queue"), Json::parse(text).type_name(), "an array of queue ids")
            })
        })?,
        result: result.map(Json::parse),
        by: optional_string("by", by)?
            .map(|name| {
                Strategy::from_name(&name)
                    .ok_or_else(|| Misfit::new(place("by"), named(&name), "the name of a strategy"))
            })
            .transpose()?,
    })
}

fn word(pointer: &str, text: Option<&str>) -> Result<Word, Misfit> {
    let text = text.ok_or_else(|| Misfit::new(pointer, "nothing", WORDS))?;
    match Json::parse(text) {
        Json::String(word) => Word::from_text(&word).ok_or_else(|| Misfit::new(pointer, named(&word), WORDS)),
        Json::Object(members) => match (members.len(), members.into_iter().next()) {
            (1, Some((name, value))) if name == EDIT => Ok(Word::Edit(value)),
            (_, _) => Err(Misfit::new(pointer, "an object with other members", WORDS)),
        },
        other => Err(Misfit::new(pointer, other.type_name(), WORDS)),
    }
}

/// The members of an object by their names, as text; none may be missing from `names` or stand there twice.
fn members<'t, const N: usize>(
    pointer: &str,
    text: &'t str,
    names: [&str; N],
) -> Result<[Option<&'t str>; N], Misfit> {
    let expected = || format!("an object with no members but {}", names.join(", "));
    let read =
        text.starts_with('{').then(|| Members::deserialize(&mut serde_json::Deserializer::from_str(text)));
    let Some(Ok(Members { list, repeated })) = read else {
        return Err(Misfit::new(pointer, Json::parse(text).type_name(), expected()));
    };
    if let Some(name) = repeated {
        return Err(Misfit::new(pointer, format!("the member {} twice", named(&name)), "each member once"));
    }
    let mut found = [None; N];
    for (name, value) in list {
        match names.iter().position(|known| *known == name) {
            Some(at) => found[at] = Some(value.get()),
            None => return Err(Misfit::new(pointer, format!("the member {}", named(&name)), expected())),
        }
    }
    Ok(found)
}

fn required_string(pointer: &str, text: Option<&str>) -> Result<String, Misfit> {
    match text.map(Json::parse) {
        Some(Json::String(string)) => Ok(string),
        Some(other) => Err(Misfit::new(pointer, other.type_name(), "a string")),
        None => Err(Misfit::new(pointer, "nothing", "a string")),
    }
}
