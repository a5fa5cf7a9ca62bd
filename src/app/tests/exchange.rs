//! The exchange as a sequence: every step has its place, and it grows while it is looked at.

use super::pushing::{end, pushing};
use super::sample::{DEVICE, PULL, inspecting};
use super::*;
use crate::app::{Lane, Manner, Message, Overlay, Timeline};
use crate::domain::mutation::Cursor;
use crate::domain::push::{End, Note};

fn view(app: &App) -> &Timeline {
    match app.overlays().last() {
        Some(Overlay::Timeline(timeline)) => timeline,
        _ => panic!("the exchange is not open"),
    }
}

fn told(timeline: &Timeline) -> Vec<(Lane, Lane, Manner, &str)> {
    timeline
        .messages
        .iter()
        .map(|Message { from, to, manner, label, .. }| (*from, *to, *manner, label.as_str()))
        .collect()
}

#[test]
fn the_409_stands_between_what_the_others_wrote_and_the_recovery() {
    use Lane::{Device, Others, Server};
    use Manner::{Bad, Good, Note as Nothing, Request};
    let mut app = inspecting(DEVICE, PULL, (120, 36));
    play(&mut app, "T");
    let told = told(view(&app));
    let steps: Vec<_> = told.iter().map(|(from, to, manner, _)| (*from, *to, *manner)).collect();
    let attempt = told.iter().position(|step| step.3.starts_with("409")).expect("the 409");
    assert_eq!(told[attempt - 1].3, "POST lastMutationAt=100");
    assert_eq!(steps[attempt], (Server, Device, Bad));
    // Before it: writes of others, and the device's own write whose answer got lost.
    assert!(steps[..attempt - 1].contains(&(Others, Server, Request)));
    assert!(told[..attempt - 1].contains(&(Server, Device, Bad, "the answer got lost")));
    // After it: the pull, then what waits for a person.
    assert!(steps[attempt + 1..].iter().all(|(_, _, manner)| *manner != Bad));
    assert_eq!(steps.last(), Some(&(Device, Device, Nothing)));
    assert!(told.last().expect("a step").3.ends_with("open"));
    assert!(steps[..attempt].iter().filter(|step| **step == (Server, Others, Good)).count() > 1);
}

#[test]
fn it_grows_while_it_is_looked_at_and_keeps_what_the_others_wrote() {
    let mut app = pushing((120, 36));
    play(&mut app, "T");
    let before = view(&app).messages.len();
    app.update(Event::Push(Note::Sending { post: 1, mutations: 2, head: Cursor::read(200) }));
    app.update(Event::Push(Note::Acknowledged { post: 1, mutations: 2, head: Cursor::read(230) }));
    let timeline = view(&app);
    assert_eq!(timeline.messages.len(), before + 2);
    assert_eq!(timeline.selection.cursor(), before + 1, "the newest step is marked");
    let others = |app: &App| view(app).messages.iter().filter(|message| message.from == Lane::Others).count();
    let wrote = others(&app);
    let ended = end(&app, End::Done);
    app.update(Event::PushEnded(ended));
    play(&mut app, "T");
    assert!(wrote > 0);
    assert_eq!(others(&app), wrote);
    assert_eq!(view(&app).messages.last().map(|message| message.label.as_str()), Some("in step: cursor 230"));
}

#[test]
fn who_looks_at_an_earlier_step_stays_there() {
    let mut app = pushing((120, 36));
    play(&mut app, "T g");
    app.update(Event::Push(Note::Sending { post: 1, mutations: 2, head: Cursor::read(200) }));
    assert_eq!(view(&app).selection.cursor(), 0);
}

#[test]
fn what_happened_keeps_its_own_head_and_answer_after_the_retry() {
    let mut app = pushing((120, 36));
    let steps = [
        Note::Sending { post: 1, mutations: 2, head: Cursor::read(200) },
        Note::Refused { post: 1, status: 409, code: Some(String::from("OutOfSyncError")) },
        Note::Pulling { since: Cursor::read(200) },
        Note::Pulled { head: Cursor::read(210), new: 1 },
        Note::Sending { post: 2, mutations: 2, head: Cursor::read(210) },
        Note::Acknowledged { post: 2, mutations: 2, head: Cursor::read(230) },
    ];
    let expected = [
        "POST lastMutationAt=200 · 2 mutations",
        "409 OutOfSyncError",
        "GET mutationsSince=200",
        "200 · 1 mutation · head 210",
        "POST lastMutationAt=210 · 2 mutations",
        "200 · 2 mutations · head 230",
    ];
    play(&mut app, "T");
    let before: Vec<String> = view(&app).messages.iter().map(|message| message.label.clone()).collect();
    assert!(before.iter().any(|label| label == "POST lastMutationAt=100"), "{before:?}");
    for (at, step) in steps.into_iter().enumerate() {
        app.update(Event::Push(step));
        let labels: Vec<&str> = view(&app).messages.iter().map(|message| message.label.as_str()).collect();
        let (old, new) = labels.split_at(before.len());
        assert_eq!(old, before, "what happened before the retry stays as it was");
        assert_eq!(new, &expected[..=at]);
    }
    // And once it has ended, when the device's own cursor is another one.
    let ended = end(&app, End::Done);
    app.update(Event::PushEnded(ended));
    play(&mut app, "T");
    let labels: Vec<&str> = view(&app).messages.iter().map(|message| message.label.as_str()).collect();
    let from = labels.iter().position(|label| *label == expected[0]).expect("the first POST");
    assert_eq!(labels[from..from + expected.len()], expected);
    assert_eq!(labels.iter().filter(|label| **label == "POST lastMutationAt=100").count(), 1, "{labels:?}");
}
