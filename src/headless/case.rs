//! `case` without a screen: from an inspection and a decision to a file.

use std::io::{self, Write};
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};

use super::{Decided, Decision, decide};
use crate::case::redact::StandIns;
use crate::case::{self, NewCase};
use crate::domain::inspect::Inspection;
use crate::domain::mutation::Millis;
use crate::domain::safe_text::visible_line;
use crate::durable;
use crate::error::InputError;

/// Makes the case and writes it to `out`, which must not be there yet: whatever is there may be the only device
/// file. Answers what to tell the person.
///
/// # Errors
/// A choices file that does not fit, a file that cannot be made.
pub fn case(
    inspection: &Inspection,
    decision: Option<Decision<'_>>,
    now: Millis,
    redact: bool,
    out: &Path,
) -> Result<String, InputError> {
    let cannot = |source: io::Error| InputError::Io {
        what: "cannot write",
        path: out.to_owned(),
        source,
        next: "Give --out a file that is not there yet, in a folder that you may write to",
    };
    let decided = decision.map(|decision| decide(inspection, decision)).transpose()?;
    let decision = match (decision, &decided) {
        (Some(Decision::Strategy(strategy)), _) => Some(case::Decision::Strategy(strategy)),
        (Some(Decision::Choices { .. }), Some(Decided { resolution, .. })) => {
            Some(case::Decision::Choices(resolution))
        }
        (Some(Decision::Choices { .. }), None) | (None, _) => None,
    };
    let stand_ins = redact.then(|| random().map(StandIns::new)).transpose().map_err(cannot)?;
    let case = NewCase::of(inspection, decision.as_ref(), now, stand_ins)?;
    let mut file = durable::private().write(true).create_new(true).open(out).map_err(cannot)?;
    let written = case.write(&mut file).and_then(|()| file.flush()).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half a case is none.
        let _ = std::fs::remove_file(out);
        return Err(cannot(error));
    }
    let name = out.display().to_string();
    let out = visible_line(&name);
    let private = if redact { KEPT } else { " It holds people's notes as they are; --redact replaces them." };
    Ok(format!("Wrote {out}. See it with `unstick open {out}`.{private}"))
}

/// What a redacted case says of itself.
const KEPT: &str = " Texts, numbers, places, the device and its user are stand-ins. As they are: ids of resources and queue entries, kinds, operations, times, flags, and places that no server takes.";

/// 64 random bits at a time, from the system, in portions.
fn random() -> io::Result<impl FnMut() -> u64> {
    let system = SystemRandom::new();
    let mut portion = [0; 4096];
    let mut at = portion.len();
    system.fill(&mut portion).map_err(|_| io::Error::other("the system gives no random bits"))?;
    Ok(move || {
        if at >= portion.len() {
            // It gave some a moment ago; the old portion is as good a stand-in for nothing.
            let _ = system.fill(&mut portion);
            at = 0;
        }
        at += 8;
        portion.get(at - 8..at).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
    })
}
