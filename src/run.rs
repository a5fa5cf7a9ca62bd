//! Runs a command: reads what it names, asks the server, writes what comes of it. Everything that is decided is
//! decided elsewhere.

mod demo;
mod log;
mod opened;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::{Source, Start};
use crate::case::Decided;
use crate::cli::{self, Access, Against, Command, Decision, DevicePath, Invocation, PhoneLog, Resume};
use crate::conflict_log::local::LogError;
use crate::conflict_log::team::TeamError;
use crate::conflict_log::{self, ConflictLog};
use crate::device::DeviceFile;
use crate::device::phone_database::Said;
use crate::device::source;
use crate::domain::again::{Again, UNNAMED};
use crate::domain::inspect::Inspection;
use crate::domain::mutation::Cursor;
use crate::domain::push::Options;
use crate::domain::safe_text::visible_line;
use crate::domain::window::PullPath;
use crate::error::InputError;
use crate::exit::ExitCode;
use crate::headless::push::Telling;
use crate::headless::{self, Format, Looked};
use crate::interruption::{Interruption, Recalled};
use crate::log_file;
use crate::report::TableFormat;
use crate::report::style::Style;
use crate::runtime::{self, Left, Look, Play, Signals};
use crate::sandbox::fault::Script;
use crate::sandbox::http::{Options as SandboxOptions, Sandbox};
use crate::sandbox::model::Model;
use crate::sandbox::scenario::Scenario;
use crate::server::endpoint::Environment;
use crate::server::{Failure, PullError, Timeouts};
use crate::session::{Clock, Server, Session};
use crate::simulate::{Progress, Settings};
use crate::tokens::Tokens;
use crate::ui::Theme;

use opened::{Opened, opened, told_anew, undecided};

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Bad input; nothing was sent.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The server refused or cannot be reached; nothing was sent.
    #[error("{}. {}", .0, .0.next_step())]
    Pull(Box<PullError>),
    /// The server never gave the device's cursor, so it may be the wrong one; nothing was sent.
    #[error(
        "the device's cursor is ahead of the server's head {head}: this server never gave it, and what is sent may end in another account. Check --server and the token; if they are right, add --accept-cursor-ahead"
    )]
    CursorAhead {
        /// The server's head.
        head: Cursor,
    },
    /// The conflict log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The team's log cannot be read.
    #[error("{0}. Without --team the log on this machine answers")]
    TeamLog(#[from] TeamError),
    /// Rows that are to be let go of could not be sent on before.
    #[error("{0}. Rows wait for it, so nothing was removed; try again when it can be reached")]
    Unsent(TeamError),
    /// The terminal or the output failed.
    #[error("{what}: {source}")]
    Terminal {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl From<PullError> for Failed {
    fn from(error: PullError) -> Self {
        Self::Pull(Box::new(error))
    }
}

impl Failed {
    /// What the program answers.
    pub const fn exit_code(&self) -> ExitCode {
        match self {
            Self::Input(_) | Self::Log(_) | Self::Terminal { .. } => ExitCode::BadInput,
            Self::TeamLog(_) | Self::Unsent(_) | Self::Pull(_) | Self::CursorAhead { .. } => {
                ExitCode::Refused
            }
        }
    }
}

/// Runs `invocation` to its end, and tells of what failed. The runtime is made here so that all that is async is compiled
/// with this crate, beside the rest, and not once more behind it with the binary.
pub fn run(invocation: Invocation) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format!("cannot start: {error}"));
            return ExitCode::BadInput;
        }
    };
    let ended = runtime.block_on(carry_out(invocation));
    runtime.block_on(leave());
    ended.unwrap_or_else(|failed| {
        complain(&failed);
        failed.exit_code()
    })
}

