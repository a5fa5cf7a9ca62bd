//! The arguments as clap reads them.

#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, which have no markup")]

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use super::DevicePath;
use crate::device::phone_database::Said;
use crate::domain::mutation::Millis;
use crate::domain::strategy::Strategy;
use crate::headless::Format;
use crate::report::TableFormat;
use crate::report::style::Color;
use crate::sandbox::fault::{GRAMMAR, Rule};
use crate::sandbox::model::FirstSync;
use crate::sandbox::scenario::Scenario;
use crate::server::Timeouts;
use crate::simulate::{Interval, Mix, Settings, Thousandths};

/// Opens a device whose sync is stuck on 409 OutOfSyncError: see both sides, choose field by field what survives,
/// retry the sync.
#[derive(Debug, Parser)]
#[command(name = "unstick", version, arg_required_else_help = true)]
#[command(after_help = EXAMPLES, after_long_help = [EXAMPLES, EXIT_CODES, TOKEN].join("\n\n"))]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Sub,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  unstick demo                                    a stuck device against a server of its own, on this machine
  unstick open tablet.json --server URL           look into a device file and resolve it
  unstick inspect tablet.json --pull pull.json    the same as text, against a recorded pull";

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done, nothing is open
  1  divergences or quarantined mutations remain
  2  bad arguments or bad input
  3  the server refused or cannot be reached
  4  it cannot be told what the server did
  5  the server has taken in what was sent, and the device file could not be written back: keep the app from syncing";

pub(super) const TOKEN: &str = "\
Token:
  The user's access token comes from the variable UNSTICK_TOKEN, from --token-file or from a prompt,
  never from an argument. It is never logged, written or shown.";

/// The heading under which every command lists what all have in common.
pub(super) const COMMON: &str = "Common options";

#[derive(Debug, Subcommand)]
pub(super) enum Sub {
    Demo(Demo),
    Open(Open),
    Inspect(Inspect),
    Why(Why),
    Audit(Audit),
    Plan(Plan),
    Push(Push),
    Case(Case),
    Resume(Resume),
    Log(super::log::Log),
    Compare(Compare),
    Simulate(Simulate),
    Sandbox(Sandbox),
    /// Write a completion script for a shell
    #[command(after_help = "Example:\n  unstick completions fish > ~/.config/fish/completions/unstick.fish")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual page
    #[command(after_help = "Example:\n  unstick man | man -l -")]
    Man,
}

impl Sub {
    /// The command's name.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Demo(_) => "demo",
            Self::Open(_) => "open",
            Self::Inspect(_) => "inspect",
            Self::Why(_) => "why",
            Self::Audit(_) => "audit",
            Self::Plan(_) => "plan",
            Self::Push(_) => "push",
            Self::Case(_) => "case",
            Self::Resume(_) => "resume",
            Self::Log(_) => "log",
            Self::Compare(_) => "compare",
            Self::Simulate(_) => "simulate",
            Self::Sandbox(_) => "sandbox",
            Self::Completions { .. } => "completions",
            Self::Man => "man",
        }
    }
}

/// Open a stuck device of a scenario, against a server on this machine
///
/// Starts the sandbox on a free loopback port with a stuck device and opens the inspector. Nothing of it leaves this
/// machine.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  unstick demo\n  unstick demo --list\n  unstick demo delete-vs-edit\n  unstick demo tablet-behind --auto --record demo.cast"
)]
pub(super) struct Demo {
    /// Which scenario; see --list
    #[arg(value_parser = ScenarioName, hide_possible_values = true)]
    pub(super) scenario: Option<String>,
    /// List the scenarios
    #[arg(long, conflicts_with = "scenario")]
    pub(super) list: bool,
    /// Play the story by itself, with pauses for a projector; any key takes over
    #[arg(long)]
    pub(super) auto: bool,
    /// Record the screen as an asciicast v2; the file must not be there yet
    #[arg(long, value_name = "FILE.cast")]
    pub(super) record: Option<PathBuf>,
}

/// Open a device file in the inspector
///
/// Shows the device's queue beside the server's mutations, lets a person choose field by field what survives, and
/// retries the sync. Against a recorded pull it is read-only.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  unstick open tablet.json --server https://apis-prelive.quran.foundation/auth --client-id my-app
  unstick open tablet.json --pull pull.json")]
pub(super) struct Open {
    #[arg(help = DEVICE)]
    pub(super) device: PathBuf,
    #[command(flatten)]
    pub(super) phone: Phone,
    #[command(flatten)]
    pub(super) against: Against,
}

