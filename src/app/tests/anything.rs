//! Whatever is pressed, whenever, at whatever size: nothing panics, and nothing is sent but by `y` on a preview.

use proptest::prelude::*;
use proptest::strategy::Strategy;

use super::fixing::POISON;
use super::sample::{DEVICE, EMPTY, EMPTY_PULL, PULL, TWIN_PULL, TWINS};
use super::*;
use crate::domain::push::{End, Note};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Key(KeyEvent),
    Burst(KeyEvent, bool),
    Stand(u64),
    Paste,
    Resize(u16, u16),
    Pointer(Pointer),
    Inspected(bool),
    PullFailed,
    TokenWanted,
    Note,
    End(u8),
    Edited(u64, bool),
    Tick,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let names = "d s b e E x u U ^r n N D S W 1 2 3 4 K A p y / o w L t a v m T c r l h j k g G ^d ^u ^z f Tab Enter Esc Up Down Left \
                 Right Home End PgUp PgDn Space Backspace ? q ^c ^s ^w ^k z Z";
    let key = prop::sample::select(keys(names));
    let burst = (key.clone(), any::<bool>()).prop_map(|(key, first)| Step::Burst(key, first));
    let key = key.prop_map(Step::Key);
    let target = prop_oneof![
        (0..12usize).prop_map(Target::Row),
        (0..12usize).prop_map(Target::Field),
        (0..12usize).prop_map(Target::Entry),
        prop::sample::select(BINDINGS.iter().map(|binding| binding.action).collect::<Vec<_>>())
            .prop_map(Target::Act),
        (0..20usize, 0..5usize).prop_map(|(row, column)| Target::Cell { row, column }),
        Just(Target::List),
        Just(Target::Fields),
        Just(Target::Overlay),
    ];
    let pointer = (target, -3..3i8).prop_map(|(target, wheel)| {
        Step::Pointer(if wheel == 0 { Pointer::Click(target) } else { Pointer::Wheel(target, wheel) })
    });
    let step = prop_oneof![
        30 => key,
        6 => burst,
        12 => prop::sample::select(vec![1, 100, 249, 300, 700]).prop_map(Step::Stand),
        1 => Just(Step::Paste),
        2 => (0..170u16, 0..60u16).prop_map(|(width, height)| Step::Resize(width, height)),
        3 => pointer,
        1 => any::<bool>().prop_map(Step::Inspected),
        1 => Just(Step::PullFailed),
        1 => Just(Step::TokenWanted),
        1 => Just(Step::Note),
        1 => (0..4u8).prop_map(Step::End),
        1 => (0..40u64, any::<bool>()).prop_map(|(job, saved)| Step::Edited(job, saved)),
        1 => Just(Step::Tick),
    ];
    prop::collection::vec(step, 0..80)
}

/// The fields on which another choice stands by now.
fn changed(before: &Resolution, after: &Resolution) -> Vec<Unit> {
    let gone = before.iter().filter(|(unit, _)| after.get(unit.pair, &unit.path).is_none());
    let made = after.iter().filter(|(unit, chosen)| before.get(unit.pair, &unit.path) != Some(*chosen));
    gone.chain(made).map(|(unit, _)| unit.clone()).collect()
}

