//! Fields of a resource and the three-way rule: which side changed what, and what each choice would leave.

use std::fmt;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use super::json::Json;
use super::mutation::{Kind, Side};
use super::stamp::{self, Misread};

/// Where a field stands in `data`: a JSON pointer, `""` for whether the resource exists at all, or a coupled
/// unit written `/key+verseNumber`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FieldPath(Arc<str>);

impl FieldPath {
    /// Whether the resource exists: the field of an edit against a delete.
    pub fn existence() -> Self {
        Self("".into())
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is a member of a member, which an update sets as part of the whole.
    pub fn is_nested(&self) -> bool {
        self.0.matches('/').count() > 1
    }

    /// Whether this is the resource's existence rather than one of its members.
    pub fn is_existence(&self) -> bool {
        self.0.is_empty()
    }

    /// The name that a person reads: `body`, `position`, `resource`.
    pub fn label(&self) -> String {
        match self.as_str() {
            "" => String::from("resource"),
            OTHER_NAME => String::from("other's name"),
            POSITION_BOOKMARK | POSITION_SESSION => String::from("position"),
            path => path.trim_start_matches('/').replace("~1", "/").replace("~0", "~"),
        }
    }

    /// A collection's name.
    pub fn name() -> Self {
        Self("/name".into())
    }

    /// The name of the server's collection that has the name which the device gave to this one.
    pub fn other_name() -> Self {
        Self(OTHER_NAME.into())
    }

    /// Whether a bookmark is the reading place.
    pub fn reading() -> Self {
        Self("/isReading".into())
    }

    /// A path from its text, as choices files and reports write it.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    fn member(parent: &str, name: &str) -> Self {
        Self(format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1")).into())
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the server's collection of a contested name is to be called: a question on the device's collection, no member
/// of it.
const OTHER_NAME: &str = "/name@server";

const POSITION_BOOKMARK: &str = "/key+verseNumber";
const POSITION_SESSION: &str = "/chapterNumber+verseNumber";

/// What both sides last agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nobody recorded it; it is never guessed.
    Absent,
    /// It stands in the device file.
    Recorded(Json),
}

/// What the three-way rule says of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Both sides have it and nobody changed it, or nothing tells them apart.
    Equal,
    /// Only the device changed it.
    DeviceOnly,
    /// Only the server changed it.
    ServerOnly,
    /// Both changed it, to the same value.
    SameChange,
    /// Both changed it, to different values; or they differ and no base is recorded.
    Conflict,
}

impl Verdict {
    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::DeviceOnly => "device-only",
            Self::ServerOnly => "server-only",
            Self::SameChange => "same-change",
            Self::Conflict => "conflict",
        }
    }
}

/// What kind of value a field holds; decides which choices it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldShape {
    /// Whether the resource exists.
    Existence,
    /// A text that a person wrote.
    Text,
    /// A set: the order of its elements does not matter.
    Set,
    /// Members that only make sense together.
    Position,
    /// Anything else: one side's value survives.
    Plain,
    /// Times and derived names: shown, but they never diverge.
    Bookkeeping,
}

/// One field of a pair: what each side says of it and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Which field.
    pub path: FieldPath,
    /// What kind of value it holds.
    pub shape: FieldShape,
    /// What the three-way rule says.
    pub verdict: Verdict,
    /// What both sides last agreed on.
    pub base: Base,
    /// The device's value; `None` where its mutation leaves the field alone.
    pub device: Option<Json>,
    /// The server's value; `None` where its state does not hold the field.
    pub server: Option<Json>,
    /// What another resource has on the server that the device's value cannot stand beside.
    pub against: Option<Box<Against>>,
}

/// What a value cannot stand beside: another resource of the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Against {
    /// What the two contend for.
    pub contest: Contest,
    /// The other resource, as reports name it.
    pub key: String,
    /// What it holds: the same name; for the reading place the bookmark's place, where it tells it.
    pub holds: Json,
    /// Why the two cannot be made one; `None` where they can.
    pub apart: Option<&'static str>,
}

/// What two resources can contend for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Contest {
    /// One name for two collections.
    NameTaken,
    /// The one reading place of a user.
    ReadingPlace,
}