/// How long a pull may take where nothing is said, seconds.
const PATIENCE_S: u64 = Timeouts::DEFAULT.pull.as_secs();
const DEVICE: &str = "The device file, as the app exports it, a phone's quran.db or the folder of it, or a case; - is standard input";

/// A device that is looked at, and who reads of it.
#[derive(Args, Debug)]
pub(super) struct Look {
    #[arg(help = DEVICE)]
    pub(super) device: PathBuf,
    #[command(flatten)]
    pub(super) phone: Phone,
    #[command(flatten)]
    pub(super) against: Against,
    #[command(flatten)]
    pub(super) output: Output,
}

/// What a phone's own files do not say of its sync.
#[derive(Args, Debug)]
pub(super) struct Phone {
    /// The phone's preferences file, which holds its cursor; without it the one that lies beside the database
    #[arg(long, value_name = "FILE")]
    prefs: Option<PathBuf>,
    /// The phone's cursor, where no preferences file is to be had
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    cursor: Option<i64>,
}

impl Phone {
    /// The device file with what is said of it.
    pub(super) fn of(self, path: PathBuf) -> DevicePath {
        DevicePath { path, said: Said { preferences: self.prefs, cursor: self.cursor } }
    }
}

/// Write why a device is stuck and where the two sides differ
///
/// Sends nothing. For people: the causes, the summary, then what is open.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  unstick inspect tablet.json --pull pull.json
  unstick inspect tablet.json --server URL --format json | jq '.pairs[] | select(.status == \"diverged\")'")]
pub(super) struct Inspect {
    #[command(flatten)]
    pub(super) look: Look,
    /// Show people every resource, not only the open ones
    #[arg(long)]
    pub(super) all: bool,
}

/// Write why a device is stuck, and whether its phone will recover
///
/// Sends nothing. First what goes on blocking the device once everything is pushed: what happens, where, why the phone
/// cannot get past it, what to do. With --log FILE or --log-line TEXT it reads what the phone's own log says of its sync;
/// nothing of the log is shown.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  unstick why quran.db --server URL
  unstick why tablet.json --pull pull.json --format json
  unstick why --log logcat.txt
  unstick why --log-line 'Illogical scenario detected'")]
