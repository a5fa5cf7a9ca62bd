//! The token, taken out of whatever a server says: whole or in part, as it is or encoded. A server that quotes it in an
//! error would else bring it onto the screen, into reports, logs and the journal.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::domain::answer::{Refusal, ResponseHead};

/// What stands in the token's place.
const MASK: &str = "[token]";
/// So many characters of a token in a row tell something of it.
const PART: usize = 8;
/// A token of so many characters is no word that somebody may have written into a note.
const UNMISTAKABLE: usize = 16;
/// A text may be encoded so often.
const LAYERS: usize = 3;
/// Words of a token that names its scopes; they are in every explanation of a 403 and no secret.
const SCOPES: [&str; 7] = ["sync", "user", "bookmark", "collection", "note", "reading_session", "goal"];

/// What is taken out. Its parts are secret, so there is no debug form.
#[derive(Clone, Default)]
pub(super) struct Mask {
    /// Every part of [`PART`] characters, in lower case, of every form of the token.
    parts: HashSet<[char; PART]>,
    /// Tokens that are shorter than a part, in lower case.
    short: Vec<Vec<char>>,
    /// The forms of tokens that cannot be taken for anything else.
    whole: Vec<String>,
}

impl Mask {
    /// For a token.
    pub(super) fn of(token: &str) -> Self {
        let mut mask = Self::default();
        mask.add(token);
        mask
    }

    /// Also for all that the other one hides: a server may still quote a token that was replaced.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.parts.extend(&other.parts);
        self.short.extend(other.short.iter().cloned());
        self.whole.extend(other.whole.iter().cloned());
        self
    }

    fn add(&mut self, token: &str) {
        // The default of a server on this machine, and what the demo uses.
        if ["sandbox", "demo"].contains(&token) {
            return;
        }
        match token.strip_prefix("scopes:") {
            Some(words) => words.split(',').filter(|word| !SCOPES.contains(word)).for_each(|w| self.form(w)),
            None => self.form(token),
        }
        for encoded in encodings(token) {
            self.form(&encoded);
            self.unmistakable(encoded);
        }
        self.unmistakable(token.to_owned());
    }

    fn form(&mut self, form: &str) {
        let characters: Vec<char> = form.chars().map(|c| c.to_ascii_lowercase()).collect();
        let parts = characters.windows(PART).filter_map(|part| <[char; PART]>::try_from(part).ok());
        self.parts.extend(parts);
        if characters.len() < PART && characters.len() > 3 {
            self.short.push(characters);
        }
    }

    fn unmistakable(&mut self, form: String) {
        if form.len() >= UNMISTAKABLE {
            self.whole.push(form);
        }
    }

    /// A text of the server without the token and its parts.
    pub(super) fn words<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut view: Vec<Seen> =
            text.char_indices().map(|(at, c)| Seen { c, at: at..at + c.len_utf8() }).collect();
        let mut hidden: Vec<Range<usize>> = Vec::new();
        for _ in 0..=LAYERS {
            self.find(&view, &mut hidden);
            let decoded = decoded(&view);
            if decoded.len() == view.len() {
                break;
            }
            view = decoded;
        }
        if hidden.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(without(text, hidden)) }
    }

    fn find(&self, view: &[Seen], hidden: &mut Vec<Range<usize>>) {
        let folded: Vec<char> = view.iter().map(|seen| seen.c.to_ascii_lowercase()).collect();
        let mut hide = |from: usize, to: usize| hidden.push(view[from].at.start..view[to - 1].at.end);
        for (at, part) in folded.windows(PART).enumerate() {
            if <[char; PART]>::try_from(part).is_ok_and(|part| self.parts.contains(&part)) {
                hide(at, at + PART);
            }
        }
        let is_word =
            |at: Option<usize>| at.and_then(|at| folded.get(at)).is_some_and(|c| c.is_alphanumeric());
        for short in &self.short {
            for (at, part) in folded.windows(short.len()).enumerate() {
                if part == short && !is_word(at.checked_sub(1)) && !is_word(Some(at + short.len())) {
                    hide(at, at + short.len());
                }
            }
        }
    }

    /// The body of a good answer without the token. Only what can be nothing else is taken out: the rest is what people
    /// wrote, and stays to the letter.
    pub(super) fn body(&self, body: String) -> String {
        if self.whole.iter().any(|form| body.contains(form.as_str())) {
            return self.whole.iter().fold(body, |body, form| body.replace(form.as_str(), MASK));
        }
        body
    }

    /// The head of an answer.
    pub(super) fn head(&self, head: ResponseHead) -> ResponseHead {
        let masked = |text: Option<String>| text.map(|text| self.words(&text).into_owned());
        ResponseHead {
            status: head.status,
            content_type: masked(head.content_type),
            request_id: masked(head.request_id),
            retry_after: head.retry_after,
            mutation_at: head.mutation_at,
            redirect_host: masked(head.redirect_host),
        }
    }

    /// A refusal.
    pub(super) fn refusal(&self, mut refusal: Refusal) -> Refusal {
        refusal.message = self.words(&refusal.message).into_owned();
        refusal.code = refusal.code.map(|code| self.words(&code).into_owned());
        refusal.request_id = refusal.request_id.map(|id| self.words(&id).into_owned());
        refusal
    }
}