impl Contest {
    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NameTaken => "name-taken",
            Self::ReadingPlace => "reading-place",
        }
    }
}

/// What survives in one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The device's value; on a resource's existence: what the device did (`keep deleted` where it deleted).
    Device,
    /// The server's value; on a resource's existence: what the server did.
    Server,
    /// Both: the merged set, or the device's text followed by the server's.
    Both,
    /// A value that a person wrote.
    Edited(Json),
}

impl Choice {
    /// The word in reports; an edited value is not part of it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Server => "server",
            Self::Both => "both",
            Self::Edited(_) => "edited",
        }
    }
}

impl From<Side> for Choice {
    fn from(side: Side) -> Self {
        match side {
            Side::Device => Self::Device,
            Side::Server => Self::Server,
        }
    }
}

impl Field {
    /// The value of one side.
    pub const fn value(&self, side: Side) -> Option<&Json> {
        match side {
            Side::Device => self.device.as_ref(),
            Side::Server => self.server.as_ref(),
        }
    }

    /// Why that side's time cannot be read, where the field is one of the client's times.
    pub fn misread(&self, side: Side) -> Option<Misread> {
        let is_time = stamp::NAMES.iter().any(|name| self.path.0.strip_prefix('/') == Some(name));
        stamp::read(self.value(side).filter(|_| is_time)).err()
    }

    /// Whether that side changed the field, as far as the verdict tells.
    pub const fn changed_by(&self, side: Side) -> bool {
        match (self.verdict, side) {
            (Verdict::Conflict | Verdict::SameChange, _)
            | (Verdict::DeviceOnly, Side::Device)
            | (Verdict::ServerOnly, Side::Server) => true,
            (Verdict::Equal, _)
            | (Verdict::DeviceOnly, Side::Server)
            | (Verdict::ServerOnly, Side::Device) => false,
        }
    }

    /// Whether that side holds what both last agreed on.
    pub fn unchanged_by(&self, side: Side) -> bool {
        match (&self.base, self.value(side)) {
            (Base::Recorded(base), Some(value)) => {
                base == value || (self.shape == FieldShape::Set && same_elements(base, value))
            }
            (Base::Recorded(_) | Base::Absent, _) => false,
        }
    }

    /// What settles the field without a person: the three-way rule, and the set rule where a base is recorded.
    /// `None` is a conflict that waits for a choice.
    pub fn settled(&self) -> Option<Choice> {
        if self.against.is_some() {
            return None;
        }
        match self.verdict {
            Verdict::DeviceOnly => Some(Choice::Device),
            Verdict::Equal | Verdict::ServerOnly | Verdict::SameChange => Some(Choice::Server),
            Verdict::Conflict if self.shape == FieldShape::Set && matches!(self.base, Base::Recorded(_)) => {
                Some(Choice::Both)
            }
            Verdict::Conflict => None,
        }
    }

    /// The value that `choice` leaves; `None` when the choice says nothing here (no such value, nothing to join).
    pub fn result(&self, choice: &Choice) -> Option<Json> {
        match choice {
            Choice::Device => self.device.clone().or_else(|| match &self.base {
                Base::Recorded(value) => Some(value.clone()),
                Base::Absent => None,
            }),
            Choice::Server => self.server.clone().or_else(|| match (&self.base, self.verdict) {
                (Base::Recorded(value), _) => Some(value.clone()),
                (Base::Absent, _) => None,
            }),
            // Two collections made one bear the name that both wanted.
            Choice::Both if self.against.is_some() => self.device.clone(),
            Choice::Both => self.joined(),
            Choice::Edited(value) => Some(value.clone()),
        }
    }

