//! Colours and emphasis by meaning. Every meaning is carried by a word or a glyph as well: without colour, and to
//! eyes that do not tell colours apart, the screen says the same.

use ratatui::style::{Color, Modifier, Style};

use crate::domain::mutation::Side;

/// The colours of the screen, of the 256 that nearly every terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Theme {
    /// For dark terminals.
    #[default]
    Dark,
    /// For light terminals.
    Light,
    /// Without colour (`NO_COLOR`): emphasis only.
    Plain,
}

/// What something on the screen means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Text.
    Text,
    /// Text that can be passed over.
    Dim,
    /// Text that the eye is to meet first.
    Strong,
    /// A side's own words.
    Side(Side),
    /// Words that only this side has.
    Changed(Side),
    /// What waits for a person.
    Conflict,
    /// What is well.
    Good,
    /// What is to be minded.
    Warning,
    /// A key that can be pressed.
    Key,
    /// A stand-in for a character that is not shown.
    StandIn,
    /// A frame.
    Frame,
    /// The title of a frame that has the keys.
    Title,
    /// A badge that must not be overlooked.
    Alarm,
    /// A request that was refused, in the exchange.
    Refusal,
}

/// How a side looks, everywhere: its name, the glyph in front of its text (the key that chooses it), its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SideLook {
    /// The word.
    pub name: &'static str,
    /// One column.
    pub glyph: &'static str,
    /// The colour.
    pub ink: Ink,
}

/// How a side looks.
pub const fn look(side: Side) -> SideLook {
    let glyph = match side {
        Side::Device => "d",
        Side::Server => "s",
    };
    SideLook { name: side.name(), glyph, ink: Ink::Side(side) }
}

impl Theme {
    /// The theme with colours that fits the background, which the variable `COLORFGBG` tells of on some terminals.
    pub fn of_background(colorfgbg: Option<&str>) -> Self {
        let background = colorfgbg.and_then(|value| value.rsplit(';').next()?.parse::<u8>().ok());
        match background {
            Some(7 | 9..=15) => Self::Light,
            _ => Self::Dark,
        }
    }

    /// The style of a meaning.
    pub fn style(self, ink: Ink) -> Style {
        let style = Style::new().add_modifier(emphasis(ink));
        match self {
            Self::Plain => match ink {
                // Without colour a change is told by emphasis alone.
                Ink::Changed(_) => style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
                Ink::Alarm => style.add_modifier(Modifier::REVERSED),
                Ink::Conflict | Ink::Warning | Ink::Key => style.add_modifier(Modifier::BOLD),
                Ink::Text
                | Ink::Dim
                | Ink::Strong
                | Ink::Side(_)
                | Ink::Good
                | Ink::StandIn
                | Ink::Frame
                | Ink::Title
                | Ink::Refusal => style,
            },
            Self::Dark => self.coloured(style, ink, [75, 214, 213, 114, 221, 245, 240, 24, 94, 203]),
            Self::Light => self.coloured(style, ink, [25, 130, 127, 28, 94, 243, 248, 153, 223, 160]),
        }
    }

    fn coloured(self, style: Style, ink: Ink, palette: [u8; 10]) -> Style {
        let [device, server, conflict, good, warning, dim, frame, device_ground, server_ground, refusal] =
            palette.map(Color::Indexed);
        let light = self == Self::Light;
        match ink {
            Ink::Text | Ink::Strong | Ink::Title => style,
            Ink::Dim => style.fg(dim),
            Ink::Side(Side::Device) => style.fg(device),
            Ink::Side(Side::Server) => style.fg(server),
            Ink::Changed(Side::Device) => {
                style.fg(if light { device } else { Color::Indexed(195) }).bg(device_ground)
            }
            Ink::Changed(Side::Server) => {
                style.fg(if light { server } else { Color::Indexed(230) }).bg(server_ground)
            }
            Ink::Conflict => style.fg(conflict),
            Ink::Refusal => style.fg(refusal),
            Ink::Good => style.fg(good),
            Ink::Warning | Ink::StandIn => style.fg(warning),
            Ink::Key => style.fg(if light { Color::Indexed(23) } else { Color::Indexed(159) }),
            Ink::Frame => style.fg(frame),
            Ink::Alarm => style.fg(if light { Color::Indexed(231) } else { Color::Indexed(16) }).bg(conflict),
        }
    }