/// A character, and where what stands for it is in the text.
#[derive(Clone)]
struct Seen {
    c: char,
    at: Range<usize>,
}

/// One layer of encoding less: `%41`, `\u0041`, `\x41`, `&#65;`, `&#x41;`.
fn decoded(view: &[Seen]) -> Vec<Seen> {
    let mut out = Vec::with_capacity(view.len());
    let mut at = 0;
    while at < view.len() {
        let (c, length) = escape(&view[at..]).unwrap_or((view[at].c, 1));
        out.push(Seen { c, at: view[at].at.start..view[at + length - 1].at.end });
        at += length;
    }
    out
}

/// The ASCII character that an escape at the beginning stands for, and the escape's length.
fn escape(view: &[Seen]) -> Option<(char, usize)> {
    let is = |at: usize, c: char| view.get(at).is_some_and(|seen| seen.c == c);
    let number = |from: usize, radix: u32, most: usize| {
        let digits: String =
            view.iter().skip(from).map(|seen| seen.c).take_while(|c| c.is_digit(radix)).take(most).collect();
        u32::from_str_radix(&digits, radix).ok().map(|value| (value, digits.len()))
    };
    let (value, length) = if is(0, '%') {
        let (value, digits) = number(1, 16, 2)?;
        (value, if digits == 2 { 3 } else { return None })
    } else if is(0, '\\') && is(1, 'u') {
        let (value, digits) = number(2, 16, 4)?;
        (value, if digits == 4 { 6 } else { return None })
    } else if is(0, '\\') && is(1, 'x') {
        let (value, digits) = number(2, 16, 2)?;
        (value, if digits == 2 { 4 } else { return None })
    } else if is(0, '\\') && is(1, '/') {
        (u32::from('/'), 2)
    } else if is(0, '&') && is(1, '#') {
        let (from, radix) = if is(2, 'x') || is(2, 'X') { (3, 16) } else { (2, 10) };
        let (value, digits) = number(from, radix, 7)?;
        (value, from + digits + usize::from(is(from + digits, ';')))
    } else {
        return None;
    };
    char::from_u32(value).filter(char::is_ascii).map(|c| (c, length))
}

/// The token in base64, at each of the three places at which it may begin within an encoded text, and in hexadecimal.
fn encodings(token: &str) -> Vec<String> {
    let mut encodings = Vec::new();
    for lead in 0..3 {
        let shifted = [vec![0; lead], token.as_bytes().to_vec()].concat();
        // Characters at the ends also hold bits of what stands before and behind.
        let (first, bits) = ([0, 2, 3][lead], shifted.len() * 8);
        for encoded in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            encodings.extend(encoded.get(first..bits / 6).map(str::to_owned));
        }
    }
    let mut hexadecimal = String::with_capacity(2 * token.len());
    for byte in token.bytes() {
        // Writing to a text cannot fail.
        let _ = write!(hexadecimal, "{byte:02x}");
    }
    encodings.push(hexadecimal);
    encodings.sort();
    encodings.dedup();
    encodings
}