    /// Why a choice cannot be made on this field; `None` when it can.
    pub fn unavailable(&self, choice: &Choice) -> Option<&'static str> {
        if self.shape == FieldShape::Bookkeeping {
            return Some("bookkeeping follows the values; there is nothing to choose");
        }
        match choice {
            Choice::Both if self.shape == FieldShape::Existence => Some("a resource exists or it does not"),
            Choice::Both if self.against.is_some() => self.against.as_ref().and_then(|other| other.apart),
            Choice::Both if self.joined().is_none() => Some("only two different texts or sets can be joined"),
            Choice::Edited(_) if self.shape == FieldShape::Existence => {
                Some("choose device or server first; then the fields can be edited")
            }
            Choice::Device if self.shape != FieldShape::Existence && self.result(choice).is_none() => {
                Some("the device says nothing of this field and no base is recorded")
            }
            Choice::Device | Choice::Server | Choice::Both | Choice::Edited(_) => None,
        }
    }

    fn joined(&self) -> Option<Json> {
        let (device, server) = (self.device.as_ref()?, self.server.as_ref()?);
        match (self.shape, device, server) {
            (FieldShape::Set, Json::Array(device), Json::Array(server)) => {
                let base = match &self.base {
                    Base::Recorded(Json::Array(base)) => Some(base.as_slice()),
                    Base::Recorded(_) | Base::Absent => None,
                };
                Some(Json::Array(join_sets(base, device, server)))
            }
            (FieldShape::Text, Json::String(device), Json::String(server)) if device != server => {
                Some(Json::String(format!("{device}\n\n{server}")))
            }
            _ => None,
        }
    }
}

/// (base + adds) - removes; without a base the union. Symmetrical but for the order of elements.
fn join_sets(base: Option<&[Json]>, device: &[Json], server: &[Json]) -> Vec<Json> {
    let removed = |value: &Json| {
        base.is_some_and(|base| base.contains(value)) && !(device.contains(value) && server.contains(value))
    };
    let mut joined: Vec<Json> = Vec::new();
    for value in base.unwrap_or_default().iter().chain(device).chain(server) {
        if !removed(value) && !joined.contains(value) {
            joined.push(value.clone());
        }
    }
    joined
}

/// What the server gives of one resource and what the device sets on it, field by field in the order of the
/// device's data. `base` is what a queue entry or a synced row recorded.
pub fn compare(
    kind: &Kind,
    base: &IndexMap<String, Json>,
    device: &IndexMap<String, Json>,
    server: &IndexMap<String, Json>,
) -> Vec<Field> {
    let (base, device, server) = (normal(kind, base), normal(kind, device), normal(kind, server));
    let mut fields = Vec::new();
    compare_members(kind, "", &base, &device, &server, &mut fields);
    fields
}

fn compare_members(
    kind: &Kind,
    parent: &str,
    base: &IndexMap<String, Json>,
    device: &IndexMap<String, Json>,
    server: &IndexMap<String, Json>,
    fields: &mut Vec<Field>,
) {
    let names: IndexSet<&String> = device.keys().chain(server.keys()).collect();
    for name in names {
        let (b, d, s) = (base.get(name), device.get(name), server.get(name));
        let coupled = parent.is_empty() && position(kind) == Some(name);
        if let (Some(Json::Object(d)), Some(Json::Object(s))) = (d, s)
            && !coupled
            && nothing_removed(b, d, s)
        {
            let none = IndexMap::new();
            let b = b.and_then(Json::as_object).unwrap_or(&none);
            compare_members(kind, FieldPath::member(parent, name).as_str(), b, d, s, fields);
            continue;
        }
        let path = if coupled { FieldPath(name.as_str().into()) } else { FieldPath::member(parent, name) };
        let shape = shape_of(kind, &path, parent, d, s);
        let verdict = verdict(kind, name, shape, b, d, s);
        let base = b.map_or(Base::Absent, |value| Base::Recorded(value.clone()));
        fields.push(Field {
            path,
            shape,
            verdict,
            base,
            device: d.cloned(),
            server: s.cloned(),
            against: None,
        });
    }
}

/// Whether two objects can be compared member by member. An update sets an object whole, so a member that only one
/// side holds was added there or removed on the other side; only a base that lacks it tells that it was added.
fn nothing_removed(
    base: Option<&Json>,
    device: &IndexMap<String, Json>,
    server: &IndexMap<String, Json>,
) -> bool {
    let base = base.and_then(Json::as_object);
    let added = |name: &String| base.is_some_and(|base| !base.contains_key(name));
    let lacks = |side: &IndexMap<String, Json>, other: &IndexMap<String, Json>| {
        other.keys().any(|name| !side.contains_key(name) && !added(name))
    };
    !lacks(device, server) && !lacks(server, device)
}

