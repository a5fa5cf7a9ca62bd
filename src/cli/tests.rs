use std::path::Path;

use clap::CommandFactory;

use super::*;
use crate::sandbox::fault::GRAMMAR;

fn refusal(arguments: &str) -> String {
    match given(arguments, Config::default()) {
        Err(refused) => refused.to_string(),
        Ok(invocation) => panic!("accepted: {invocation:?}"),
    }
}

fn given(arguments: &str, config: Config) -> Result<Invocation, Refused> {
    let words = std::iter::once("unstick").chain(arguments.split_whitespace());
    read(words.map(OsString::from))?.with(config)
}

fn command(arguments: &str) -> Command {
    given(arguments, Config::default()).unwrap_or_else(|refused| panic!("{arguments}: {refused}")).command
}

#[test]
fn the_declaration_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn every_command_is_read() {
    assert!(matches!(command("demo --list"), Command::Scenarios));
    assert!(matches!(command("demo"), Command::Demo { scenario: None, auto: false, record: None }));
    assert!(
        matches!(command("demo first-sync"), Command::Demo { scenario: Some(name), .. } if name == "first-sync")
    );
    assert!(matches!(
        command("open d.json --pull p.json"),
        Command::Open { against: Against::Recorded(pull), .. } if pull == Path::new("p.json")
    ));
    assert!(matches!(
        command("inspect - --server http://127.0.0.1:8787 --format json --all"),
        Command::Inspect { against: Against::Server(_), format: Format::Json, all: true, .. }
    ));
    assert!(matches!(
        command("plan d.json --pull - --strategy last-write-wins"),
        Command::Plan {
            decision: Some(Decision::Strategy(Strategy::LastWriteWins)),
            format: Format::Human,
            ..
        }
    ));
    assert!(matches!(
        command(
            "push d.json --server http://[::1]:1 --choices c.json --yes --all-or-nothing --retry-first-sync"
        ),
        Command::Push { decision: Decision::Choices(_), all_or_nothing: true, retry_first_sync: true, .. }
    ));
    assert!(matches!(
        command("compare a.json b.json --server http://[::1]:1 --format json"),
        Command::Compare { devices, format: Format::Json }
            if devices.len() == 2 && devices.iter().all(|(_, against)| matches!(against, Against::Server(_)))
    ));
    assert!(matches!(
        command("compare a.json b.json --pull a.pull.json --pull b.pull.json"),
        Command::Compare { devices, format: Format::Human }
            if matches!(&devices[1], (b, Against::Recorded(pull))
                if b == Path::new("b.json") && pull == Path::new("b.pull.json"))
    ));
    assert!(matches!(
        command("simulate --devices 20 --users 7 --days 3 --edits-per-day 0.5 --offline-hours 2.5 --skew 9 --seed 4 \
                 --interval 1d,30m,1d --mix position=1 --bases --format csv"),
        Command::Simulate { settings, threads: None, format: Some(TableFormat::Csv) }
            if settings.devices == 20 && settings.bases && settings.edits_per_day.0 == 500
                && settings.intervals.len() == 2 && settings.seed == 4
    ));
    assert!(matches!(
        command("simulate"),
        Command::Simulate { settings, format: None, .. } if *settings == Settings::default()
    ));
    assert!(matches!(
        command("simulate --devices 1 --threads 0"),
        Command::Simulate { settings, threads: None, .. } if settings.users == 1
    ));
    assert!(matches!(
        command("sandbox --port 8787 --first-sync minus-one --scenario first-sync"),
        Command::Sandbox { port: 8787, scenario: Some(_), first_sync: FirstSync::Minus1, .. }
    ));
    assert!(matches!(command("completions zsh"), Command::Completions(Shell::Zsh)));
    assert!(matches!(command("man"), Command::Man));
}

