//! When an action applies, and why not: the reasons that the help shows and the status line answers.

use super::App;
use super::action::Place;
use super::choose;
use super::{Phase, Question};
use crate::domain::field::Choice;
use crate::domain::json::Json;
use crate::domain::mutation::Side;

type Answer = Result<(), &'static str>;

/// Always.
#[expect(clippy::unnecessary_wraps, reason = "one of many that have to answer")]
pub const fn always(_: &App) -> Answer {
    Ok(())
}

/// While there is an inspection to look at.
pub fn inspecting(app: &App) -> Answer {
    app.bench().map(|_| ()).ok_or("the two sides are not put together yet")
}

fn choice(app: &App, choice: &Choice) -> Answer {
    inspecting(app)?;
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    let (_, pair) = bench.pair().ok_or("no resource is marked")?;
    let field = bench.field().ok_or("the resource has no field to choose on")?;
    choose::refusal(pair, field, choice).map_or(Ok(()), Err)
}

/// The device's value can be chosen.
pub fn device(app: &App) -> Answer {
    choice(app, &Choice::Device)
}

/// The server's value can be chosen.
pub fn server(app: &App) -> Answer {
    choice(app, &Choice::Server)
}

/// Both can be chosen.
pub fn both(app: &App) -> Answer {
    choice(app, &choose::third(app.bench()))
}

/// The value can be edited here.
pub fn edit(app: &App) -> Answer {
    edit_outside(app)?;
    let field = app.bench().and_then(|bench| bench.field());
    let long = |value: &Json| value.as_str().is_some_and(|text| text.len() > super::draft::LONGEST);
    if field.is_some_and(|field| field.device.iter().chain(&field.server).any(long)) {
        return Err("longer than this editor takes; E opens yours");
    }
    Ok(())
}

/// The value can be edited.
pub fn edit_outside(app: &App) -> Answer {
    choice(app, &Choice::Edited(Json::Null))
}

/// The server would refuse something that can be edited.
pub fn fix(app: &App) -> Answer {
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    bench.next_refused().map(|_| ()).ok_or("nothing is known that the server would refuse")
}

/// There is a choice on the field.
pub fn clear(app: &App) -> Answer {
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    let field = bench.field().ok_or("no field is marked")?;
    bench.choice(field).map(|_| ()).ok_or("nothing is chosen on this field")
}

/// There is something to take back.
pub fn undo(app: &App) -> Answer {
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    bench.resolution.undoable().map(|_| ()).ok_or("nothing was chosen yet")
}

/// There is something to do again.
pub fn redo(app: &App) -> Answer {
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    bench.resolution.redoable().map(|_| ()).ok_or("nothing was taken back")
}

/// Something is open.
pub fn next_open(app: &App) -> Answer {
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    if bench.progress.open() > 0 || !bench.refused.is_empty() {
        Ok(())
    } else if bench.progress.diverged == 0 {
        Err("nothing diverges")
    } else {
        Err("everything is resolved; p shows what a retry would do")
    }
}

/// One side can stand for the resource.
pub fn whole(app: &App) -> Answer {
    whole_device(app).or_else(|_| whole_server(app))
}

fn whole_of(app: &App, side: Side) -> Answer {
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    let (id, _) = bench.pair().ok_or("no resource is marked")?;
    if choose::whole(&bench.inspection, id, side).is_empty() {
        return Err("there is nothing to choose on this resource");
    }
    Ok(())
}

/// The device's side can stand for the resource.
pub fn whole_device(app: &App) -> Answer {
    whole_of(app, Side::Device)
}

/// The server's side can stand for it.
pub fn whole_server(app: &App) -> Answer {
    whole_of(app, Side::Server)
}

/// A rule has something to decide.
pub fn rule(app: &App) -> Answer {
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    if bench.inspection.summary.diverged == 0 { Err("nothing diverges") } else { Ok(()) }
}

/// The marked strategy can be applied to all that is open.
pub fn apply_all(app: &App) -> Answer {
    rule(app)?;
    let comparing = app.comparing().ok_or("v puts the strategies side by side")?;
    comparing.comparison.as_ref().map(|_| ()).ok_or("the strategies are still being compared")
}