pub(super) struct Why {
    #[arg(help = DEVICE)]
    pub(super) device: Option<PathBuf>,
    #[command(flatten)]
    pub(super) phone: Phone,
    #[command(flatten)]
    pub(super) against: Against,
    #[command(flatten)]
    pub(super) output: Output,
    /// One line of the phone's log
    #[arg(long, value_name = "TEXT", conflicts_with = "log")]
    pub(super) log_line: Option<String>,
    /// The phone's log, such as a logcat; - is standard input
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// Compare the whole device with the whole account
///
/// Pulls from 0 and sends nothing. Says what the device lacks (what stands behind the first 100 of a phone's first pull is
/// named as such), what the server lacks, and what differs. Ends with 1 where something does.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  unstick audit quran.db --server URL
  unstick audit tablet.json --server URL --format json")]
pub(super) struct Audit {
    #[command(flatten)]
    pub(super) look: Look,
}

/// Write what retrying the sync would send, apply, keep and lose
///
/// Sends nothing.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  unstick plan tablet.json --server URL --strategy merge
  unstick plan tablet.json --pull pull.json --choices choices.json --format json")]
pub(super) struct Plan {
    #[arg(help = DEVICE)]
    pub(super) device: PathBuf,
    #[command(flatten)]
    pub(super) phone: Phone,
    #[command(flatten)]
    pub(super) against: Against,
    #[command(flatten)]
    pub(super) decide: Decide,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Resolve and retry the sync, without a screen
///
/// Pulls, decides, sends what is settled and writes the device file back; a backup of it is made first. What stays
/// open stays in the queue.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  unstick plan tablet.json --server URL --strategy server-wins
  unstick push tablet.json --server URL --strategy server-wins --yes
  unstick push tablet.json --server URL --choices choices.json --yes --report ticket.md --redact")]
pub(super) struct Push {
    /// The device file, as the app exports it; it is written back. Or a phone's quran.db or its folder, which is only read
    pub(super) device: PathBuf,
    #[command(flatten)]
    pub(super) phone: Phone,
    #[command(flatten)]
    pub(super) against: Against,
    #[command(flatten)]
    pub(super) decide: Decide,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) report: Report,
    /// Really send
    #[arg(long)]
    pub(super) yes: bool,
    /// Send nothing while anything is open
    #[arg(long)]
    pub(super) all_or_nothing: bool,
    /// End with 1 where something was lost that the plan did not show
    ///
    /// A push by a strategy goes on under it when the server changes meanwhile; what that costs beyond the plan is
    /// told apart ("lost beyond the preview"). Without this the push ends with 0 all the same.
    #[arg(long)]
    pub(super) strict: bool,
    /// Where the server asks for -1 on a first sync, send once more with it
    #[arg(long)]
    pub(super) retry_first_sync: bool,
    /// Send although this server never gave the device's cursor
    ///
    /// A cursor that is ahead of the server's head comes from another environment or another account: what is sent
    /// may end in somebody else's. Where the token or the ids say that the account is another one,
    /// --accept-other-account is needed as well.
    #[arg(long)]
    pub(super) accept_cursor_ahead: bool,
    /// Send although the device file seems to be another account's
    ///
    /// Nothing is sent where the token names another user than the file, or where the account holds none of the
    /// resources that the device names: private notes would end with somebody else.
    #[arg(long)]
    pub(super) accept_other_account: bool,
}

/// Write device, server, decision and outcome into one file, to be looked at elsewhere
///
/// `unstick open CASE` shows the case again without the server; `unstick plan CASE` plans it again and ends with 1
/// where it says something else than the case recorded. With --redact people's texts and numbers are replaced by
/// random ones of the same length, the same by the same, and the verdicts stay.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  unstick case tablet.json --pull pull.json --strategy merge --out case.json
  unstick case tablet.json --server URL --choices choices.json --redact --out case.json
  unstick plan case.json && echo the rules say the same")]
pub(super) struct Case {
    #[arg(help = DEVICE)]
    pub(super) device: PathBuf,
    #[command(flatten)]
    pub(super) phone: Phone,
    #[command(flatten)]
    pub(super) against: Against,
    #[command(flatten)]
    pub(super) decide: Decide,
    /// The file to write; it must not be there yet
    #[arg(long, value_name = "CASE")]
    pub(super) out: PathBuf,
    /// Replace what people wrote
    #[arg(long)]
    pub(super) redact: bool,
}

/// Go on with a push that broke off, or give it up
///
/// A push that was killed or that lost an answer leaves a journal beside the device file. Without --yes this tells
/// where it stood and sends nothing. What was acknowledged is not sent again; what is in doubt is looked up first; the
/// rule, or the choices whose values are unchanged, are applied again.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  unstick resume tablet.json
  unstick resume tablet.json --server URL --yes
  unstick resume tablet.json --server URL --ask
  unstick resume tablet.json --server URL --arrived q3=n7 --not-arrived q4 --yes
  unstick resume tablet.json --discard")]
pub(super) struct Resume {
    /// The device file whose push broke off; it is written back
    pub(super) device: PathBuf,
    #[command(flatten)]
    pub(super) phone: Phone,
    #[command(flatten)]
    pub(super) server: Server,
    /// Really go on
    #[arg(long)]
    pub(super) yes: bool,
    /// Show each queue entry in doubt beside what may be it, and ask what became of it
    ///
    /// Without a terminal the questions are printed, with the flags that answer them.
    #[arg(long)]
    pub(super) ask: bool,
    /// This queue entry in doubt has arrived; q3=n7 where several things on the server may be it
    #[arg(long, value_name = "ID")]
    pub(super) arrived: Vec<String>,
    /// This queue entry in doubt has not arrived: what looks like it is another's
    #[arg(long, value_name = "ID")]
    pub(super) not_arrived: Vec<String>,
    /// Forget the journal and what was chosen; what was acknowledged leaves the device file, the backup stays
    ///
    /// What is in doubt stays in the queue and is marked as tried. It costs what the journal knew: what arrived in other
    /// words is sent again then, and is there twice.
    #[arg(long, conflicts_with_all = ["yes", "ask", "arrived", "not_arrived"])]
    pub(super) discard: bool,
    /// Send although the device file seems to be another account's
    ///
    /// Nothing is sent where the token names another user than the file, or where the account holds none of the
    /// resources that the device names: private notes would end with somebody else.
    #[arg(long)]
    pub(super) accept_other_account: bool,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) report: Report,
}