fn shape_of(
    kind: &Kind,
    path: &FieldPath,
    parent: &str,
    device: Option<&Json>,
    server: Option<&Json>,
) -> FieldShape {
    let is = |test: fn(&Json) -> bool| [device, server].iter().flatten().all(|value| test(value));
    match (kind, path.as_str()) {
        (_, path) if position(kind) == Some(path) => FieldShape::Position,
        (_, "/clientCreatedAt" | "/clientUpdatedAt" | "/slug") if parent.is_empty() => {
            FieldShape::Bookkeeping
        }
        (Kind::Note, "/body") if is(|value| matches!(value, Json::String(_))) => FieldShape::Text,
        (Kind::Note, "/ranges") if is(|value| matches!(value, Json::Array(_))) => FieldShape::Set,
        _ => FieldShape::Plain,
    }
}

/// The three-way rule on one field. A side that does not hold the field leaves it as it was.
fn verdict(
    kind: &Kind,
    name: &str,
    shape: FieldShape,
    base: Option<&Json>,
    device: Option<&Json>,
    server: Option<&Json>,
) -> Verdict {
    let same = |a: &Json, b: &Json| {
        a == b || (shape == FieldShape::Set && same_elements(a, b)) || same_flag(kind, name, a, b)
    };
    let unchanged = |value: &Json| base.is_some_and(|base| same(base, value));
    match (device, server) {
        (None, None) => Verdict::Equal,
        (Some(device), None) if unchanged(device) || server_keeps_quiet(kind, name, device) => Verdict::Equal,
        (Some(_), None) => Verdict::DeviceOnly,
        (None, Some(server)) if unchanged(server) => Verdict::Equal,
        (None, Some(_)) => Verdict::ServerOnly,
        (Some(device), Some(server)) => match (same(device, server), unchanged(device), unchanged(server)) {
            (true, _, _) if base.is_none() || unchanged(device) => Verdict::Equal,
            (true, _, _) => Verdict::SameChange,
            (false, _, _) if shape == FieldShape::Bookkeeping => Verdict::ServerOnly,
            (false, true, _) => Verdict::ServerOnly,
            (false, _, true) => Verdict::DeviceOnly,
            (false, false, false) => Verdict::Conflict,
        },
    }
}

fn same_elements(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Array(a), Json::Array(b)) => {
            a.iter().all(|x| b.contains(x)) && b.iter().all(|x| a.contains(x))
        }
        _ => false,
    }
}

/// The server writes "not the reading place" as `null` and the phone as `false` (PROTOCOL A7).
fn same_flag(kind: &Kind, name: &str, a: &Json, b: &Json) -> bool {
    let off = |value: &Json| matches!(value, Json::Null | Json::Bool(false));
    *kind == Kind::Bookmark && name == "isReading" && off(a) && off(b)
}

/// Members that a request carries and no feed returns (PROTOCOL A7): that the server does not repeat them is no
/// difference.
fn server_keeps_quiet(kind: &Kind, name: &str, device: &Json) -> bool {
    match kind {
        Kind::Bookmark => {
            matches!(name, "mushaf" | "mushafId" | "type")
                || (name == "isReading" && *device == Json::Bool(false))
        }
        Kind::Collection => matches!(name, "isDefault" | "isSystem") && *device == Json::Bool(false),
        Kind::Note => matches!(name, "saveToQR" | "attachedEntity"),
        Kind::Link => true,
        Kind::ReadingSession | Kind::Other(_) => false,
    }
}

/// Whether a member is part of its kind's coupled unit.
pub fn in_position(kind: &Kind, name: &str) -> bool {
    match kind {
        Kind::Bookmark | Kind::Link => matches!(name, "key" | "verseNumber"),
        Kind::ReadingSession => matches!(name, "chapterNumber" | "verseNumber"),
        Kind::Collection | Kind::Note | Kind::Other(_) => false,
    }
}

