//! The command line: arguments are read, checked together and handed over as plain data. Does nothing itself.

mod arguments;
mod log;
mod pages;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use self::arguments::{
    Against as AgainstFlags, Arguments, Compare as CompareFlags, Decide, Look as LookFlags,
    Push as PushFlags, Report as ReportFlags, Resume as ResumeFlags, Server as ServerFlags,
    Simulate as SimulateFlags, Sub,
};
use crate::config::Config;
use crate::conflict_log;
use crate::conflict_log::team::TeamUrl;
use crate::device::phone_database::Said;
use crate::domain::mutation::Millis;
use crate::domain::strategy::Strategy;
use crate::error::InputError;
use crate::headless::Format;
use crate::report::TableFormat;
use crate::report::style::Color;
use crate::report_file::{Form, Wanted};
use crate::sandbox::fault::Script;
use crate::sandbox::model::FirstSync;
use crate::sandbox::scenario::Scenario;
use crate::server::Endpoint;
use crate::simulate::Settings;

pub use self::pages::{completions, man};
pub use clap_complete::Shell;

/// What is to be done, and how.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The command.
    pub command: Command,
    /// When to use colours.
    pub color: Color,
    /// Whether the terminal may reorder right-to-left text in the inspector.
    pub reorder: bool,
    /// Where to write the log; without a file nothing is logged.
    pub log: Option<PathBuf>,
    /// The conflict log.
    pub conflict_log: conflict_log::Settings,
    /// The time, where it is fixed (`--now`).
    pub now: Option<Millis>,
}

/// A command with all it needs.
#[derive(Clone, Debug)]
pub enum Command {
    /// List the scenarios.
    Scenarios,
    /// Open a scenario in the inspector.
    Demo {
        /// Its name; without one the first.
        scenario: Option<String>,
        /// Whether it plays by itself.
        auto: bool,
        /// Where the screen is recorded.
        record: Option<PathBuf>,
    },
    /// Open a device file in the inspector.
    Open {
        /// The device file; `-` is standard input.
        device: DevicePath,
        /// What it is held against.
        against: Against,
    },
    /// Write an inspection.
    Inspect {
        /// The device file; `-` is standard input.
        device: DevicePath,
        /// What it is held against.
        against: Against,
        /// Who reads it.
        format: Format,
        /// Whether people see every pair.
        all: bool,
    },
    /// Write why a device is stuck, and whether its phone will recover.
    Why {
        /// The device file; `-` is standard input.
        device: DevicePath,
        /// What it is held against.
        against: Against,
        /// Who reads it.
        format: Format,
    },
    /// Write what is not the same on the whole device and in the whole account.
    Audit {
        /// The device file; `-` is standard input.
        device: DevicePath,
        /// What it is held against.
        against: Against,
        /// Who reads it.
        format: Format,
    },
    /// Write what a phone's own log says of its sync.
    WhyByLog {
        /// What stands in for the log.
        log: PhoneLog,
        /// Who reads it.
        format: Format,
    },
    /// Write a plan.
    Plan {
        /// The device file; `-` is standard input.
        device: DevicePath,
        /// What it is held against.
        against: Against,
        /// What decides; a case knows it itself.
        decision: Option<Decision>,
        /// Who reads it.
        format: Format,
    },
    /// Write a case.
    Case {
        /// The device file; `-` is standard input.
        device: DevicePath,
        /// What it is held against.
        against: Against,
        /// What decides; without anything the case holds the inspection alone.
        decision: Option<Decision>,
        /// The file to write.
        out: PathBuf,
        /// Whether to replace what people wrote.
        redact: bool,
    },
    /// Resolve and retry the sync.
    Push {
        /// The device file.
        device: DevicePath,
        /// The server.
        server: Access,
        /// What decides.
        decision: Decision,
        /// Who reads what came of it.
        format: Format,
        /// The report for a ticket.
        report: Option<Wanted>,
        /// Send nothing while anything is open.
        all_or_nothing: bool,
        /// What is lost beyond the plan is no success.
        strict: bool,
        /// Send -1 once more where the server asks for it on a first sync (PROTOCOL D1).
        retry_first_sync: bool,
        /// Send although this server never gave the device's cursor.
        accept_cursor_ahead: bool,
        /// Send although it seems to be another account's.
        accept_other_account: bool,
    },
    /// Go on with a push that broke off, or give it up.
    Resume {
        /// The device file.
        device: DevicePath,
        /// What is to be done with it.
        how: Resume,
        /// Who reads what came of it.
        format: Format,
        /// A report of what was done.
        report: Option<Wanted>,
        /// Send although it seems to be another account's.
        accept_other_account: bool,
    },
    /// Answer from the conflict log.
    Log(conflict_log::ask::Ask),
    /// Write the four strategies side by side.
    Compare {
        /// The device files, each with what it is held against; `-` is standard input.
        devices: Vec<(PathBuf, Against)>,
        /// Who reads it.
        format: Format,
    },
    /// Simulate weeks of syncs.
    Simulate {
        /// What is simulated.
        settings: Box<Settings>,
        /// On how many threads; without a number one a core.
        threads: Option<usize>,
        /// Who reads it; without it whoever sits at the terminal, on a screen with charts.
        format: Option<TableFormat>,
    },
    /// Serve the sandbox.
    Sandbox {
        /// The port on 127.0.0.1; 0 is any that is free.
        port: u16,
        /// What is on the server; without one nothing.
        scenario: Option<String>,
        /// How a fresh account begins.
        first_sync: FirstSync,
        /// What goes wrong with which request.
        faults: Script,
    },
    /// Write a completion script.
    Completions(Shell),
    /// Write the manual page.
    Man,
}