#[test]
fn arguments_that_do_not_fit_together_are_refused_in_a_sentence() {
    for (arguments, sentence) in [
        (
            "plan d.json --pull p.json",
            "plan needs --strategy (server-wins, client-wins, last-write-wins, merge) or --choices FILE",
        ),
        (
            "plan d.json --pull p.json --strategy merge --choices c.json",
            "exclude each other: either a rule decides",
        ),
        ("plan - --pull p.json --choices -", "only one file can be `-`"),
        ("inspect - --pull -", "only one file can be `-`"),
        ("open d.json --pull p.json --server http://127.0.0.1:1", "--server and --pull exclude each other"),
        ("push d.json --pull p.json --strategy merge --yes", "a recorded pull is read-only"),
        ("push d.json --server http://127.0.0.1:1 --strategy merge", "then add --yes"),
        ("push d.json --server http://127.0.0.1:1 --yes", "push needs --strategy"),
        ("push - --server http://127.0.0.1:1 --strategy merge --yes", "save the export as a file"),
        (
            "plan d.json --pull p.json --strategy newest",
            "[possible values: server-wins, client-wins, last-write-wins, merge]",
        ),
        (
            "compare a.json b.json --pull a.pull.json",
            "2 device files and 1 recorded pulls: give one --pull for each",
        ),
        (
            "compare a.json --pull p.json --server http://127.0.0.1:1",
            "--server and --pull exclude each other",
        ),
        ("compare - --pull -", "only one file can be `-`"),
        ("compare a.json", "unstick compare was not told which server"),
        ("compare --pull p.json", "required arguments were not provided"),
        ("simulate --devices 0", "devices must be between 1 and 100000, not 0"),
        ("simulate --devices 99999999999", "99999999999 is not in 0..=4294967295"),
        ("simulate --devices 100000 --days 366", "edits in all, at all intervals together, must be at most"),
        ("simulate --devices 1000 --users 1", "of one user, on each of the user's devices, must be at most"),
        ("simulate --days 0", "days must be between 1 and 366, not 0"),
        ("simulate --skew NaN", "invalid digit found in string"),
        ("simulate --skew -5", "unexpected argument"),
        ("simulate --edits-per-day NaN", "expected a number from 0 to 1000000"),
        ("simulate --edits-per-day 1001", "edits a day must be at most 1000, not 1001"),
        ("simulate --interval 0s", "an interval in seconds must be between 60 and"),
        ("simulate --mix position=0", "the mix must have at least one weight above 0"),
        ("simulate --users 2000", "users must be between 1 and 1000, not 2000"),
        ("simulate --offline-hours 24", "such a device never syncs"),
        ("simulate --interval soon", "expected a time such as 30m, 4h or 1d"),
        ("simulate --mix song=1", "the names are note-text"),
        ("demo nowhere", "has no scenario \"nowhere\". Choose one of: tablet-behind"),
        ("demo first-sync --list", "cannot be used with"),
        (
            "push d.json --strategy merge --yes",
            "unstick push was not told which server to hold the device file against. Give --server URL (pre-live is https://apis-prelive.quran.foundation/auth).",
        ),
        ("push d.json --strategy merge --yes", "(pre-live is https://apis-prelive.quran.foundation/auth)."),
        ("inspect d.json --pull p.json --now yesterday", "expected a moment such as 2026-05-19T10:20:00Z"),
    ] {
        let words = refusal(arguments);
        assert!(words.contains(sentence), "{arguments}: {words}");
    }
}

#[test]
fn a_server_elsewhere_must_be_told_whose_device_it_is() {
    // The variable counts as told, and whoever runs the tests may have set it.
    if std::env::var_os("UNSTICK_CLIENT_ID").is_none() {
        let words = refusal("inspect d.json --server https://sync.example");
        assert!(words.contains("Give --client-id ID, or set UNSTICK_CLIENT_ID"), "{words}");
    }
}

