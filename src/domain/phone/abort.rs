//! Why the phone's client would end its sync: one abort anywhere ends the cycle, and the cursor stays where it was
//! (PROTOCOL A10).

use std::fmt;

use crate::domain::identity::Place;
use crate::domain::mutation::Kind;

/// A row of PROTOCOL A10, as far as a queue and a window tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AbortId {
    /// The server's creation of a session is at the place of a tombstone, and the device has that session already.
    A1,
    /// The server's creation of a session is at the place of two tombstones.
    A2,
    /// The server moves a session onto the place of another one.
    A3,
    /// The server's creation of a collection has the name of two tombstones.
    A4,
    /// The server gives a collection the name of another one.
    A5,
    /// The server makes another collection the default one.
    A6,
    /// More than two queued mutations of one bookmark.
    L1,
    /// Two queued deletions of one bookmark.
    L2,
    /// A queued deletion of a bookmark without the server's id.
    L3,
    /// Two queued creations of one bookmark.
    L4,
    /// A queued creation and an update of one bookmark: the update counts as a second creation.
    L5,
    /// A queued creation of a bookmark, and then its deletion.
    L6,
    /// A queued deletion of a collection or a note without the server's id.
    L7,
    /// A queued link without a collection, collection without a name, note without a body.
    L8,
    /// A queued bookmark of no place that the client knows.
    L9,
    /// A server mutation that names no resource.
    G1,
    /// An entry of the feed that cannot be decoded.
    G2,
    /// A member of the server's that is no scalar, or no list.
    G3,
    /// The device made what the server deleted.
    R1,
    /// The device deletes what the server has made under another id.
    R2,
    /// A shape that the client does not know.
    R3,
    /// More mutations in one POST than the server takes.
    P1,
    /// A mutation that the server is documented to refuse.
    P2,
    /// An update, or a deletion of a session, without the server's id: sent all the same, and its answer refused.
    K1,
}

impl AbortId {
    /// The id in PROTOCOL A10, such as `S-R1`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A1 => "S-A1",
            Self::A2 => "S-A2",
            Self::A3 => "S-A3",
            Self::A4 => "S-A4",
            Self::A5 => "S-A5",
            Self::A6 => "S-A6",
            Self::L1 => "S-L1",
            Self::L2 => "S-L2",
            Self::L3 => "S-L3",
            Self::L4 => "S-L4",
            Self::L5 => "S-L5",
            Self::L6 => "S-L6",
            Self::L7 => "S-L7",
            Self::L8 => "S-L8",
            Self::L9 => "S-L9",
            Self::G1 => "S-G1",
            Self::G2 => "S-G2",
            Self::G3 => "S-G3",
            Self::R1 => "S-R1",
            Self::R2 => "S-R2",
            Self::R3 => "S-R3",
            Self::P1 => "S-P1",
            Self::P2 => "S-P2",
            Self::K1 => "S-K1",
        }
    }

    /// What gets the phone going again.
    pub const fn recovery(self) -> Recovery {
        match self {
            Self::A1
            | Self::A2
            | Self::L1
            | Self::L2
            | Self::L3
            | Self::L4
            | Self::L5
            | Self::L6
            | Self::L7
            | Self::L8
            | Self::L9
            | Self::R1
            | Self::R3
            | Self::P1
            | Self::K1 => Recovery::RepairedDatabase,
            Self::G1 | Self::G2 => Recovery::ServerFix,
            Self::A3 | Self::A4 | Self::A5 | Self::A6 => Recovery::Apart,
            Self::G3 | Self::R2 => Recovery::PushOnly,
            Self::P2 => Recovery::UserAction,
        }
    }
}

impl fmt::Display for AbortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The recovery modes of PROTOCOL A10, and the one case that none of them is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// What is written on the server changes the feed enough for the phone's next sync to pass.
    PushOnly,
    /// Two resources of the server have to be told apart there: one is moved, renamed or deleted.
    Apart,
    /// After the push the user has to do something in the app.
    UserAction,
    /// After the push the phone needs a repaired copy of its database.
    RepairedDatabase,
    /// The server's answer itself is wrong.
    ServerFix,
}

impl Recovery {
    /// The mode in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::PushOnly => "writing that resource anew on the server lets the phone's next sync pass",
            Self::Apart => {
                "move, rename or delete one of the two on the server: the phone's next sync then passes"
            }
            Self::UserAction => "push the rest, and the user has to correct it in the app",
            Self::RepairedDatabase => {
                "push it from here; the phone itself needs a repaired copy of its database then"
            }
            Self::ServerFix => "the server's answer has to be corrected",
        }
    }
}

/// One thing that ends the client's sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abort {
    /// Which row of PROTOCOL A10.
    pub id: AbortId,
    /// Of which kind the mutations are, where it is one.
    pub kind: Option<Kind>,
    /// Where they stand, for bookmarks.
    pub place: Option<Place>,
    /// Positions in the queue.
    pub device: Vec<usize>,
    /// Positions in the window.
    pub server: Vec<usize>,
    /// What is wrong, where the id alone does not say it; never what people wrote.
    pub detail: Option<String>,
}

impl Abort {
    pub(super) fn of_device(id: AbortId, kind: &Kind, place: Option<Place>, device: Vec<usize>) -> Self {
        Self { id, kind: Some(kind.clone()), place, device, server: Vec::new(), detail: None }
    }

    pub(super) fn of_server(id: AbortId, kind: &Kind, detail: Option<&str>, server: Vec<usize>) -> Self {
        let detail = detail.map(str::to_owned);
        Self { id, kind: Some(kind.clone()), place: None, device: Vec::new(), server, detail }
    }
}
