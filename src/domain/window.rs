//! The window: the server's mutations since the device's cursor, all pages, plus the head.

use super::mutation::{Cursor, Kind, ServerMutation};

/// What the server holds that the device may not have seen.
#[derive(Clone, Debug)]
pub struct Window {
    /// Which pull this is; decides the words that a person reads.
    pub path: PullPath,
    /// `mutationsSince` of the pull.
    pub since: Cursor,
    /// The server's head: the same on the first and on the last page (PROTOCOL A5).
    pub head: Cursor,
    /// The mutations of all pages, sorted by timestamp, then bookmark, collection, link, rest (PROTOCOL D19).
    pub mutations: Vec<ServerMutation>,
    /// Entries of the feed that could not be understood. While there are any the cursor must not move.
    pub unreadable: Vec<Unreadable>,
    /// Things about the answers that a person should know (a header that differs from the body, …).
    pub warnings: Vec<String>,
    /// The kinds that the token cannot see, where that is known: not visible is not the same as missing.
    pub not_visible: Vec<Kind>,
}

/// Why the window was pulled the way it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullPath {
    /// From the device's cursor: the usual one.
    SinceCursor,
    /// The account has no sync history: the head is -1 (PROTOCOL A5).
    FirstSync,
    /// The file holds no cursor: the head was asked for alone, then everything was pulled from 0.
    LostCursor,
    /// The device's cursor is ahead of the head: this server never gave it. Everything was pulled from 0.
    CursorAhead,
    /// The GET itself was refused as out of sync (PROTOCOL D18): everything was pulled from 0.
    RefusedSince,
}

/// An entry that could not be understood, by where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// JSON pointer into the page, such as `/data/mutations/3/timestamp`.
    pub pointer: String,
    /// Page number, from 1.
    pub page: u32,
    /// What was found there, never the content.
    pub found: String,
    /// What was expected.
    pub expected: &'static str,
}
