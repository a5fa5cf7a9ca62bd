//! Pieces -> rows: what is hidden, and what stands beside what.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::{Folding, Kind, Line, Mark, Piece, Row, Span};

/// A fold takes a row itself: fewer lines than this are not worth one.
const LEAST_LINES: usize = 2;

/// Hides the middle of long stretches that are the same. Equal texts are not folded: there is no change to see.
pub(super) fn fold(device: &str, pieces: Vec<Piece>, folding: Folding) -> Vec<Piece> {
    if pieces.len() < 2 {
        return pieces;
    }
    let last = pieces.len() - 1;
    let mut folded = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.into_iter().enumerate() {
        let text = &device[piece.device.clone()];
        let hidden = match piece.kind {
            Kind::Changed | Kind::Folded => 0..0,
            Kind::Same => {
                let start = if index == 0 { 0 } else { behind_change(text, folding) };
                let end = if index == last { text.len() } else { before_change(text, folding) };
                start..end
            }
        };
        if !is_worth_hiding(text.get(hidden.clone()).unwrap_or_default(), folding) {
            folded.push(piece);
            continue;
        }
        for (range, kind) in [
            (0..hidden.start, Kind::Same),
            (hidden.clone(), Kind::Folded),
            (hidden.end..text.len(), Kind::Same),
        ] {
            if !range.is_empty() {
                let within = |side: &Range<usize>| side.start + range.start..side.start + range.end;
                folded.push(Piece { device: within(&piece.device), server: within(&piece.server), kind });
            }
        }
    }
    folded
}

fn is_worth_hiding(text: &str, folding: Folding) -> bool {
    text.matches('\n').count() >= LEAST_LINES || text.graphemes(true).nth(folding.characters).is_some()
}

/// Where what stays visible behind a change ends: after a line or a word, or within a word that is too long.
fn behind_change(text: &str, folding: Folding) -> usize {
    let mut lines = 0;
    let mut word = 0;
    for (count, (start, grapheme)) in text.grapheme_indices(true).enumerate() {
        if count == folding.characters {
            return if word > 0 { word } else { start };
        }
        let end = start + grapheme.len();
        if grapheme.ends_with('\n') {
            lines += 1;
            if lines >= folding.lines {
                return end;
            }
        }
        if grapheme.starts_with(char::is_whitespace) {
            word = end;
        }
    }
    text.len()
}

/// Where what stays visible before a change begins.
fn before_change(text: &str, folding: Folding) -> usize {
    let mut lines = 0;
    let mut word = text.len();
    for (count, (start, grapheme)) in text.grapheme_indices(true).rev().enumerate() {
        let end = start + grapheme.len();
        if count == folding.characters {
            return if word < text.len() { word } else { end };
        }
        if grapheme.ends_with('\n') && end < text.len() {
            lines += 1;
            if lines >= folding.lines {
                return end;
            }
        }
        if grapheme.starts_with(char::is_whitespace) {
            word = end;
        }
    }
    0
}

/// The pieces as rows. A row ends where both sides end a line, so that what belongs together stays side by side.
pub(super) fn rows(device: Option<&str>, server: Option<&str>, pieces: &[Piece]) -> Vec<Row> {
    let (device_text, server_text) = (device.unwrap_or_default(), server.unwrap_or_default());
    let mut rows = Rows::default();
    for piece in pieces {
        match piece.kind {
            Kind::Same => rows.same(device_text, piece),
            Kind::Changed => rows.changed(device_text, server_text, piece),
            Kind::Folded => {
                rows.end();
                let hidden = &device_text[piece.device.clone()];
                rows.list.push(Row::Fold {
                    device: piece.device.clone(),
                    server: piece.server.clone(),
                    lines: hidden.matches('\n').count(),
                    words: hidden.split_whitespace().count(),
                });
            }
        }
    }
    rows.end();
    // A text that is empty stands on a line, one that is absent does not.
    let empty_line = |text: Option<&str>| (text == Some("")).then(|| Line { range: 0..0, spans: Vec::new() });
    match rows.list.first_mut() {
        Some(Row::Change { device: device_line, server: server_line }) => {
            *device_line = device_line.take().or_else(|| empty_line(device));
            *server_line = server_line.take().or_else(|| empty_line(server));
        }
        Some(Row::Same { .. } | Row::Fold { .. }) => {}
        None => match (empty_line(device), empty_line(server)) {
            (None, None) => {}
            (Some(_), Some(_)) => rows.list.push(Row::Same { device: 0..0, server: 0..0 }),
            (device, server) => rows.list.push(Row::Change { device, server }),
        },
    }
    rows.list
}

/// The rows so far, and the one being put together.
#[derive(Default)]
struct Rows {
    list: Vec<Row>,
    device: Vec<Span>,
    server: Vec<Span>,
}

impl Rows {
    fn same(&mut self, device_text: &str, piece: &Piece) {
        let mut at = 0;
        for line in device_text[piece.device.clone()].split_inclusive('\n') {
            let end = at + line.len();
            let within = |side: &Range<usize>| side.start + at..side.start + end;
            add(&mut self.device, within(&piece.device), Mark::Same);
            add(&mut self.server, within(&piece.server), Mark::Same);
            if line.ends_with('\n') {
                self.end();
            }
            at = end;
        }
    }

    fn changed(&mut self, device_text: &str, server_text: &str, piece: &Piece) {
        let line_end = |text: &str, rest: &Range<usize>| {
            text[rest.clone()].find('\n').map(|newline| rest.start + newline + 1)
        };
        let (mut device, mut server) = (piece.device.clone(), piece.server.clone());
        while let (Some(device_end), Some(server_end)) =
            (line_end(device_text, &device), line_end(server_text, &server))
        {
            add(&mut self.device, device.start..device_end, Mark::Changed);
            add(&mut self.server, server.start..server_end, Mark::Changed);
            self.end();
            (device.start, server.start) = (device_end, server_end);
        }
        let at_start = self.device.is_empty() && self.server.is_empty();
        while at_start
            && server.is_empty()
            && let Some(end) = line_end(device_text, &device)
        {
            add(&mut self.device, device.start..end, Mark::Changed);
            self.end();
            device.start = end;
        }
        while at_start
            && device.is_empty()
            && let Some(end) = line_end(server_text, &server)
        {
            add(&mut self.server, server.start..end, Mark::Changed);
            self.end();
            server.start = end;
        }
        add(&mut self.device, device, Mark::Changed);
        add(&mut self.server, server, Mark::Changed);
    }

    fn end(&mut self) {
        let device = line(std::mem::take(&mut self.device));
        let server = line(std::mem::take(&mut self.server));
        match (device, server) {
            (None, None) => {}
            (Some(device), Some(server)) if device.is_same() && server.is_same() => {
                self.list.push(Row::Same { device: device.range, server: server.range });
            }
            (device, server) => self.list.push(Row::Change { device, server }),
        }
    }
}

impl Line {
    fn is_same(&self) -> bool {
        self.spans.iter().all(|span| span.mark == Mark::Same)
    }
}

fn add(spans: &mut Vec<Span>, range: Range<usize>, mark: Mark) {
    match spans.last_mut() {
        _ if range.is_empty() => {}
        Some(last) if last.mark == mark => last.range.end = range.end,
        _ => spans.push(Span { range, mark }),
    }
}

fn line(spans: Vec<Span>) -> Option<Line> {
    let range = spans.first()?.range.start..spans.last()?.range.end;
    Some(Line { range, spans })
}