/// What was asked for.
async fn carry_out(invocation: Invocation) -> Result<ExitCode, Failed> {
    let Invocation { command, color, reorder, log, conflict_log, now } = invocation;
    if let Some(path) = &log {
        log_file::start(path)?;
    }
    runtime::sweep();
    conflict_log::start(&conflict_log);
    let clock = now.map_or(Clock::System, Clock::Fixed);
    let colored = color.is_on(std::env::var("NO_COLOR").ok().as_deref(), io::stdout().is_terminal());
    let style = if colored { Style::COLORED } else { Style::PLAIN };
    let background = std::env::var("COLORFGBG").ok();
    let theme = if colored { Theme::of_background(background.as_deref()) } else { Theme::Plain };
    match command {
        Command::Scenarios => demo::list(),
        Command::Demo { scenario, auto, record } => {
            demo::run(scenario.as_deref(), (auto, record.as_deref()), clock, Look { theme, reorder }).await
        }
        Command::Open { device, against } => {
            let recorded = match &against {
                Against::Server(_) => None,
                Against::Recorded(pull) => Some(pull),
                // A case holds its pull.
                Against::Unsaid => Some(&device.path),
            };
            let recorded = recorded.and_then(|file| file.file_name());
            let recorded = recorded.map(|name| name.to_string_lossy().into_owned());
            let Opened { session, .. } = opened("open", &device, against, clock)?;
            let named = Named { server: recorded, ..Named::default() };
            let mut signals = Signals::listen().map_err(on_terminal)?;
            Ok(open(session, Look { theme, reorder }, named, Play::default(), &mut signals).await?.code)
        }
        Command::Inspect { device, against, format, all } => {
            let again = named_again(&device, &against);
            let Opened { mut session, mut tokens, case } = opened("inspect", &device, against, clock)?;
            let inspection = tokens.look(&mut session, |_| {}).await?;
            let options = headless::Options { format, style, all, now: session.clock().now(), again: &again };
            let warnings = headless::warnings(&session);
            let code = headless::inspect(&inspection, &warnings, options, &mut io::stdout().lock())?;
            if let Some(case) = case {
                told_anew(&case, &device, &inspection)?;
            }
            Ok(code)
        }
        Command::Why { device, against, format } => {
            let again = named_again(&device, &against);
            let Opened { mut session, mut tokens, .. } = opened("why", &device, against, clock)?;
            let inspection = tokens.look(&mut session, |_| {}).await?;
            let options =
                headless::Options { format, style, all: false, now: session.clock().now(), again: &again };
            let warnings = headless::warnings(&session);
            Ok(headless::why(&inspection, &warnings, options, &mut io::stdout().lock())?)
        }
        Command::WhyByLog { log, format } => {
            let (name, text) = match log {
                PhoneLog::Line(text) => (String::from("that line"), text),
                PhoneLog::File(path) => {
                    let source = source::Source::read_text(&path)?;
                    (source.name, source.text)
                }
            };
            Ok(headless::why_by_log(&name, &text, format, style, &mut io::stdout().lock())?)
        }
        Command::Plan { device, against, decision, format } => {
            let again = named_again(&device, &against);
            let Opened { mut session, mut tokens, case } = opened("plan", &device, against, clock)?;
            let recorded = case.as_ref().filter(|_| decision.is_none());
            let name = device.display().to_string();
            let text = decision.as_ref().map(choices_text).transpose()?.flatten();
            let decision = match (&decision, recorded.and_then(|case| case.decision.as_ref())) {
                (Some(decision), _) => decided_by(decision, text.as_deref()),
                (None, Some(Decided::Strategy(strategy))) => headless::Decision::Strategy(*strategy),
                (None, Some(Decided::Choices(text))) => headless::Decision::Choices { file: &name, text },
                (None, None) => return Err(undecided(&name).into()),
            };
            let inspection = tokens.look(&mut session, |_| {}).await?;
            let options =
                headless::Options { format, style, all: false, now: session.clock().now(), again: &again };
            let warnings = headless::warnings(&session);
            let code = headless::plan(&inspection, &warnings, decision, options, &mut io::stdout().lock())?;
            match recorded {
                Some(case) => told_anew(case, &device, &inspection),
                None => Ok(code),
            }
        }
        Command::Push {
            device,
            server,
            decision,
            format,
            report,
            all_or_nothing,
            strict,
            retry_first_sync,
            accept_cursor_ahead,
            accept_other_account,
        } => {
            let text = choices_text(&decision)?;
            let rule = match decision {
                Decision::Strategy(strategy) => Some(strategy),
                Decision::Choices(_) => None,
            };
            let options =
                Options { all_or_nothing, retry_first_sync, accept_other_account, rule, ask: false };
            only_looked_at(&server)?;
            let mut tokens = Tokens::for_server(&server);
            let against = Against::Server(server);
            let again = named_again(&device, &against);
            let mut session = session(&device, against, clock, &mut tokens)?;
            let telling = Telling::new(&session, format, report.as_ref())?.again(again).strict(strict);
            headless::resume::tell(session.interrupted());
            let inspection = first_look(&mut session, &mut tokens, accept_cursor_ahead, &telling).await?;
            let decision = decided_by(&decision, text.as_deref());
            let headless::Decided { resolution, reopened } = match session.interrupted() {
                None => headless::decide(&inspection, decision)?,
                Some(_) => headless::decide_again(&inspection, decision)?,
            };
            let decided = (resolution, reopened.as_slice());
            Ok(headless::push::push(session, inspection, decided, options, telling, tokens).await?)
        }
        Command::Resume { device, how: Resume::Tell, .. } => {
            Ok(headless::resume::where_it_stood(&DeviceFile::read_as(&device, &device.said)?)?)
        }
        Command::Resume { device, how: Resume::Discard, .. } => {
            Ok(headless::resume::discard(&DeviceFile::read_as(&device, &device.said)?)?)
        }
        Command::Resume {
            device,
            how: how @ (Resume::GoOn(..) | Resume::Settle(..)),
            format,
            report,
            accept_other_account,
        } => {
            let file = DeviceFile::read_as(&device, &device.said)?;
            let (server, answers, goes_on) = match how {
                Resume::GoOn(server, answers) => (server, answers, true),
                Resume::Settle(server, answers) => (server, answers, false),
                Resume::Tell | Resume::Discard => return Ok(headless::resume::where_it_stood(&file)?),
            };
            only_looked_at(&server)?;
            if Interruption::of(&file)?.is_none() {
                return Ok(headless::resume::nothing(&file)?);
            }
            let mut tokens = Tokens::for_server(&server);
            let against = Against::Server(server);
            let again = named_again(&device, &against);
            let mut session = session(&device, against, clock, &mut tokens)?;
            let telling = Telling::new(&session, format, report.as_ref())?.again(again.clone());
            headless::resume::tell(session.interrupted());
            // Whoever began it has looked at the cursor; the journal says that it is the same server.
            let inspection = first_look(&mut session, &mut tokens, true, &telling).await?;
            let inspection = headless::doubt::settle(&mut session, inspection, &answers)?;
            let Some(interruption) = session.interrupted().cloned() else {
                return Ok(headless::resume::nothing(session.file())?);
            };
            if !goes_on {
                return Ok(headless::doubt::tell(&inspection, &again, format)?);
            }
            let Recalled { resolution, reopened } = interruption.recall(&inspection)?;
            let decided = (resolution, reopened.as_slice());
            let options = Options { accept_other_account, ..interruption.options() };
            Ok(headless::push::push(session, inspection, decided, options, telling, tokens).await?)
        }
        Command::Case { device, against, decision, out, redact } => {
            let Opened { mut session, mut tokens, .. } = opened("case", &device, against, clock)?;
            let text = decision.as_ref().map(choices_text).transpose()?.flatten();
            let inspection = tokens.look(&mut session, |_| {}).await?;
            let decided = decision.as_ref().map(|decision| decided_by(decision, text.as_deref()));
            let case = headless::case(&inspection, decided, session.clock().now(), redact, &out)?;
            written(writeln!(io::stdout().lock(), "{case}"))
        }
        Command::Log(ask) => log::answer(&ask, &conflict_log, style, clock.now()).await,
        Command::Compare { devices, format } => compare(devices, format, clock, style).await,
        Command::Simulate { settings, threads, format: None }
            if io::stdout().is_terminal() && io::stdin().is_terminal() =>
        {
            let threads = threads.unwrap_or_else(crate::simulate::cores);
            let shown = runtime::lab::run(*settings, threads, theme).await;
            shown.map_err(|source| Failed::Terminal { what: "cannot use the terminal", source })?;
            Ok(ExitCode::Done)
        }
        Command::Simulate { settings, threads, format } => {
            simulate(&settings, threads, format.unwrap_or(TableFormat::Human), style)
        }
        Command::Sandbox { port, scenario, first_sync, faults } => {
            let model = match scenario.as_deref().and_then(Scenario::by_name) {
                Some(scenario) => scenario.open(clock.now()).model,
                None => Model::new(first_sync, clock.now()),
            };
            serve(model, port, faults).await
        }
        Command::Completions(shell) => written(cli::completions(shell, &mut io::stdout().lock())),
        Command::Man => written(cli::man(&mut io::stdout().lock())),
    }
}

