//! A pseudo-terminal with a program in it: keys go in, the screen is waited for.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// How long a state is waited for before the test fails; nothing is waited for longer than it takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program on a terminal of its own.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    raw: Vec<u8>,
}

/// The binary under test.
pub fn binary() -> PathBuf {
    std::env::var_os("UNSTICK_BIN").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_unstick")),
        |path| std::path::absolute(path).expect("a path"),
    )
}

impl Terminal {
    /// Runs the binary with these arguments on a terminal of this size.
    pub fn run(arguments: &[&str], columns: u16, rows: u16) -> Self {
        Self::run_with(arguments, columns, rows, &[])
    }

    /// The same, with variables in its environment.
    pub fn run_with(arguments: &[&str], columns: u16, rows: u16, variables: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new(binary());
        command.args(arguments);
        Self::command(command, columns, rows, variables)
    }

    /// The same, on a terminal where Ctrl-C and Ctrl-Z throw away nothing of what was written and is not read yet.
    pub fn run_without_flushing(
        arguments: &[&str],
        columns: u16,
        rows: u16,
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", "stty noflsh; exec \"$0\" \"$@\""]);
        command.arg(binary());
        command.args(arguments);
        Self::command(command, columns, rows, variables)
    }

    /// A shell with job control, to run the binary in.
    pub fn shell(columns: u16, rows: u16, variables: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new("sh");
        command.arg("-i");
        command.env("PS1", "$ ");
        command.env("ENV", "");
        Self::command(command, columns, rows, variables)
    }

    fn command(mut command: CommandBuilder, columns: u16, rows: u16, variables: &[(&str, &str)]) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        command.env("TERM", "xterm-256color");
        command.env("RUST_BACKTRACE", "0");
        command.env_remove("NO_COLOR");
        // Nobody's own conflict log is added to.
        command.env_remove("UNSTICK_LOG_URL");
        command.env("UNSTICK_DATA_DIR", env!("CARGO_TARGET_TMPDIR"));
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("the binary runs");
        let mut reader = pair.master.try_clone_reader().expect("its output");
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(count) = reader.read(&mut bytes) {
                if count == 0 || sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let keys = pair.master.take_writer().expect("its input");
        let parser = vt100::Parser::new(rows, columns, 0);
        Self { master: pair.master, child, keys, output, parser, raw: Vec::new() }
    }

    /// Types bytes, as the terminal would send them.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        assert!(self.try_keys(keys), "the program reads");
        self
    }

    /// The same, of a program that may have ended. Answers whether there was anybody to read.
    pub fn try_keys(&mut self, keys: &str) -> bool {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).is_ok()
    }

    /// Types pieces as a slow line delivers them, so many ms apart.
    pub fn slowly(&mut self, pieces: &[&str], ms: u64) -> &mut Self {
        for (at, piece) in pieces.iter().enumerate() {
            if at > 0 {
                // The line's pace is what is tested here; no state tells of it.
                std::thread::sleep(Duration::from_millis(ms));
            }
            self.keys(piece);
        }
        self
    }

    /// Changes the terminal's size to one at which nothing can be shown, and of which the screen keeps nothing.
    pub fn squeeze(&mut self, columns: u16, rows: u16) -> &mut Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).expect("a new size");
        self
    }

    /// Changes the terminal's size.
    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).expect("a new size");
        self.parser.screen_mut().set_size(rows, columns);
        self
    }

    /// Forgets what the screen shows, as when another program wrote over it.
    pub fn forget(&mut self) -> &mut Self {
        let (rows, columns) = self.parser.screen().size();
        self.parser = vt100::Parser::new(rows, columns, 0);
        self
    }

    /// Waits until the screen holds `text`.
    pub fn see(&mut self, text: &str) -> &mut Self {
        self.until(text, |screen| screen.contains(text))
    }

    /// Waits until the screen no longer holds `text`.
    pub fn gone(&mut self, text: &str) -> &mut Self {
        self.until(&format!("no {text}"), |screen| !screen.contains(text))
    }

    /// Waits until a shell waits for a command: what stood on the screen from before is no sign of it.
    pub fn prompt(&mut self) -> &mut Self {
        let begun = Instant::now();
        while !(self.cursor_row().ends_with('$') && self.is_cooked()) {
            assert!(begun.elapsed() < PATIENCE, "waited for a prompt and saw\n{}", self.screen());
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(20)) {
                self.take(&bytes);
            }
        }
        self
    }

    /// What stands on the cursor's row of a screen that is not the other one.
    fn cursor_row(&self) -> String {
        let screen = self.parser.screen();
        let (row, _) = screen.cursor_position();
        let (_, columns) = screen.size();
        let rows = (!screen.alternate_screen()).then(|| screen.rows(0, columns).nth(usize::from(row)));
        rows.flatten().map(|row| row.trim().to_owned()).unwrap_or_default()
    }

    fn until(&mut self, what: &str, there: impl Fn(&str) -> bool) -> &mut Self {
        let shown = self.comes(what, there);
        assert!(shown, "waited for {what}; the program ended with\n{}", self.screen());
        self
    }

    /// Waits until the screen is so, or the program has ended: then it answers no.
    pub fn shows(&mut self, there: impl Fn(&str) -> bool) -> bool {
        self.comes("an answer", there)
    }

    fn comes(&mut self, what: &str, there: impl Fn(&str) -> bool) -> bool {
        let begun = Instant::now();
        while !there(&self.screen()) {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("waited for {what} and saw\n{}", self.screen()),
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        true
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.raw.extend_from_slice(bytes);
    }

    /// The screen as text, without the marks that keep right-to-left texts in their columns.
    pub fn screen(&self) -> String {
        self.parser.screen().contents().replace('\u{200E}', "")
    }

    /// Every byte that the program wrote so far.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The parsed screen, for modes and colours.
    pub fn parsed(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// Waits until the program has ended and everything it wrote is read.
    pub fn end(&mut self) -> ExitStatus {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the program can be asked") {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "the program does not end; it shows\n{}", self.screen());
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(50)) {
                self.take(&bytes);
            }
        };
        // What it wrote comes until nobody has the terminal any more.
        while let Ok(bytes) = self.output.recv_timeout(PATIENCE) {
            self.take(&bytes);
        }
        status
    }

    /// Ends the program by this signal, unless it has ended before.
    pub fn ends_by(&mut self, name: &str) -> ExitStatus {
        if self.child.try_wait().expect("the program can be asked").is_none() {
            self.signal(name);
        }
        self.end()
    }

    /// Sends a signal, by name without `SIG`.
    pub fn signal(&mut self, name: &str) -> &mut Self {
        let pid = self.child.process_id().expect("it runs").to_string();
        let status = std::process::Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(status.success());
        self
    }

    /// Whether the terminal echoes and edits lines again, as a shell needs it.
    pub fn is_cooked(&self) -> bool {
        let modes = self.master.get_termios().expect("the terminal's modes");
        let local = format!("{:?}", modes.local_flags);
        local.contains("ECHO") && local.contains("ICANON")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