/// The text with [`MASK`] in the place of each stretch.
fn without(text: &str, mut hidden: Vec<Range<usize>>) -> String {
    hidden.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (at, range) in hidden.into_iter().enumerate() {
        if at == 0 || range.start > end {
            out.push_str(&text[end..range.start]);
            out.push_str(MASK);
        }
        end = end.max(range.end);
    }
    out.push_str(&text[end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "t0k3n-That/must+not.show_4711";

    fn said(text: &str) -> String {
        Mask::of(TOKEN).words(text).into_owned()
    }

    #[test]
    fn the_token_is_taken_out_whole_and_in_part() {
        assert_eq!(said(&format!("bad token {TOKEN}!")), "bad token [token]!");
        assert_eq!(said(&format!("bad token \"{}\" given", &TOKEN[..8])), "bad token \"[token]\" given");
        assert_eq!(said(&format!("{}… is expired", &TOKEN[..12])), "[token]… is expired");
        assert_eq!(said(&format!("ends in {}", &TOKEN[TOKEN.len() - 9..])), "ends in [token]");
        assert_eq!(said(&TOKEN.to_uppercase()), "[token]");
        assert_eq!(said(&format!("{TOKEN}{TOKEN} {TOKEN}")), "[token] [token]");
        assert_eq!(said("صبر: the token must not be shown"), "صبر: the token must not be shown");
    }

    #[test]
    fn the_token_is_taken_out_in_every_encoding() {
        let each = |form: fn(u8) -> String| TOKEN.bytes().map(form).collect::<String>();
        let percent = each(|b| format!("%{b:02X}"));
        let mut forms = vec![
            percent.clone(),
            TOKEN.replace('/', "%2f").replace('+', "%2B"),
            percent.replace('%', "%25"),
            each(|b| format!("\\u{b:04x}")),
            each(|b| format!("\\x{b:02x}")),
            each(|b| format!("&#{b};")),
            each(|b| format!("&#x{b:x};")),
            each(|b| format!("{b:02x}")),
            TOKEN.replace('/', "\\/"),
        ];
        for before in ["", "B", "Be", "Bearer "] {
            let whole = format!("{before}{TOKEN}");
            forms.push(STANDARD_NO_PAD.encode(&whole));
            forms.push(URL_SAFE_NO_PAD.encode(format!("{whole}!")));
        }
        for form in forms {
            let said = said(&format!("<{form}>"));
            // What is left at the ends of base64 is less than a part.
            assert!(said.contains(MASK) && said.len() < MASK.len() + 16, "{form}: {said}");
        }
    }

    #[test]
    fn the_scopes_that_a_token_names_are_no_secret_and_its_other_words_are() {
        let mask = Mask::of("scopes:sync,reading_session,t0k3n-that-must-not-show");
        assert_eq!(mask.words("lacks reading_session"), "lacks reading_session");
        assert_eq!(mask.words("for t0k3n-that-must-not-show"), "for [token]");
    }

    #[test]
    fn a_short_token_is_a_word_and_the_defaults_are_none() {
        assert_eq!(
            Mask::of("abc12").words("abc12 is bad, xabc12 is not it"),
            "[token] is bad, xabc12 is not it"
        );
        assert_eq!(Mask::of("sandbox").words("the sandbox says no"), "the sandbox says no");
    }

    #[test]
    fn of_a_good_answer_only_the_whole_token_is_taken_out() {
        let mask = Mask::of(TOKEN);
        let body = |text: &str| mask.body(text.to_owned());
        assert_eq!(body(&format!("{{\"id\":\"{TOKEN}\"}}")), r#"{"id":"[token]"}"#);
        assert_eq!(body(&TOKEN[..12]), &TOKEN[..12]);
        assert_eq!(Mask::of("password").body(String::from("my password")), "my password");
    }

    #[test]
    fn a_token_that_was_replaced_stays_hidden() {
        let both = Mask::of("another-token-0815").and(&Mask::of(TOKEN));
        assert_eq!(both.words(&format!("{TOKEN} another-token-0815")), "[token] [token]");
    }
}