/// How the device and its server were named, so that a report can propose commands. Never the token.
fn named_again(device: &DevicePath, against: &Against) -> Again {
    let DevicePath { path, said } = device;
    let device = path.display().to_string();
    let preferences = said.preferences.as_ref().map(|file| file.display().to_string());
    let cursor = said.cursor.map(|cursor| cursor.to_string());
    let said = preferences.as_deref().map(|file| ("--prefs", file));
    let said = said.into_iter().chain(cursor.as_deref().map(|cursor| ("--cursor", cursor)));
    match against {
        Against::Unsaid => Again::recorded(&device, &said.collect::<Vec<_>>()),
        Against::Recorded(pull) => {
            let pull = pull.display().to_string();
            let flags: Vec<(&str, &str)> = std::iter::once(("--pull", pull.as_str())).chain(said).collect();
            Again::recorded(&device, &flags)
        }
        Against::Server(Access { endpoint, client_id, token_file, patience }) => {
            // As it was given, without the path of the sync call.
            let server = endpoint.url().strip_suffix("/v1/sync").unwrap_or_else(|| endpoint.url());
            let token = token_file.as_ref().map(|file| file.display().to_string());
            let client = (client_id != cli::LOCAL_CLIENT).then_some(("--client-id", client_id.as_str()));
            let token = token.as_deref().map(|file| ("--token-file", file));
            let seconds = patience.as_secs().to_string();
            let patience = (*patience != Timeouts::DEFAULT.pull).then_some(("--timeout", seconds.as_str()));
            let flags: Vec<(&str, &str)> = std::iter::once(("--server", server))
                .chain(client)
                .chain(token)
                .chain(patience)
                .chain(said)
                .collect();
            Again::live(&device, &flags)
        }
    }
}