/// Plays the steps; `look` is called after each.
pub(crate) fn run(source: usize, steps: Vec<Step>, mut look: impl FnMut(&App)) -> Result<(), TestCaseError> {
    let sources = [(DEVICE, PULL), (TWINS, TWIN_PULL), (EMPTY, EMPTY_PULL), (POISON, EMPTY_PULL)];
    let (device, pull) = sources[source % sources.len()];
    let mut app = sample::start(device, (120, 36));
    // Some sessions begin before the pull is done.
    if source < sources.len() {
        app.update(Event::Inspected(Box::new(sample::inspection(device, pull))));
    }
    let (mut stood, mut chose) = (0, std::collections::BTreeSet::new());
    for step in steps {
        let previewed = app.place() == Place::Preview || app.place() == Place::Question;
        let confirms = matches!(&step, Step::Key(key) if key.code == KeyCode::Char('y'))
            || matches!(&step, Step::Pointer(Pointer::Click(Target::Act(Action::Confirm | Action::Yes))));
        let before = (app.place(), app.overlays().len());
        let blind = app.layout().too_small();
        let choices = app.bench().map(|bench| bench.resolution.clone());
        let (in_burst, first) = match &step {
            Step::Burst(_, first) => (true, *first),
            _ => (false, true),
        };
        if let Step::Stand(ms) = step {
            stand(&mut app, ms);
            stood += ms;
            continue;
        }
        let event = match step {
            Step::Key(key) => Event::Key(key),
            Step::Burst(key, first) => Event::Burst { key, first },
            Step::Paste => Event::Paste(String::from("pasted\r\n\u{202E}text")),
            Step::Resize(width, height) => Event::Resize { width, height },
            Step::Pointer(pointer) => Event::Pointer(pointer),
            Step::Inspected(same) => {
                if !matches!(app.phase(), Phase::Connecting(_)) {
                    continue;
                }
                let pull = if same { String::from(pull) } else { pull.replace("256", "257") };
                Event::Inspected(Box::new(sample::inspection(device, &pull)))
            }
            Step::PullFailed if matches!(app.phase(), Phase::Connecting(_)) => Event::PullFailed(failure()),
            Step::TokenWanted if matches!(app.phase(), Phase::Connecting(_) | Phase::Pushing(_)) => {
                Event::TokenWanted(failure())
            }
            Step::Note if matches!(app.phase(), Phase::Pushing(_)) => Event::Push(Note::Lost { post: 1 }),
            Step::End(how) if matches!(app.phase(), Phase::Pushing(_)) => {
                let how = match how {
                    0 => End::Done,
                    1 => End::Left,
                    2 => End::Reopened(Vec::new()),
                    _ => End::HeadKeepsMoving,
                };
                Event::PushEnded(super::pushing::end(&app, how))
            }
            Step::PullFailed
            | Step::TokenWanted
            | Step::Note
            | Step::End(_)
            | Step::Tick
            | Step::Stand(_) => Event::Tick(Millis(app.now().0 + 1000)),
            Step::Edited(job, saved) => {
                let text =
                    if saved { Ok(String::from("from outside\n")) } else { Err(String::from("it failed")) };
                Event::Edited { job: EditJob(job), text }
            }
        };
        let acts =
            matches!(&event, Event::Key(_) | Event::Burst { .. } | Event::Pointer(_) | Event::Paste(_));
        let effects = app.update(event);
        let sent = effects.iter().any(|effect| matches!(effect, Effect::Push { .. }));
        prop_assert!(!sent || (previewed && confirms && !in_burst && !blind && stood >= 249));
        if before != (app.place(), app.overlays().len()) {
            stood = 0;
        }
        let units = app
            .bench()
            .zip(choices)
            .map_or_else(Vec::new, |(bench, before)| changed(&before, &bench.resolution));
        prop_assert!(!(blind && acts) || units.is_empty(), "nothing is chosen while nothing is drawn");
        if first || !in_burst {
            chose.clear();
        }
        if in_burst {
            chose.extend(units);
        }
        prop_assert!(!in_burst || chose.len() <= 1, "a burst chose for {} fields", chose.len());
        for effect in settle(&mut app, effects) {
            if let Effect::History { job, percent, .. } = effect {
                let said = if percent == 100 { Said::Empty } else { Said::of(history::summary(), true) };
                app.update(Event::History { job, said });
            }
        }
        look(&app);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_panics_and_nothing_is_sent_unasked(source in 0..8usize, steps in steps()) {
        run(source, steps, |app| {
            if let Some(bench) = app.bench() {
                assert_eq!(bench.focused.is_some(), !bench.rows.is_empty());
                assert!(bench.selection.len() == bench.rows.len());
                assert_eq!(bench.progress, bench.resolution.progress(&bench.inspection));
            }
        })?;
    }
}
