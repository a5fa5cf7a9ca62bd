//! What `simulate` writes: its schema, its CSV, and that the three forms say the same.

use unstick::domain::strategy::Strategy;
use unstick::headless;
use unstick::report::TableFormat;
use unstick::report::style::Style;
use unstick::simulate::{Interval, Progress, Settings, Simulation, Thousandths, simulate};

use crate::schemas::{assert_described, parsed};

fn simulation() -> Simulation {
    let settings = Settings {
        devices: 12,
        users: 5,
        days: 5,
        edits_per_day: Thousandths(6500),
        skew_s: 900,
        resources: 3,
        intervals: vec![Interval(3600), Interval(43_200)],
        ..Settings::default()
    };
    simulate(&settings, 2, &Progress::default()).expect("it can be simulated").expect("nobody stopped it")
}

fn written(simulation: &Simulation, format: TableFormat) -> String {
    let mut out = Vec::new();
    headless::simulation(simulation, format, Style::PLAIN, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("reports are UTF-8")
}

#[test]
fn simulations_are_what_their_schema_says() {
    assert_described("simulation-1.json", &written(&simulation(), TableFormat::Json));
}

/// The CSV has the columns of the JSON, in other letters, and the same numbers.
#[test]
fn csv_and_json_say_the_same() {
    let simulation = simulation();
    let json = parsed(&written(&simulation, TableFormat::Json));
    let results = json["results"].as_array().expect("results");
    let csv = written(&simulation, TableFormat::Csv);
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().expect("a heading").split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), results.len());
    for (row, result) in rows.iter().zip(results) {
        assert_eq!(row.len(), names.len());
        let cell = |name: &str| {
            let at = names.iter().position(|other| *other == name).unwrap_or_else(|| panic!("{name}"));
            row[at]
        };
        for (csv, json) in [
            ("interval_s", "intervalSeconds"),
            ("edits", "edits"),
            ("syncs", "syncs"),
            ("conflicts_409", "conflicts409"),
            ("requests", "requests"),
            ("extra_requests", "extraRequests"),
            ("divergences", "divergences"),
            ("device_values_lost", "deviceValuesLost"),
            ("server_values_lost", "serverValuesLost"),
            ("fields_asked", "fieldsAsked"),
            ("winners_turned_by_a_clock", "winnersTurnedByAClock"),
        ] {
            assert_eq!(cell(csv), result[json].to_string(), "{csv}");
        }
        assert_eq!(cell("strategy"), result["strategy"].as_str().expect("a name"));
        assert_eq!(cell("until_all_agree_median_s"), result["untilAllAgreeSeconds"]["median"].to_string());
        let rate = result["valuesLostPer1000Edits"].as_f64().expect("a rate");
        assert_eq!(cell("values_lost_per_1000_edits"), format!("{rate:.3}"));
    }
}

/// What makes the strategies what they are holds in every simulation.
#[test]
fn the_strategies_cost_what_they_promise() {
    for row in &simulation().rows {
        for (strategy, tally) in Strategy::ALL.into_iter().zip(&row.strategies) {
            assert!(tally.divergences > 0 && tally.conflicts > 0, "{strategy}");
            assert_eq!(tally.refused, 0, "{strategy}");
            match strategy {
                Strategy::ServerWins => assert_eq!(tally.lost_server, 0),
                Strategy::ClientWins => assert_eq!(tally.lost_device, 0),
                Strategy::LastWriteWins => assert!(tally.lost() > 0),
                Strategy::Merge => assert!(tally.asked > 0),
            }
        }
    }
}

#[test]
fn a_simulation_as_people_read_it() {
    insta::assert_snapshot!("small.simulate", written(&simulation(), TableFormat::Human));
}