/// Looks at each device, with one token for all, and puts the strategies side by side.
async fn compare(
    devices: Vec<(PathBuf, Against)>,
    format: Format,
    clock: Clock,
    style: Style,
) -> Result<ExitCode, Failed> {
    let mut tokens = devices.first().map(|(_, against)| Tokens::of(against)).unwrap_or_default();
    let mut looked = Vec::with_capacity(devices.len());
    for (path, against) in devices {
        let device = DevicePath { path, said: Said::default() };
        let again = named_again(&device, &against);
        let mut session = session(&device, against, clock, &mut tokens)?;
        let inspection = tokens.look(&mut session, |_| {}).await?;
        let warnings = headless::warnings(&session);
        looked.push(Looked { file: session.file().name().to_owned(), inspection, warnings, again });
    }
    let options = headless::Options { format, style, all: false, now: clock.now(), again: &UNNAMED };
    Ok(headless::compare(&looked, options, &mut io::stdout().lock())?)
}

fn simulate(
    settings: &Settings,
    threads: Option<usize>,
    format: TableFormat,
    style: Style,
) -> Result<ExitCode, Failed> {
    let threads = threads.unwrap_or_else(crate::simulate::cores);
    let simulated = crate::simulate::simulate(settings, threads, &Progress::default());
    let simulation = simulated.map_err(|reason| InputError::Unsupported {
        file: String::from("unstick simulate"),
        reason: format!("cannot simulate this: {reason}"),
        next: String::from("See `unstick simulate --help`"),
    })?;
    match simulation {
        Some(simulation) => Ok(headless::simulation(&simulation, format, style, &mut io::stdout().lock())?),
        None => Ok(ExitCode::Done),
    }
}