/// The marked strategy can be applied to a kind.
pub fn apply_kind(app: &App) -> Answer {
    apply_all(app)?;
    let pair = app.comparing().and_then(super::Comparing::pair);
    pair.map(|_| ()).ok_or("mark a resource below first: its kind is meant")
}

/// A rule for one kind has something to decide.
pub fn kind_menu(app: &App) -> Answer {
    rule(app)?;
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    bench.pair().map(|_| ()).ok_or("no resource is marked")
}

/// There are rows to pick from.
pub fn filter(app: &App) -> Answer {
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    if bench.inspection.pairs.is_empty() { Err("there is nothing to pick from") } else { Ok(()) }
}

/// There is something to go into.
pub fn open(app: &App) -> Answer {
    if app.comparing().is_some() {
        return Ok(());
    }
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    bench.pair().map(|_| ()).ok_or("no resource is marked")
}

/// The marked entry of the preview is about a resource.
pub fn go_to_entry(app: &App) -> Answer {
    let place = app.bench().and_then(|bench| app.preview()?.place(&bench.inspection));
    place.map(|_| ()).ok_or("this line is of no one resource; mark one below it")
}

/// There is something to close.
pub fn back(app: &App) -> Answer {
    let filtered = app.bench().is_some_and(|bench| !bench.query.is_empty());
    if app.place() == Place::List && !filtered { Err("nothing is open here; q leaves") } else { Ok(()) }
}

/// There is an id to copy.
pub fn copy(app: &App) -> Answer {
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    bench.pair().map(|_| ()).ok_or("no resource is marked")
}

/// There are choices to save.
pub fn save_choices(app: &App) -> Answer {
    let bench = app.bench().ok_or("the two sides are not put together yet")?;
    if bench.resolution.is_empty() { Err("nothing is chosen yet") } else { Ok(()) }
}

/// What the preview shows can be sent.
pub fn confirm(app: &App) -> Answer {
    if let Some(reason) = app.read_only() {
        return Err(reason);
    }
    let preview = app.preview().ok_or("p shows first what would be sent")?;
    let plan = preview.plan.as_ref().ok_or("the plan is still being made")?;
    let nothing = plan.batches.is_empty() && plan.apply.is_empty() && plan.drop.is_empty();
    if nothing && !plan.open.is_empty() {
        return Err("nothing is settled yet; choose first");
    }
    if nothing && !plan.moves_cursor {
        return Err("there is nothing that could be sent or applied");
    }
    app.is_read()
}

/// A question can be answered with yes: one about leaving at once, since nothing is sent by that.
pub fn yes(app: &App) -> Answer {
    match app.overlays().last() {
        // Nothing is sent by it, and nothing lost.
        Some(super::Overlay::Question(super::Question::Earlier { .. })) => Ok(()),
        Some(super::Overlay::Question(question)) if is_about_leaving(question) => Ok(()),
        _ => app.is_read(),
    }
}

/// A token was typed.
pub fn give_token(app: &App) -> Answer {
    match app.token() {
        Some(prompt) if prompt.length() > 0 => Ok(()),
        Some(_) | None => Err("type or paste the token first; Esc goes on without"),
    }
}

/// A push can be pulled out of.
pub fn stop(app: &App) -> Answer {
    match app.phase() {
        Phase::Pushing(pushing) if pushing.stopping => Err("it stops as soon as this answer is there"),
        Phase::Pushing(_) => Ok(()),
        Phase::Connecting(_) | Phase::Inspecting | Phase::Ended(_) => Err("nothing is being sent"),
    }
}

/// A pull can be made.
pub fn reload(app: &App) -> Answer {
    match app.phase() {
        Phase::Connecting(connecting) if connecting.failed.is_none() => Err("the pull is under way"),
        Phase::Pushing(_) => Err("the push is under way"),
        Phase::Connecting(_) | Phase::Inspecting | Phase::Ended(_) => Ok(()),
    }
}

/// The log's charts do not fit at once.
pub fn more_charts(app: &App) -> Answer {
    match app.history() {
        Some(history) if history.pages() > 1 => Ok(()),
        Some(_) | None => Err("all charts are in view"),
    }
}

/// Whether a question is about leaving; Ctrl-C answers that one with yes.
pub fn is_about_leaving(question: &Question) -> bool {
    matches!(question, Question::Quit { .. } | Question::QuitPushing | Question::QuitUnknown)
}