/// A device file, and what is said of a phone's sync where it is a phone's database.
#[derive(Clone, Debug)]
pub struct DevicePath {
    /// The file; `-` is standard input.
    pub path: PathBuf,
    /// What its own files do not say.
    pub said: Said,
}

impl std::ops::Deref for DevicePath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

/// A phone's own log.
#[derive(Clone, Debug)]
pub enum PhoneLog {
    /// A file; `-` is standard input.
    File(PathBuf),
    /// One line of it.
    Line(String),
}

/// What a device file is held against.
#[derive(Clone, Debug)]
pub enum Against {
    /// A server.
    Server(Access),
    /// A recorded pull; `-` is standard input.
    Recorded(PathBuf),
    /// Nothing was said: the device file must be a case, which holds both sides.
    Unsaid,
}

/// A server and who asks it. The token is not among it: it comes from `UNSTICK_TOKEN`, a file or a prompt.
#[derive(Clone, Debug)]
pub struct Access {
    /// Where.
    pub endpoint: Endpoint,
    /// `x-client-id`.
    pub client_id: String,
    /// A file with the token.
    pub token_file: Option<PathBuf>,
    /// How long a whole pull may take.
    pub patience: Duration,
}

/// What decides the divergences.
#[derive(Clone, Debug)]
pub enum Decision {
    /// A rule.
    Strategy(Strategy),
    /// A choices file; `-` is standard input.
    Choices(PathBuf),
}

/// What a person says of queue entries in doubt.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// These arrived, each as the resource behind it where one is named.
    pub arrived: Vec<(String, Option<String>)>,
    /// These did not.
    pub not_arrived: Vec<String>,
    /// The rest is asked for.
    pub ask: bool,
}

/// What is to be done with a push that broke off.
#[derive(Clone, Debug)]
pub enum Resume {
    /// Say where it stood.
    Tell,
    /// Go on with it.
    GoOn(Access, Answers),
    /// Keep what a person says of what is in doubt, and send nothing.
    Settle(Access, Answers),
    /// Give it up.
    Discard,
}

/// The `x-client-id` for servers on this machine where none is given: the sandbox takes any.
pub const LOCAL_CLIENT: &str = "unstick";