/// The name of the coupled unit of a kind that has one.
pub const fn position(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Bookmark | Kind::Link => Some(POSITION_BOOKMARK),
        Kind::ReadingSession => Some(POSITION_SESSION),
        Kind::Collection | Kind::Note | Kind::Other(_) => None,
    }
}

/// One name for what the two directions of the protocol name differently (PROTOCOL A7, D10), and one member for
/// what only makes sense together.
fn normal(kind: &Kind, members: &IndexMap<String, Json>) -> IndexMap<String, Json> {
    let mut normal: IndexMap<String, Json> = IndexMap::with_capacity(members.len());
    let mut position: IndexMap<String, Json> = IndexMap::new();
    for (name, value) in members {
        let coupled = in_position(kind, name);
        if coupled {
            position.insert(name.clone(), value.clone());
            continue;
        }
        match (kind, name.as_str(), value) {
            (Kind::Bookmark, "bookmarkType", Json::Object(inner)) if inner.contains_key("type") => {
                normal.insert(String::from("type"), inner["type"].clone());
            }
            (Kind::Bookmark, "bookmarkType", value) => {
                normal.insert(String::from("type"), value.clone());
            }
            (Kind::Bookmark, "mushafId", value) => {
                normal.insert(String::from("mushaf"), value.clone());
            }
            (Kind::Bookmark, "mushaf", _) if members.contains_key("mushafId") => {}
            (_, _, value) => {
                normal.insert(name.clone(), value.clone());
            }
        }
    }
    if let Some(name) = self::position(kind).filter(|_| !position.is_empty()) {
        normal.insert(String::from(name), Json::Object(position));
    }
    normal
}