#[test]
fn usage_errors_name_the_command_and_end_with_2() {
    match given("plan d.json --pull p.json", Config::default()) {
        Err(Refused::Usage(error)) => {
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains("Usage: unstick plan"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_in_an_argument_is_refused_with_a_reason_and_not_repeated() {
    for arguments in ["inspect d.json --token s3cret", "--token=s3cret demo", "push d.json --token s3cret"] {
        let words = refusal(arguments);
        assert!(words.contains("UNSTICK_TOKEN") && words.contains("--token-file"), "{words}");
        assert!(!words.contains("s3cret"), "{words}");
    }
    assert!(matches!(command("inspect --pull p.json -- --token"), Command::Inspect { .. }));
    let mut help = Vec::new();
    man(&mut help).expect("memory takes everything");
    assert!(
        !String::from_utf8_lossy(&help).replace("\\-", "-").contains("--token "),
        "it is offered nowhere"
    );
}

#[test]
fn the_configuration_fills_in_what_arguments_leave_out() {
    let config = || Config {
        server: Some("https://sync.example".into()),
        client_id: Some("app".into()),
        token_file: Some("/etc/unstick/token".into()),
        color: Some(Color::Never),
        reorder: Some(true),
        log: crate::config::Log {
            file: Some("/var/log/unstick.log".into()),
            conflicts: Some(false),
            keep_days: None,
            url: None,
        },
    };
    let access = |invocation: &Invocation| match &invocation.command {
        Command::Inspect { against: Against::Server(access), .. } => access.clone(),
        other => panic!("{other:?}"),
    };
    let invocation = given("inspect d.json", config()).expect("the configuration names a server");
    let filled = access(&invocation);
    assert_eq!(filled.endpoint.url(), "https://sync.example/v1/sync");
    assert_eq!((filled.client_id.as_str(), invocation.color), ("app", Color::Never));
    assert!(invocation.reorder);
    assert_eq!(filled.token_file.as_deref(), Some(Path::new("/etc/unstick/token")));
    assert_eq!(invocation.log.as_deref(), Some(Path::new("/var/log/unstick.log")));

    let arguments = "--color always --log here.log inspect d.json --server http://127.0.0.1:8787 \
                     --client-id other --token-file t --now 2026-05-19T10:20:00Z";
    let invocation = given(arguments, config()).expect("arguments come first");
    let filled = access(&invocation);
    assert!(filled.endpoint.is_loopback());
    assert_eq!((filled.client_id.as_str(), invocation.color), ("other", Color::Always));
    assert_eq!(invocation.now, Some(Millis(1_779_186_000_000)));
    assert_eq!(invocation.log.as_deref(), Some(Path::new("here.log")));

    let recorded = given("inspect d.json --pull p.json", config()).expect("a pull needs no server");
    assert!(matches!(recorded.command, Command::Inspect { against: Against::Recorded(_), .. }));
}

#[test]
fn common_options_stand_before_or_after_the_command() {
    for arguments in ["--color never demo --list", "demo --list --color never"] {
        let invocation = given(arguments, Config::default()).expect("both are fine");
        assert_eq!(invocation.color, Color::Never);
    }
}

#[test]
fn faults_are_read_in_their_order_and_a_bad_one_is_answered_with_the_grammar() {
    let sandbox = command("sandbox --fault post:2=500 --fault=any:5%=race,429:3@seed=7");
    let Command::Sandbox { faults, .. } = sandbox else { panic!("{sandbox:?}") };
    let rules: Vec<_> = faults.rules().iter().map(ToString::to_string).collect();
    assert_eq!(rules, ["post:2=500", "any:5%=race,429:3@seed=7"]);
    let message = refusal("sandbox --fault post:2=hiccup");
    assert!(message.contains("\"hiccup\"") && message.contains(GRAMMAR), "{message}");
}

#[test]
fn help_tells_what_the_design_promises() {
    let mut root = Arguments::command();
    let help = root.render_long_help().to_string();
    for word in ["demo", "open", "inspect", "plan", "push", "sandbox", "completions", "man", "Exit codes"] {
        assert!(help.contains(word), "{word}");
    }
    insta::assert_snapshot!(help);
}

#[test]
fn completions_and_the_manual_page_cover_every_command() {
    let mut page = Vec::new();
    man(&mut page).expect("memory takes everything");
    let page = String::from_utf8(page).expect("the page is UTF-8");
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
        let mut script = Vec::new();
        completions(shell, &mut script).expect("memory takes everything");
        let script = String::from_utf8(script).expect("the script is UTF-8");
        // The others complete no values.
        let offers = matches!(shell, Shell::Bash | Shell::Zsh | Shell::Fish);
        for scenario in Scenario::list().iter().filter(|_| offers) {
            assert!(script.contains(scenario.name), "{shell}: the scenario {}", scenario.name);
        }
        for name in ["demo", "open", "inspect", "plan", "push", "sandbox", "completions", "man"] {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
    assert!(!page.contains("\nunstick\\-demo"), "there are no other pages");
    for section in ["DEMO", "OPEN", "INSPECT", "PLAN", "PUSH", "SANDBOX", "COMPLETIONS", "MAN"] {
        assert!(page.contains(&format!(".SH {section}\n")), "{section}");
    }
}
