//! The four strategies side by side: what the cells say, what stands behind them, and that a column is applied like the
//! key of its strategy.

use super::*;
use crate::domain::mutation::Kind;

fn opened() -> App {
    let mut app = app();
    play(&mut app, "v");
    app
}

fn comparing(app: &App) -> &Comparing {
    app.comparing().expect("the comparison is open")
}

fn paragraphs(page: &Page) -> Vec<&str> {
    page.paragraphs().collect()
}

#[test]
fn every_number_is_the_one_that_the_preview_would_give() {
    let app = opened();
    let comparison = comparing(&app).comparison.as_ref().expect("it is compared");
    for strategy in Strategy::ALL {
        let mut other = super::app();
        let key = Strategy::ALL.iter().position(|other| *other == strategy).map_or(0, |at| at + 1);
        play(&mut other, &format!("{key} p"));
        let preview = other.preview().expect("the preview");
        let plan = preview.plan.as_ref().expect("the plan");
        let of = |cost: Cost| cost.of(comparison, strategy);
        assert_eq!(of(Cost::Pushed), Some(plan.pushed()), "{strategy}");
        assert_eq!(of(Cost::Applied), Some(plan.apply.len()), "{strategy}");
        assert_eq!(of(Cost::Open), Some(plan.open.len()), "{strategy}");
        let lost = [Side::Device, Side::Server].map(|side| of(Cost::Lost(side)).unwrap_or(0));
        assert_eq!(lost.iter().sum::<usize>(), plan.ledger.len(), "{strategy}");
    }
}

#[test]
fn a_column_is_applied_to_all_that_is_open_and_taken_back_at_once() {
    let mut by_key = app();
    play(&mut by_key, "2");
    let mut app = opened();
    play(&mut app, "l a");
    assert!(app.overlays().is_empty());
    assert_eq!(bench(&app).resolution, bench(&by_key).resolution);
    play(&mut app, "u");
    assert!(bench(&app).resolution.is_empty());
    // The digits mean the same here as in the inspector.
    play(&mut app, "v 2");
    assert_eq!(bench(&app).resolution.iter().count(), bench(&by_key).resolution.iter().count());
}

#[test]
fn a_column_is_applied_to_the_marked_kind_alone() {
    let mut app = opened();
    play(&mut app, "m");
    assert!(status(&app).contains("mark a resource"), "{}", status(&app));
    play(&mut app, "n m");
    assert!(app.overlays().is_empty());
    let kinds: Vec<Kind> = bench(&app)
        .resolution
        .iter()
        .map(|(unit, _)| bench(&app).inspection.pair(unit.pair).kind.clone())
        .collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| *kind == kinds[0]), "{kinds:?}");
    assert!(bench(&app).progress.open() > 0, "other kinds stay open");
    play(&mut app, "u");
    assert!(bench(&app).resolution.is_empty());
}

#[test]
fn every_cell_opens_its_ledger() {
    let mut app = opened();
    let rows = comparing(&app).rows.clone();
    for (row, of_row) in rows.iter().enumerate() {
        for column in 0..4 {
            let pointer = Pointer::Click(Target::Cell { row, column });
            // A click marks a cell; one on the marked cell opens it.
            if (comparing(&app).selection.cursor(), comparing(&app).column) != (row, column) {
                app.update(Event::Pointer(pointer));
            }
            assert_eq!((comparing(&app).selection.cursor(), comparing(&app).column), (row, column));
            let behind = comparing(&app).behind.clone();
            app.update(Event::Pointer(pointer));
            let Some(Overlay::Ledger(page)) = app.overlays().last() else { panic!("row {row}") };
            assert!(paragraphs(page).len() > usize::from(matches!(of_row, CompareRow::Kept(..))));
            assert_eq!(paragraphs(page), paragraphs(&behind));
            assert!(paragraphs(page)[0].starts_with(Strategy::ALL[column].name()));
            play(&mut app, "Esc");
        }
    }
}

/// The ledger behind "device values lost" of server-wins holds every value that the plan loses, each after its reason.
#[test]
fn the_ledger_holds_the_lost_values() {
    let mut app = opened();
    play(&mut app, "j j");
    assert_eq!(comparing(&app).marked(), Some(CompareRow::Cost(Cost::Lost(Side::Device))));
    let page = paragraphs(&comparing(&app).behind);
    let comparison = comparing(&app).comparison.as_ref().expect("it is compared");
    let ledger = &comparison.column(Strategy::ServerWins).plan.ledger;
    let lost: Vec<String> = ledger.iter().filter(|loss| loss.side == Side::Device).map(loss_words).collect();
    assert!(!lost.is_empty());
    assert_eq!(page.len(), 1 + 2 * lost.len());
    assert!(lost.iter().all(|text| page.contains(&text.as_str())));
}

/// What the row of the clock says is what stands behind it: each winner and the seconds that turn it.
#[test]
fn the_clock_tells_which_winners_turn_and_at_how_many_seconds() {
    let mut app = opened();
    play(&mut app, "l l j j j j j j");
    assert_eq!(comparing(&app).marked(), Some(CompareRow::Cost(Cost::Turned)));
    assert_eq!(comparing(&app).strategy(), Strategy::LastWriteWins);
    let comparison = comparing(&app).comparison.as_ref().expect("it is compared");
    assert!(!comparison.flips.is_empty());
    let page = paragraphs(&comparing(&app).behind);
    assert_eq!(page.len(), 2 + comparison.flips.len());
    assert!(page[1].contains(&format!("{} at 1 min", comparison.flipped_within(60_000))), "{}", page[1]);
    for (text, flip) in page[2..].iter().zip(&comparison.flips) {
        assert!(text.ends_with(&format!("{} s {}", flip.seconds(), flip.direction())), "{text}");
    }
    // The strategies that look at no clock say so.
    play(&mut app, "l");
    assert!(paragraphs(&comparing(&app).behind)[1].contains("only last-write-wins"));
}

#[test]
fn choices_by_hand_stand_in_every_column() {
    let mut app = app();
    play(&mut app, "d v");
    let by_hand = bench(&app).resolution.iter().next().map(|(unit, _)| unit.clone()).expect("a choice");
    let comparison = comparing(&app).comparison.as_ref().expect("it is compared");
    let row = comparison.rows.iter().find(|row| row.pair == by_hand.pair).expect("its row");
    let line = row.lines.iter().find(|line| line.path == by_hand.path).expect("its line");
    assert!(line.leaves.iter().all(|leaves| leaves.keeps == crate::domain::compare::Keeps::Device));
}

#[test]
fn the_whole_resource_asks_which_side() {
    let mut app = app();
    play(&mut app, "a");
    assert_eq!(app.place(), Place::Whole);
    play(&mut app, "Esc");
    assert!(app.overlays().is_empty() && bench(&app).resolution.is_empty());
    play(&mut app, "a d");
    assert_eq!(choice_on(&app, 0, "/body"), Some(Choice::Device));
}