/// Arguments that were read, before they are checked together.
#[derive(Debug)]
pub struct Read(Arguments);

/// Why nothing can be done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Arguments that do not fit together. `exit` prints it with the command's usage and ends with the code 2.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// Something else that cannot be used.
    #[error(transparent)]
    Input(#[from] InputError),
}

/// Reads the arguments; the first is the program's name.
///
/// # Errors
/// Arguments that are unknown or missing; also help and version, which `exit` prints with the code 0, all others
/// with 2.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Read, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.iter().skip(1).take_while(|argument| *argument != "--").any(is_token) {
        return Err(Arguments::command().error(ErrorKind::UnknownArgument, NO_TOKEN));
    }
    Arguments::try_parse_from(arguments).map(Read)
}

const NO_TOKEN: &str = "there is no --token: what stands on a command line can be read by other programs and stays in the shell's history. Put the token into the variable UNSTICK_TOKEN or into a file for --token-file; take the one that was just typed for known, and have it replaced";

fn is_token(argument: &OsString) -> bool {
    let bytes = argument.as_encoded_bytes();
    bytes == b"--token" || bytes.starts_with(b"--token=")
}

impl Read {
    /// The configuration file that was asked for.
    pub fn config_file(&self) -> Option<&Path> {
        self.0.common.config.as_deref()
    }

    /// What is to be done; `config` fills in what the arguments leave out.
    ///
    /// # Errors
    /// Arguments that do not fit together, a server that is missing or cannot be used, a scenario that does not
    /// exist.
    pub fn with(self, config: Config) -> Result<Invocation, Refused> {
        let Self(Arguments { command, mut common }) = self;
        let team = team_log(config.log.url.clone())?;
        let checks = Checks { command: command.name(), config: &config };
        let command = match command {
            Sub::Demo(demo) if demo.list => Command::Scenarios,
            Sub::Demo(demo) => Command::Demo {
                scenario: checks.scenario(demo.scenario)?,
                auto: demo.auto,
                record: demo.record,
            },
            Sub::Open(open) => {
                checks.one_input(&[Some(&open.device), open.against.pull.as_ref()])?;
                Command::Open { against: checks.against(open.against)?, device: open.phone.of(open.device) }
            }
            Sub::Inspect(inspect) => {
                let (device, against, format) = checks.look(inspect.look)?;
                Command::Inspect { device, against, format, all: inspect.all }
            }
            Sub::Why(why) => {
                // Here --log names the phone's log, and nothing is written to it.
                let log = common.log.take().map(PhoneLog::File).or(why.log_line.map(PhoneLog::Line));
                let format = why.output.format;
                match (log, why.device) {
                    (Some(log), None) => Command::WhyByLog { log, format },
                    (None, Some(device)) => {
                        checks.one_input(&[Some(&device), why.against.pull.as_ref()])?;
                        let against = checks.against(why.against)?;
                        Command::Why { device: why.phone.of(device), against, format }
                    }
                    (Some(_), Some(_)) => {
                        return Err(checks.conflict(
                            "a device is asked why, or a phone's log (--log, --log-line): name one of them",
                        ));
                    }
                    (None, None) => {
                        return Err(checks.conflict(
                            "name the device file, or the phone's log with --log FILE or --log-line TEXT",
                        ));
                    }
                }
            }
            Sub::Audit(audit) => {
                let (device, against, format) = checks.look(audit.look)?;
                Command::Audit { device, against, format }
            }
            Sub::Plan(plan) => {
                let files = [Some(&plan.device), plan.against.pull.as_ref(), plan.decide.choices.as_ref()];
                checks.one_input(&files)?;
                let against = checks.against(plan.against)?;
                let decision = match against {
                    Against::Unsaid => checks.decision_if_any(plan.decide)?,
                    Against::Server(_) | Against::Recorded(_) => Some(checks.decision(plan.decide)?),
                };
                Command::Plan {
                    against,
                    device: plan.phone.of(plan.device),
                    decision,
                    format: plan.output.format,
                }
            }
            Sub::Case(case) => {
                let files = [Some(&case.device), case.against.pull.as_ref(), case.decide.choices.as_ref()];
                checks.one_input(&files)?;
                Command::Case {
                    against: checks.against(case.against)?,
                    device: case.phone.of(case.device),
                    decision: checks.decision_if_any(case.decide)?,
                    out: case.out,
                    redact: case.redact,
                }
            }
            Sub::Push(push) => checks.push(push)?,
            Sub::Resume(resume) => checks.resume(resume)?,
            Sub::Log(log) => Command::Log(log.ask()),
            Sub::Compare(compare) => checks.compare(compare)?,
            Sub::Simulate(simulate) => checks.simulate(simulate)?,
            Sub::Sandbox(sandbox) => Command::Sandbox {
                port: sandbox.port,
                scenario: checks.scenario(sandbox.scenario)?,
                first_sync: sandbox.first_sync,
                faults: sandbox.faults.into_iter().collect(),
            },
            Sub::Completions { shell } => Command::Completions(shell),
            Sub::Man => Command::Man,
        };
        Ok(Invocation {
            command,
            color: common.color.or(config.color).unwrap_or_default(),
            reorder: config.reorder.unwrap_or_default(),
            log: common.log.or(config.log.file),
            conflict_log: conflict_log::Settings {
                on: !common.no_log && config.log.conflicts.unwrap_or(true),
                path: conflict_log::local::default_path(),
                keep_days: config.log.keep_days,
                team,
            },
            now: common.now,
        })
    }
}