    /// What is laid over the marked row: a ground where there is colour, the row's colours reversed where not.
    pub fn marked(self, focused: bool) -> Style {
        match (self, focused) {
            (Self::Plain, true) => Style::new().add_modifier(Modifier::REVERSED),
            (Self::Plain, false) => Style::new().add_modifier(Modifier::BOLD),
            (Self::Dark, true) => Style::new().bg(Color::Indexed(237)),
            (Self::Dark, false) => Style::new().bg(Color::Indexed(235)),
            (Self::Light, true) => Style::new().bg(Color::Indexed(253)),
            (Self::Light, false) => Style::new().bg(Color::Indexed(255)),
        }
    }
}

/// What every theme emphasises alike.
const fn emphasis(ink: Ink) -> Modifier {
    match ink {
        Ink::Strong | Ink::Title | Ink::Alarm | Ink::Conflict | Ink::Refusal => Modifier::BOLD,
        Ink::Changed(_) => Modifier::UNDERLINED,
        Ink::Dim | Ink::Frame => Modifier::DIM,
        Ink::StandIn => Modifier::ITALIC,
        Ink::Text | Ink::Side(_) | Ink::Good | Ink::Warning | Ink::Key => Modifier::empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_means_no_colour() {
        let inks = [
            Ink::Text,
            Ink::Dim,
            Ink::Strong,
            Ink::Side(Side::Device),
            Ink::Side(Side::Server),
            Ink::Changed(Side::Device),
            Ink::Changed(Side::Server),
            Ink::Conflict,
            Ink::Good,
            Ink::Warning,
            Ink::Key,
            Ink::StandIn,
            Ink::Frame,
            Ink::Title,
            Ink::Alarm,
            Ink::Refusal,
        ];
        for ink in inks {
            let style = Theme::Plain.style(ink);
            assert_eq!((style.fg, style.bg), (None, None), "{ink:?}");
            for theme in [Theme::Dark, Theme::Light] {
                let style = theme.style(ink);
                for colour in [style.fg, style.bg].into_iter().flatten() {
                    assert!(matches!(colour, Color::Indexed(_)), "{ink:?}: 256 colours, not RGB");
                }
            }
        }
        assert_eq!((Theme::Plain.marked(true).fg, Theme::Plain.marked(true).bg), (None, None));
    }

    #[test]
    fn the_background_chooses() {
        assert_eq!(Theme::of_background(None), Theme::Dark);
        assert_eq!(Theme::of_background(Some("0;15")), Theme::Light);
        assert_eq!(Theme::of_background(Some("15;0")), Theme::Dark);
        assert_eq!(Theme::of_background(Some("nonsense")), Theme::Dark);
    }

    /// A swap of the sides anywhere in the theme must not pass.
    #[test]
    fn the_device_is_blue_and_the_server_orange() {
        assert_eq!(look(Side::Device), SideLook { name: "device", glyph: "d", ink: Ink::Side(Side::Device) });
        assert_eq!(look(Side::Server), SideLook { name: "server", glyph: "s", ink: Ink::Side(Side::Server) });
        let colour = |theme: Theme, side| theme.style(look(side).ink).fg;
        assert_eq!(colour(Theme::Dark, Side::Device), Some(Color::Indexed(75)));
        assert_eq!(colour(Theme::Dark, Side::Server), Some(Color::Indexed(214)));
        assert_eq!(colour(Theme::Light, Side::Device), Some(Color::Indexed(25)));
        assert_eq!(colour(Theme::Light, Side::Server), Some(Color::Indexed(130)));
        let ground = |side| Theme::Dark.style(Ink::Changed(side)).bg;
        assert_eq!(
            (ground(Side::Device), ground(Side::Server)),
            (Some(Color::Indexed(24)), Some(Color::Indexed(94)))
        );
    }
}
