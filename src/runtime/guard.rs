//! The terminal as the program needs it, and as it must be again afterwards, whatever happens.

use std::io::{self, Write as _};
use std::sync::Once;

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::style::Print;
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute, terminal};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::cast::Output;

/// The terminal that ratatui draws to.
pub type Screen = Terminal<CrosstermBackend<Output>>;

/// Asks the terminal to show every cell where it was drawn, and not to reorder right-to-left text within a row: BDSM
/// (mode 8 of ECMA-48) reset, the explicit mode. Terminals that know nothing of it pass over it; without the `?` it
/// is none of the private modes.
const DO_NOT_REORDER: &str = "\x1b[8l";
/// The implicit mode again, in which terminals that know the mode start.
const REORDER: &str = "\x1b[8h";

/// Holds the terminal in raw mode on its other screen; gives it back when dropped.
pub struct Guard {
    held: bool,
    /// The terminal may reorder right-to-left text.
    reorder: bool,
    /// The modes that were found. None where the keys do not come from standard input.
    found: Option<Termios>,
}

impl Guard {
    /// Takes the terminal; unless it may `reorder` right-to-left text it is asked not to. Also makes panics give it back
    /// before they print.
    pub fn take(reorder: bool) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        });
        let mut guard = Self { held: false, reorder, found: tcgetattr(io::stdin()).ok() };
        guard.hold()?;
        Ok(guard)
    }

    /// Takes the terminal again, in whatever modes another program left it.
    pub fn hold(&mut self) -> io::Result<()> {
        self.held = true;
        // crossterm gives back the modes that it met when it went raw, and goes raw only once: those of an editor that
        // broke off would stay for good, and those of a shell would be kept where raw mode is needed.
        terminal::disable_raw_mode()?;
        if let Some(found) = &self.found {
            tcsetattr(io::stdin(), OptionalActions::Now, found)?;
        }
        terminal::enable_raw_mode()?;
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            Print(if self.reorder { REORDER } else { DO_NOT_REORDER }),
            // A row keeps the mode that stood when it came to be, so they are made anew. ratatui's own clear would ask
            // the terminal for its cursor and wait for an answer among the keys.
            Clear(ClearType::All),
            EnableBracketedPaste,
            EnableMouseCapture,
            cursor::Hide
        )
    }

    /// Gives the terminal to another program (an editor, the shell) for a while.
    pub fn release(&mut self) {
        if std::mem::take(&mut self.held) {
            give_back();
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.release();
    }
}

/// Every mode that was set is reset, also those that ratatui's own restore forgets.
fn give_back() {
    let mut out = io::stdout();
    // Nothing can be done about a terminal that is gone.
    let _ = execute!(
        out,
        DisableMouseCapture,
        DisableBracketedPaste,
        // Before the other screen comes: the person's own rows keep the mode that they had.
        Print(REORDER),
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = terminal::disable_raw_mode();
    let _ = out.flush();
}
