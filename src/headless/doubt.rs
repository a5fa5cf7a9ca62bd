//! The way out of doubt without a screen: each queue entry in doubt is shown beside what may be it, and a person says
//! what became of it, by flags or when asked.

use std::io::{self, BufRead, IsTerminal, Write};

use super::{Format, finish};
use crate::cli::Answers;
use crate::domain::again::Again;
use crate::domain::inspect::Inspection;
use crate::domain::mutation::{QueueId, ResourceId};
use crate::domain::push::{Question, Record, Said, questions};
use crate::domain::safe_text::visible_line;
use crate::error::InputError;
use crate::exit::ExitCode;
use crate::report::doubt;
use crate::session::Session;

/// Keeps what the person says of what is in doubt, and looks at both sides again. Nothing is sent.
///
/// # Errors
/// An answer to what is not in doubt or that can mean several things, or a journal that cannot be written. Nothing was
/// kept then.
pub fn settle(
    session: &mut Session,
    inspection: Inspection,
    answers: &Answers,
) -> Result<Inspection, InputError> {
    let open = questions(&inspection);
    let mut told = answered(session, &inspection, &open, answers)?;
    if answers.ask && io::stdin().is_terminal() {
        let said: Vec<&str> = answers.not_arrived.iter().map(String::as_str).collect();
        let arrived = answers.arrived.iter().map(|(entry, _)| entry.as_str());
        let said: Vec<&str> = said.into_iter().chain(arrived).collect();
        for question in &open {
            if !question.queue.iter().any(|id| said.contains(&id.as_str())) {
                told.extend(ask(&inspection, question).map(|said| question.answered(&inspection, said)));
            }
        }
    }
    if told.is_empty() {
        return Ok(inspection);
    }
    session.settle(&told)?;
    let settled = told.len();
    let left = open.len().saturating_sub(settled);
    eprintln!("· {settled} settled, as the journal keeps it from now on; {left} still in doubt");
    Ok(session.inspect(inspection.window.as_ref().clone()))
}

/// The flags as the journal keeps them.
fn answered(
    session: &Session,
    inspection: &Inspection,
    open: &[Question],
    answers: &Answers,
) -> Result<Vec<Record>, InputError> {
    let refuse = |reason: String, next: String| InputError::Unsupported {
        file: session.file().name().to_owned(),
        reason,
        next: format!("Nothing was sent and nothing kept. {next}"),
    };
    let about = |entry: &str| {
        let question = open.iter().find(|question| question.queue.iter().any(|id| id.as_str() == entry));
        question.ok_or_else(|| {
            let names: Vec<&str> =
                open.iter().flat_map(|question| &question.queue).map(QueueId::as_str).collect();
            let next = match names.as_slice() {
                [] => String::from("Nothing is in doubt: go on without the flag"),
                names => format!("In doubt: {}", names.join(", ")),
            };
            refuse(format!("holds no queue entry {entry} that is in doubt"), next)
        })
    };
    let mut told = Vec::new();
    for (entry, id) in &answers.arrived {
        let question = about(entry)?;
        let ids = question.ids(inspection);
        let named: Vec<&str> = ids.iter().map(ResourceId::as_str).collect();
        let id = match id {
            Some(id) if ids.iter().any(|known| known.as_str() == id) => Some(ResourceId::from(id.as_str())),
            Some(id) => {
                let next = format!("What may be it: {}", named.join(", "));
                return Err(refuse(format!("has a queue entry {entry} that cannot be {id}"), next));
            }
            None if question.candidates.len() > 1 => {
                let next = format!("Say which: --arrived {entry}=ID with one of {}", named.join(", "));
                return Err(refuse(format!("has a queue entry {entry} that may be one of several"), next));
            }
            None => ids.first().cloned(),
        };
        told.push(question.answered(inspection, Said::Arrived(id)));
    }
    for entry in &answers.not_arrived {
        told.push(about(entry)?.answered(inspection, Said::NotArrived));
    }
    Ok(told)
}

/// One question, on a terminal. `None` where the person leaves it open.
fn ask(inspection: &Inspection, question: &Question) -> Option<Said> {
    for line in shown(inspection, question) {
        eprintln!("{}", visible_line(&line));
    }
    let many = question.candidates.len() > 1;
    let choice = if many { "its number if it arrived" } else { "a: that is it, it arrived" };
    eprint!("{choice}, n: none of it is, send it again, Enter: leave it open > ");
    let _ = io::stderr().flush();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).ok()?;
    let ids = question.ids(inspection);
    match line.trim() {
        "n" => Some(Said::NotArrived),
        "a" if !many => Some(Said::Arrived(ids.first().cloned())),
        number => {
            let at = number.parse::<usize>().ok()?.checked_sub(1)?;
            ids.get(at).map(|id| Said::Arrived(Some(id.clone())))
        }
    }
}

/// A question with both sides.
fn shown(inspection: &Inspection, question: &Question) -> Vec<String> {
    let mut lines = vec![format!("? {}: has it arrived?", question.title(inspection))];
    for (number, (candidate, fields)) in (1..).zip(question.beside(inspection)) {
        lines.push(format!("  {number}. {candidate}"));
        lines.extend(fields.into_iter().map(|field| format!("     {field}")));
    }
    lines
}

/// Says what is still in doubt, with the flags that settle it; sends nothing.
///
/// # Errors
/// Standard output that cannot be written to.
pub fn tell(inspection: &Inspection, again: &Again, format: Format) -> Result<ExitCode, InputError> {
    let open = questions(inspection);
    if format == Format::Json {
        let code = if open.is_empty() { ExitCode::Open } else { ExitCode::Unknown };
        return finish(doubt::write_json(inspection, &mut io::stdout().lock()), code);
    }
    let mut lines: Vec<String> = Vec::new();
    for question in &open {
        lines.extend(shown(inspection, question));
        let Some(entry) = question.queue.first() else { continue };
        let several = question.candidates.len() > 1;
        let ids = question.ids(inspection);
        for id in ids {
            let arrived = if several { format!("{entry}={id}") } else { entry.to_string() };
            lines.push(format!(
                "  it is {id}: {}",
                again.command("resume", &["--arrived", &arrived, "--yes"])
            ));
        }
        let not = again.command("resume", &["--not-arrived", entry.as_str(), "--yes"]);
        lines.push(format!("  it is none of these, send it again: {not}"));
    }
    let code = if open.is_empty() {
        lines.push(format!("nothing is in doubt; nothing was sent: {}", again.command("resume", &["--yes"])));
        ExitCode::Open
    } else {
        lines.push(cost(again));
        ExitCode::Unknown
    };
    let mut out = io::stdout().lock();
    finish(lines.iter().try_for_each(|text| writeln!(out, "{}", visible_line(text))), code)
}

/// What giving it up would cost.
fn cost(again: &Again) -> String {
    format!(
        "to give it all up instead: {}; what is in doubt stays in the queue, and what of it did arrive in other words is sent again then and is there twice",
        again.command("resume", &["--discard"])
    )
}
