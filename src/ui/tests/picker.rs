//! The picker of the demo's scenarios.

use super::*;
use crate::app::{Offered, Picker};
use crate::sandbox::scenario::Scenario;

fn picker(size: (u16, u16)) -> Picker {
    let offered = Scenario::list().iter().map(|scenario| Offered {
        name: scenario.name.to_owned(),
        title: scenario.title.clone(),
        teaches: scenario.teaches.clone(),
    });
    Picker::new(offered.collect(), size)
}

fn drawn(picker: &Picker, theme: Theme) -> (Buffer, Regions) {
    let mut buffer = Buffer::empty(picker.area());
    let regions = draw_picker(picker, theme, &mut buffer);
    (buffer, regions)
}

#[test]
fn each_scenario_is_named_and_the_marked_one_tells_all_that_it_teaches() {
    for size in SIZES {
        let mut picker = picker(size);
        for at in 0..picker.offered.len() {
            picker.selection.go(at);
            let text = text(&drawn(&picker, Theme::Dark).0);
            let marked = text.lines().find(|line| line.contains('▸')).expect("one is marked");
            assert!(marked.contains(&picker.offered[at].name), "{size:?}\n{text}");
            for offered in &picker.offered {
                assert!(text.contains(&offered.name), "{} at {size:?}\n{text}", offered.name);
            }
            let flat: Vec<&str> = text.split_whitespace().filter(|word| *word != "│").collect();
            let flat = flat.join(" ");
            assert!(flat.contains(&picker.offered[at].teaches), "{at} at {size:?}\n{text}");
            assert!(text.contains("Enter begin") && text.contains("q quit"), "{size:?}\n{text}");
        }
    }
}

#[test]
fn without_colour_the_mark_is_still_seen() {
    let mut picker = picker((80, 24));
    picker.selection.go(3);
    let (buffer, _) = drawn(&picker, Theme::Plain);
    let coloured = buffer.content.iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
    assert!(!coloured);
    assert!(text(&buffer).contains("▸ first-sync"));
}

#[test]
fn a_click_falls_on_the_scenario_that_stands_there() {
    for size in SIZES {
        let picker = picker(size);
        let (buffer, regions) = drawn(&picker, Theme::Dark);
        for (at, offered) in picker.offered.iter().enumerate() {
            let y = (0..buffer.area.height).find(|y| row(&buffer, *y).contains(&offered.name));
            let mouse = MouseEvent {
                kind: MouseEventKind::Down(MouseButton::Left),
                column: 4,
                row: y.expect("it is there"),
                modifiers: crossterm::event::KeyModifiers::NONE,
            };
            let Some(Event::Pointer(clicked)) = regions.event(mouse) else { panic!("no click at {size:?}") };
            assert_eq!(clicked, Pointer::Click(Target::Entry(at)), "{size:?}");
        }
    }
}

#[test]
fn no_size_is_too_small_to_draw() {
    for (width, height) in (0..40).flat_map(|width| (0..14).map(move |height| (width, height))) {
        let mut picker = picker((width, height));
        picker.selection.go(usize::MAX);
        let text = text(&drawn(&picker, Theme::Dark).0);
        if width >= 30 && height >= 6 {
            let last = picker.offered.last().expect("there are scenarios");
            assert!(text.contains(&format!("▸ {}", last.name)), "{width}x{height}\n{text}");
        }
    }
}