fn written(result: io::Result<()>) -> Result<ExitCode, Failed> {
    match result {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failed::Terminal { what: "cannot write to standard output", source })
        }
        Ok(()) | Err(_) => Ok(ExitCode::Done),
    }
}

fn on_terminal(source: io::Error) -> Failed {
    Failed::Terminal { what: "cannot use the terminal", source }
}

/// What a script does with a device file.
const WITHOUT_SCREEN: &str = "Use `unstick inspect`, `plan` and `push`, which do the same without a screen";

/// Columns and rows of the terminal, where there is one. `next` is what to do where there is none.
fn terminal_size(next: &str) -> Result<(u16, u16), Failed> {
    if !io::stdout().is_terminal() {
        return Err(InputError::Unsupported {
            file: String::from("standard output"),
            reason: String::from("is not a terminal, and the inspector needs one"),
            next: String::from(next),
        }
        .into());
    }
    crossterm::terminal::size().map_err(on_terminal)
}

/// How those are called that a device's file and a server's address say too little of.
#[derive(Default)]
struct Named {
    /// The server, or the recorded pull.
    server: Option<String>,
    /// The user's other devices.
    others: Option<String>,
    /// Whether the device file goes with the session.
    fleeting: bool,
}

/// Opens the inspector.
async fn open(
    session: Session,
    look: Look,
    named: Named,
    play: Play,
    signals: &mut Signals,
) -> Result<Left, Failed> {
    let (width, height) = terminal_size(WITHOUT_SCREEN)?;
    let (source, read_only) = match session.server() {
        Server::Live(client) => {
            let endpoint = client.endpoint();
            let production = endpoint.environment() == Environment::Production;
            let source = Source::Live {
                url: endpoint.url().to_owned(),
                environment: named.server.unwrap_or_else(|| endpoint.label()),
                production,
            };
            (source, production.then_some("the production server is only looked at"))
        }
        Server::Recorded(_) => (Source::Recorded { file: named.server.unwrap_or_default() }, None),
    };
    let read_only = read_only.or_else(|| {
        session
            .file()
            .path()
            .is_none()
            .then_some("what was not read from a device file cannot be written back")
    });
    let start = Start {
        device: Arc::clone(session.device()),
        source,
        read_only,
        warnings: headless::warnings(&session),
        now: session.clock().now(),
        width,
        height,
        others: named.others,
        recorded: play.cast.is_some(),
        fleeting: named.fleeting,
    };
    runtime::run(session, start, look, play, signals).await.map_err(on_terminal)
}

fn session(
    device: &DevicePath,
    against: Against,
    clock: Clock,
    tokens: &mut Tokens,
) -> Result<Session, Failed> {
    let (file, server) = match against {
        Against::Unsaid => return Err(cli::no_server("open").into()),
        Against::Server(access) => {
            let file = DeviceFile::read_as(device, &device.said)?;
            (file, Server::Live(tokens.client(access)?))
        }
        Against::Recorded(pull) => {
            let (file, window) = crate::session::load((device, &device.said), &pull)?;
            (file, Server::Recorded(Arc::new(window)))
        }
    };
    conflict_log::begin_sending();
    Ok(Session::new(file, server, clock)?.remembering(conflict_log::of_this_process()))
}