/// Write the four strategies side by side: what each would push, keep, lose and leave open
///
/// Sends nothing. Several device files are compared one by one and then together. With --server all are held against
/// that server, with one token; with --pull give one recorded pull for each device file, in the same order.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  unstick compare tablet.json --pull pull.json
  unstick compare a.json b.json --pull a.pull.json --pull b.pull.json --format json")]
pub(super) struct Compare {
    /// The device files, as the app exports them; - is standard input
    #[arg(required = true, value_name = "DEVICE")]
    pub(super) devices: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) server: Server,
    /// A recorded pull instead of a server, one for each device file in the same order; - is standard input
    #[arg(long = "pull", value_name = "FILE")]
    pub(super) pulls: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Simulate weeks of syncs: what each strategy costs, for how long between two syncs
///
/// The four strategies on the same edits, through the protocol's rules: 409s, divergences, changes lost, requests that a
/// 409 made necessary, and how long until all devices agree. The same seed gives the same numbers.
///
/// On a terminal it opens a screen with charts, on which the settings can be turned. With --format, or where the output
/// goes elsewhere, it writes tables, JSON or CSV.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  unstick simulate
  unstick simulate --format human
  unstick simulate --devices 200 --users 100 --days 14 --interval 30m,4h --skew 600
  unstick simulate --interval 15m,1h,4h,12h,1d --format csv > simulation.csv")]
pub(super) struct Simulate {
    /// How many devices there are in all
    #[arg(long, value_name = "N", default_value_t = Settings::default().devices)]
    pub(super) devices: u32,
    /// How many users share them; half as many as there are devices where it is not given
    #[arg(long, value_name = "N")]
    pub(super) users: Option<u32>,
    /// For how many days
    #[arg(long, value_name = "N", default_value_t = Settings::default().days)]
    pub(super) days: u32,
    /// How many edits a device makes a day
    #[arg(long, value_name = "N", default_value_t = Settings::default().edits_per_day)]
    pub(super) edits_per_day: Thousandths,
    /// How many hours a day a device is offline, in one stretch
    #[arg(long, value_name = "HOURS", default_value_t = Settings::default().offline_hours)]
    pub(super) offline_hours: Thousandths,
    /// How wrong a device's clock is at most, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Settings::default().skew_s)]
    pub(super) skew: u32,
    /// How many notes, collections and reading sessions a user begins with, of each
    #[arg(long, value_name = "N", default_value_t = Settings::default().resources)]
    pub(super) resources: u32,
    /// What is edited how often, as weights
    #[arg(long, value_name = "NAME=WEIGHT,…", default_value_t = Settings::default().mix)]
    pub(super) mix: Mix,
    /// The app records with each edit what both sides last agreed on
    #[arg(long)]
    pub(super) bases: bool,
    /// The times between two syncs of a device to try, such as 30m,4h,1d
    #[arg(long, value_name = "TIME,…", value_delimiter = ',', default_values_t = Settings::default().intervals)]
    pub(super) interval: Vec<Interval>,
    /// The seed of chance
    #[arg(long, value_name = "N", default_value_t = Settings::default().seed)]
    pub(super) seed: u64,
    /// On how many threads; all cores where it is not given
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,
    /// Write tables for people, JSON for programs or CSV for a spreadsheet instead of opening the screen
    #[arg(long, value_parser = table_format())]
    pub(super) format: Option<TableFormat>,
}

/// Serve the sandbox alone, for an app's own client
///
/// A strict server of its own on 127.0.0.1. Its first line is `listening on http://127.0.0.1:PORT`. It takes any
/// token; one of the form scopes:sync,note has only those scopes.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  unstick sandbox --port 8787
  unstick sandbox --scenario big-queue --fault post:2=timeout-after --fault any:5%=500,race@seed=7")]
pub(super) struct Sandbox {
    /// The port on 127.0.0.1; 0 is any that is free
    #[arg(long, default_value_t = 0)]
    pub(super) port: u16,
    /// What is on the server; without one it is empty. See `unstick demo --list`
    #[arg(long, value_name = "NAME", value_parser = ScenarioName, hide_possible_values = true)]
    pub(super) scenario: Option<String>,
    /// The head of an account that never synced: a positive one, or -1
    #[arg(long, value_name = "HEAD", default_value = "positive", value_parser = first_sync())]
    pub(super) first_sync: FirstSync,
    /// What goes wrong with which request, as in post:2=timeout-after; may be given several times. See --help
    #[arg(long = "fault", value_name = "RULE", long_help = fault_help())]
    pub(super) faults: Vec<Rule>,
}