/// `members` with `value` at `path`, in the spelling of the wire: a coupled unit sets its members, an alias sets
/// the name that `members` already uses.
pub fn set_member(kind: &Kind, members: &mut IndexMap<String, Json>, path: &FieldPath, value: &Json) {
    match (path.as_str(), value) {
        (POSITION_BOOKMARK | POSITION_SESSION, Json::Object(position)) => {
            if !position.contains_key("verseNumber") {
                members.shift_remove("verseNumber");
            }
            for (name, value) in position {
                members.insert(name.clone(), value.clone());
            }
        }
        (path, value) => {
            let mut names = path.split('/').skip(1).map(|n| n.replace("~1", "/").replace("~0", "~"));
            let Some(first) = names.next() else { return };
            let first = match (kind, first.as_str()) {
                (Kind::Bookmark, "mushaf") if members.contains_key("mushafId") => {
                    members.insert(String::from("mushaf"), value.clone());
                    String::from("mushafId")
                }
                _ => first,
            };
            let mut slot = members.entry(first).or_insert(Json::Null);
            for name in names {
                if !matches!(slot, Json::Object(_)) {
                    *slot = Json::Object(IndexMap::new());
                }
                let Json::Object(inner) = slot else { return };
                slot = inner.entry(name).or_insert(Json::Null);
            }
            *slot = value.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> IndexMap<String, Json> {
        match Json::parse(text) {
            Json::Object(members) => members,
            _ => panic!("not an object"),
        }
    }

    fn verdicts(kind: &Kind, base: &str, device: &str, server: &str) -> Vec<(String, Verdict)> {
        compare(kind, &members(base), &members(device), &members(server))
            .into_iter()
            .map(|f| (f.path.to_string(), f.verdict))
            .collect()
    }

    #[test]
    fn the_three_way_rule() {
        use Verdict::*;
        let rows = [
            (r#"{"a":1}"#, r#"{"a":1}"#, r#"{"a":1}"#, Equal),
            (r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":1}"#, DeviceOnly),
            (r#"{"a":1}"#, r#"{"a":1}"#, r#"{"a":2}"#, ServerOnly),
            (r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":2}"#, SameChange),
            (r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#, Conflict),
            ("{}", r#"{"a":2}"#, r#"{"a":2}"#, Equal),
            ("{}", r#"{"a":2}"#, r#"{"a":3}"#, Conflict),
            ("{}", r#"{"a":null}"#, r#"{"a":""}"#, Conflict),
            ("{}", r#"{"a":2}"#, "{}", DeviceOnly),
            ("{}", "{}", r#"{"a":2}"#, ServerOnly),
            (r#"{"a":1}"#, "{}", r#"{"a":1}"#, Equal),
        ];
        for (base, device, server, expected) in rows {
            let kind = Kind::Other("X".into());
            assert_eq!(verdicts(&kind, base, device, server)[0].1, expected, "{base} {device} {server}");
        }
    }

    #[test]
    fn objects_are_compared_member_by_member_and_lists_whole() {
        let kind = Kind::Other("X".into());
        let got = verdicts(
            &kind,
            r#"{"o":{"a":1,"b":1,"c/d":1}}"#,
            r#"{"o":{"a":2,"b":1,"c/d":5},"l":[1,2]}"#,
            r#"{"o":{"a":1,"b":2,"c/d":6},"l":[2,1]}"#,
        );
        let expected = [
            ("/o/a", Verdict::DeviceOnly),
            ("/o/b", Verdict::ServerOnly),
            ("/o/c~1d", Verdict::Conflict),
            ("/l", Verdict::Conflict),
        ];
        assert_eq!(got, expected.map(|(p, v)| (p.to_owned(), v)));
    }

    #[test]
    fn a_position_is_one_field_and_bookkeeping_never_diverges() {
        let got = verdicts(
            &Kind::ReadingSession,
            r#"{"chapterNumber":2,"verseNumber":1}"#,
            r#"{"chapterNumber":2,"verseNumber":5,"clientUpdatedAt":"a"}"#,
            r#"{"chapterNumber":3,"verseNumber":1,"clientUpdatedAt":"b"}"#,
        );
        assert_eq!(
            got,
            [
                (String::from("/clientUpdatedAt"), Verdict::ServerOnly),
                (String::from("/chapterNumber+verseNumber"), Verdict::Conflict)
            ]
        );
    }

    #[test]
    fn a_bookmark_that_the_server_repeats_in_its_own_words_is_no_difference() {
        let got = verdicts(
            &Kind::Bookmark,
            "{}",
            r#"{"type":"ayah","key":18,"verseNumber":10,"isReading":false,"mushaf":1}"#,
            r#"{"bookmarkType":{"type":"ayah"},"key":18,"verseNumber":10.0,"isReading":null}"#,
        );
        assert!(got.iter().all(|(_, verdict)| *verdict == Verdict::Equal), "{got:?}");
    }

    #[test]
    fn sets_join_by_adds_and_removes_or_as_a_union() {
        let field = |base: &str| {
            let all = compare(
                &Kind::Note,
                &members(base),
                &members(r#"{"ranges":["a","c"]}"#),
                &members(r#"{"ranges":["a","b","d"]}"#),
            );
            all[0].clone()
        };
        let with_base = field(r#"{"ranges":["a","b"]}"#);
        assert_eq!(with_base.settled(), Some(Choice::Both));
        assert_eq!(with_base.result(&Choice::Both).map(|v| v.to_text()), Some(r#"["a","c","d"]"#.into()));
        let without = field("{}");
        assert_eq!(without.settled(), None);
        assert_eq!(without.result(&Choice::Both).map(|v| v.to_text()), Some(r#"["a","c","b","d"]"#.into()));
    }

    #[test]
    fn a_value_is_set_in_the_spelling_of_the_wire() {
        let mut data = members(r#"{"type":"ayah","key":2,"verseNumber":3,"mushafId":4}"#);
        set_member(
            &Kind::Bookmark,
            &mut data,
            &FieldPath::from_text(POSITION_BOOKMARK),
            &Json::parse(r#"{"key":9}"#),
        );
        set_member(&Kind::Bookmark, &mut data, &FieldPath::from_text("/mushaf"), &Json::parse("2"));
        set_member(&Kind::Bookmark, &mut data, &FieldPath::from_text("/x~1y/z"), &Json::parse("1"));
        let text = serde_json::to_string(&data).expect("it serialises");
        assert_eq!(text, r#"{"type":"ayah","key":9,"mushafId":2,"mushaf":2,"x/y":{"z":1}}"#);
    }
}