/// What is checked of a command's arguments.
struct Checks<'a> {
    command: &'static str,
    config: &'a Config,
}

impl Checks<'_> {
    /// Standard input can be read once.
    fn one_input(&self, files: &[Option<&PathBuf>]) -> Result<(), Refused> {
        let from_input = files.iter().flatten().filter(|file| is_standard_input(file)).count();
        if from_input > 1 {
            return Err(self.conflict("only one file can be `-`, standard input"));
        }
        Ok(())
    }

    fn against(&self, flags: AgainstFlags) -> Result<Against, Refused> {
        match (flags.pull, &flags.server.url) {
            (Some(_), Some(_)) => Err(self
                .conflict("--server and --pull exclude each other: a recorded pull stands for the server")),
            (Some(pull), None) => Ok(Against::Recorded(pull)),
            (None, None) if self.config.server.is_none() => Ok(Against::Unsaid),
            (None, _) => self.access(flags.server).map(Against::Server),
        }
    }

    fn access(&self, flags: ServerFlags) -> Result<Access, Refused> {
        let Some(url) = flags.url.as_ref().or(self.config.server.as_ref()) else {
            return Err(Refused::Input(no_server(self.command)));
        };
        let endpoint = Endpoint::parse(url)?;
        let client_id = match flags.client_id.or_else(|| self.config.client_id.clone()) {
            Some(id) => id,
            None if endpoint.is_loopback() => LOCAL_CLIENT.to_owned(),
            None => {
                let next =
                    "Give --client-id ID, or set UNSTICK_CLIENT_ID, to the id of the app whose device it is.";
                return Err(
                    self.refused("was not told the client id, which every request names", next.into())
                );
            }
        };
        let token_file = flags.token_file.or_else(|| self.config.token_file.clone());
        let patience = Duration::from_secs(flags.timeout);
        Ok(Access { endpoint, client_id, token_file, patience })
    }

    fn decision(&self, decide: Decide) -> Result<Decision, Refused> {
        self.decision_if_any(decide)?.ok_or_else(|| {
            let names = Strategy::ALL.map(Strategy::name).join(", ");
            let sentence = format!("{} needs --strategy ({names}) or --choices FILE", self.command);
            self.usage(ErrorKind::MissingRequiredArgument, &sentence)
        })
    }

    fn decision_if_any(&self, decide: Decide) -> Result<Option<Decision>, Refused> {
        match (decide.strategy, decide.choices) {
            (None, None) => Ok(None),
            (Some(strategy), None) => Ok(Some(Decision::Strategy(strategy))),
            (None, Some(file)) => Ok(Some(Decision::Choices(file))),
            (Some(_), Some(_)) => Err(self
                .conflict("--strategy and --choices exclude each other: either a rule decides or a person")),
        }
    }

    fn push(&self, push: PushFlags) -> Result<Command, Refused> {
        if push.against.pull.is_some() {
            return Err(self.conflict(
                "a recorded pull is read-only; give --server instead of --pull, or see with `unstick plan` what would be sent",
            ));
        }
        if is_standard_input(&push.device) {
            return Err(self.conflict(
                "push writes the device file back, and standard input has no place for it; save the export as a file",
            ));
        }
        if !push.yes {
            return Err(self.usage(
                ErrorKind::MissingRequiredArgument,
                "push sends mutations and does not ask; see with `unstick plan` what it would send, then add --yes",
            ));
        }
        Ok(Command::Push {
            decision: self.decision(push.decide)?,
            report: self.report(push.report)?,
            server: self.access(push.against.server)?,
            device: push.phone.of(push.device),
            format: push.output.format,
            all_or_nothing: push.all_or_nothing,
            strict: push.strict,
            retry_first_sync: push.retry_first_sync,
            accept_cursor_ahead: push.accept_cursor_ahead,
            accept_other_account: push.accept_other_account,
        })
    }

    /// A device that is looked at, what it is held against, and who reads of it.
    fn look(&self, look: LookFlags) -> Result<(DevicePath, Against, Format), Refused> {
        let LookFlags { device, phone, against, output } = look;
        self.one_input(&[Some(&device), against.pull.as_ref()])?;
        Ok((phone.of(device), self.against(against)?, output.format))
    }

    fn report(&self, flags: ReportFlags) -> Result<Option<Wanted>, Refused> {
        let Some(path) = flags.path else { return Ok(None) };
        match Form::of(&path) {
            Some(form) => Ok(Some(Wanted { path, form, redact: flags.redact, force: flags.force })),
            None => Err(self.usage(
                ErrorKind::ValueValidation,
                "a report is Markdown or JSON, as the file's ending says: give --report a file that ends in .md or .json",
            )),
        }
    }

    fn resume(&self, resume: ResumeFlags) -> Result<Command, Refused> {
        if is_standard_input(&resume.device) {
            return Err(self.conflict("standard input was never pushed; name the device file"));
        }
        let named = |text: String| match text.split_once('=') {
            Some((entry, id)) => (entry.to_owned(), Some(id.to_owned())),
            None => (text, None),
        };
        let answers = Answers {
            arrived: resume.arrived.into_iter().map(named).collect(),
            not_arrived: resume.not_arrived,
            ask: resume.ask,
        };
        let both = answers.arrived.iter().find(|(entry, _)| answers.not_arrived.contains(entry));
        if let Some((entry, _)) = both {
            return Err(self.conflict(&format!("{entry} cannot have arrived and not arrived")));
        }
        let answered = answers.ask || !answers.arrived.is_empty() || !answers.not_arrived.is_empty();
        let how = match (resume.yes, resume.discard, answered) {
            (true, ..) => Resume::GoOn(self.access(resume.server)?, answers),
            (false, true, _) => Resume::Discard,
            (false, false, true) => Resume::Settle(self.access(resume.server)?, answers),
            (false, false, false) => Resume::Tell,
        };
        Ok(Command::Resume {
            device: resume.phone.of(resume.device),
            how,
            format: resume.output.format,
            report: self.report(resume.report)?,
            accept_other_account: resume.accept_other_account,
        })
    }

    /// Each device file with its recorded pull, or all with the same server.
    fn compare(&self, compare: CompareFlags) -> Result<Command, Refused> {
        let CompareFlags { devices, server, pulls, output } = compare;
        self.one_input(&devices.iter().chain(&pulls).map(Some).collect::<Vec<_>>())?;
        let devices = if pulls.is_empty() {
            let access = self.access(server)?;
            devices.into_iter().map(|device| (device, Against::Server(access.clone()))).collect()
        } else if server.url.is_some() {
            return Err(self
                .conflict("--server and --pull exclude each other: a recorded pull stands for the server"));
        } else if pulls.len() != devices.len() {
            return Err(self.conflict(&format!(
                "{} device files and {} recorded pulls: give one --pull for each device file, in the same order",
                devices.len(),
                pulls.len()
            )));
        } else {
            devices.into_iter().zip(pulls.into_iter().map(Against::Recorded)).collect()
        };
        Ok(Command::Compare { devices, format: output.format })
    }

    fn simulate(&self, mut flags: SimulateFlags) -> Result<Command, Refused> {
        // Charts and tables go from the shortest to the longest.
        flags.interval.sort_unstable();
        flags.interval.dedup();
        let settings = Settings {
            devices: flags.devices,
            users: flags.users.unwrap_or_else(|| (flags.devices / 2).max(1)),
            days: flags.days,
            edits_per_day: flags.edits_per_day,
            offline_hours: flags.offline_hours,
            skew_s: flags.skew,
            resources: flags.resources,
            mix: flags.mix,
            bases: flags.bases,
            intervals: flags.interval,
            seed: flags.seed,
        };
        settings.check().map_err(|reason| self.usage(ErrorKind::ValueValidation, &reason))?;
        let threads = flags.threads.filter(|threads| *threads > 0);
        Ok(Command::Simulate { settings: Box::new(settings), threads, format: flags.format })
    }

    fn scenario(&self, name: Option<String>) -> Result<Option<String>, Refused> {
        match name {
            Some(name) if Scenario::by_name(&name).is_none() => {
                let names: Vec<&str> = Scenario::list().iter().map(|scenario| scenario.name).collect();
                let reason = format!("has no scenario {name:?}");
                Err(self.refused(&reason, format!("Choose one of: {}.", names.join(", "))))
            }
            name => Ok(name),
        }
    }

    fn conflict(&self, sentence: &str) -> Refused {
        self.usage(ErrorKind::ArgumentConflict, sentence)
    }

    fn usage(&self, kind: ErrorKind, sentence: &str) -> Refused {
        let mut all = Arguments::command();
        all.build();
        let error = match all.find_subcommand_mut(self.command) {
            Some(command) => command.error(kind, sentence),
            None => all.error(kind, sentence),
        };
        Refused::Usage(error)
    }

    fn refused(&self, reason: &str, next: String) -> Refused {
        let file = format!("unstick {}", self.command);
        Refused::Input(InputError::Unsupported { file, reason: reason.to_owned(), next })
    }
}

/// The error of `unstick command` without a server or anything in its place.
pub fn no_server(command: &str) -> InputError {
    let recorded = match command {
        "push" => "",
        _ => ", or --pull FILE with a recorded pull",
    };
    InputError::Unsupported {
        file: format!("unstick {command}"),
        reason: String::from("was not told which server to hold the device file against"),
        next: format!("Give --server URL (pre-live is {}){recorded}.", Endpoint::PRE_LIVE),
    }
}

/// The team's conflict log: the one of `UNSTICK_LOG_URL`, else that of the configuration.
fn team_log(configured: Option<TeamUrl>) -> Result<Option<TeamUrl>, Refused> {
    match std::env::var("UNSTICK_LOG_URL") {
        Ok(url) if !url.is_empty() => TeamUrl::parse(&url).map(Some).map_err(|error| {
            Refused::Input(InputError::Unsupported {
                file: String::from("UNSTICK_LOG_URL"),
                reason: format!("cannot be used: {error}"),
                next: String::from("Correct it, or remove it"),
            })
        }),
        Ok(_) | Err(_) => Ok(configured),
    }
}

fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

#[cfg(test)]
mod tests;