fn fault_help() -> String {
    format!("What goes wrong with which request; may be given several times.\n{GRAMMAR}")
}

#[derive(Args, Debug)]
pub(super) struct Against {
    #[command(flatten)]
    pub(super) server: Server,
    /// A recorded pull instead of a server: a GET's answer, or an array of its pages; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) pull: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct Server {
    /// The server's base URL; https, except on this machine
    #[arg(long = "server", value_name = "URL")]
    pub(super) url: Option<String>,
    /// The id of the app whose device it is (x-client-id)
    #[arg(long, value_name = "ID", env = "UNSTICK_CLIENT_ID", hide_env_values = true)]
    pub(super) client_id: Option<String>,
    /// A file with the user's access token; else the variable UNSTICK_TOKEN, else a prompt
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// How long a pull may take, all pages and all that is asked again, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE_S, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) timeout: u64,
}

#[derive(Args, Debug)]
pub(super) struct Decide {
    /// The rule that decides every divergence; merge leaves open what only a person can decide
    #[arg(long, value_name = "STRATEGY", value_parser = strategy())]
    pub(super) strategy: Option<Strategy>,
    /// A choices file, as the inspector writes it; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) choices: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct Output {
    /// For people or for programs
    #[arg(long, default_value = "human", value_parser = format())]
    pub(super) format: Format,
}

#[derive(Args, Debug)]
pub(super) struct Report {
    /// Write what was done for a ticket: Markdown (.md) or JSON (.json), by the file's ending
    ///
    /// Device, causes, each choice with old and new values, what was sent and answered, what was lost. Also written
    /// where the push fails.
    #[arg(id = "report", long = "report", value_name = "FILE")]
    pub(super) path: Option<PathBuf>,
    /// In the report, put a length and a hash in the place of every value
    ///
    /// Equal texts have equal hashes within one report; flags and numbers have none. The hash is made with a key that is kept nowhere, so that
    /// nobody can try out what a short value may be. Ids, counts and times stay.
    #[arg(long, requires = "report")]
    pub(super) redact: bool,
    /// Replace the report's file where it is there already
    #[arg(long, requires = "report")]
    pub(super) force: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = COMMON)]
pub(super) struct Common {
    /// When to use colours: on a terminal unless NO_COLOR is set, always, never
    #[arg(long, global = true, value_name = "WHEN", value_parser = color())]
    pub(super) color: Option<Color>,
    /// Write a log of requests and answers: ids and sizes, never what people wrote
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// Add nothing to the conflict log; see `unstick log --help`
    #[arg(long, global = true)]
    pub(super) no_log: bool,
    /// The configuration; else the one in the platform's folder
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Take this for the time, as in 2026-05-19T10:20:00Z
    #[arg(long, global = true, value_name = "RFC3339", value_parser = moment)]
    pub(super) now: Option<Millis>,
}

/// One of `all` by its name.
pub(super) fn one_of<T: Copy + Send + Sync + 'static, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.map(name)).try_map(move |word| {
        all.into_iter().find(|one| name(*one) == word).ok_or("not one of the possible values")
    })
}

fn strategy() -> impl TypedValueParser<Value = Strategy> {
    one_of(Strategy::ALL, Strategy::name)
}

fn format() -> impl TypedValueParser<Value = Format> {
    one_of(Format::ALL, Format::name)
}

pub(super) fn table_format() -> impl TypedValueParser<Value = TableFormat> {
    one_of(TableFormat::ALL, TableFormat::name)
}

fn color() -> impl TypedValueParser<Value = Color> {
    one_of(Color::ALL, Color::name)
}

fn first_sync() -> impl TypedValueParser<Value = FirstSync> {
    one_of([FirstSync::Positive, FirstSync::Minus1], |first_sync| match first_sync {
        FirstSync::Positive => "positive",
        FirstSync::Minus1 => "minus-one",
    })
}

fn moment(text: &str) -> Result<Millis, String> {
    let moment: jiff::Timestamp =
        text.parse().map_err(|_| String::from("expected a moment such as 2026-05-19T10:20:00Z"))?;
    Ok(Millis(moment.as_millisecond()))
}

/// The name of a scenario: shells complete it. Whether there is such a scenario is checked with the other arguments,
/// where the answer says what there is.
#[derive(Clone)]
struct ScenarioName;

impl TypedValueParser for ScenarioName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        clap::builder::StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Scenario::list().iter().map(|scenario| PossibleValue::new(scenario.name))))
    }
}