/// PROTOCOL D2: production is read-only by default, and there is no other default yet.
fn only_looked_at(server: &Access) -> Result<(), InputError> {
    if !server.endpoint.is_production() {
        return Ok(());
    }
    Err(InputError::Unsupported {
        file: server.endpoint.label(),
        reason: String::from("is the production server, which is only looked at"),
        next: String::from("Nothing was sent. Use `unstick inspect` or `plan`, or push to pre-live"),
    })
}

/// What stands between the two sides before anything is sent. Where that cannot be had, the report says why.
async fn first_look(
    session: &mut Session,
    tokens: &mut Tokens,
    accept_cursor_ahead: bool,
    telling: &Telling,
) -> Result<Inspection, Failed> {
    let looked = tokens.look(session, |step| eprintln!("{}", visible_line(&step.to_string()))).await;
    let inspection = looked.inspect_err(|error| {
        let request_id = error.failure().and_then(Failure::refusal).and_then(|r| r.request_id.clone());
        telling.failed(error.to_string(), error.next_step(), request_id, ExitCode::Refused);
    })?;
    if inspection.window.path == PullPath::CursorAhead && !accept_cursor_ahead {
        let failed = Failed::CursorAhead { head: inspection.window.head };
        telling.failed(failed.to_string(), String::new(), None, failed.exit_code());
        return Err(failed);
    }
    Ok(inspection)
}

fn choices_text(decision: &Decision) -> Result<Option<String>, InputError> {
    match decision {
        Decision::Strategy(_) => Ok(None),
        Decision::Choices(file) => Ok(Some(source::Source::read(file)?.text)),
    }
}

fn decided_by<'a>(decision: &'a Decision, text: Option<&'a str>) -> headless::Decision<'a> {
    match decision {
        Decision::Strategy(strategy) => headless::Decision::Strategy(*strategy),
        Decision::Choices(file) => headless::Decision::Choices {
            file: file.to_str().unwrap_or("the choices file"),
            text: text.unwrap_or_default(),
        },
    }
}

/// Serves a model until the process is told to stop.
async fn serve(model: Model, port: u16, faults: Script) -> Result<ExitCode, Failed> {
    let cannot = |source| Failed::Terminal { what: "cannot serve the sandbox", source };
    let rules: Vec<String> = faults.rules().iter().map(ToString::to_string).collect();
    let options = SandboxOptions { port, faults, ..SandboxOptions::default() };
    let running = Sandbox::start(model, options).await.map_err(cannot)?;
    println!("listening on {}", running.url());
    for rule in rules {
        println!("with the fault {rule}");
    }
    io::stdout().flush().map_err(cannot)?;
    tokio::signal::ctrl_c().await.map_err(cannot)?;
    running.shutdown().await;
    Ok(ExitCode::Done)
}

/// Waits until the conflict log holds all that was seen; a log that cannot be written is told of.
pub fn finish(log: &ConflictLog) {
    if let Err(error) = log.close() {
        eprintln!("warning: {}", visible_line(&error.to_string()));
    }
}

/// What is left to do for the conflict log at the end of a command. Nothing that goes wrong here changes its answer.
async fn leave() {
    finish(&conflict_log::of_this_process());
    if let Err(error) = conflict_log::end_sending().await {
        let error = error.to_string();
        eprintln!("warning: {}. Its rows wait on this machine for the next time", visible_line(&error));
    }
}

/// An error as the last line that a person reads.
pub fn complain(error: impl Display) {
    eprintln!("error: {}", visible_line(&error.to_string()));
}
