//! The whole device against the whole account: `unstick.audit/1` (schema in `assets/schemas/audit-1.json`), and for people.

use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::entries::{DeviceEntry, Each};
use super::human::inspection::write_warnings;
use super::human::{count, shown};
use super::style::Style;
use crate::domain::audit::{Audit, Difference, Finding};
use crate::domain::field::FieldPath;
use crate::domain::inspect::Inspection;
use crate::domain::naming;
use crate::exit::ExitCode;

/// The `schema` of the JSON form.
pub const SCHEMA: &str = "unstick.audit/1";

/// Which findings stand under one heading.
type Wanted = fn(&Difference) -> bool;

/// An audit and what it was made of.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The device, and everything that the server holds.
    pub inspection: &'a Inspection,
    /// What is not the same.
    pub audit: &'a Audit,
    /// What was odd in the device file.
    pub warnings: &'a [String],
}

impl Report<'_> {
    /// Writes the JSON form.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        super::lines::write(out, self)
    }

    /// Done where nothing differs.
    pub const fn exit_code(&self) -> ExitCode {
        if self.audit.findings.is_empty() { ExitCode::Done } else { ExitCode::Open }
    }

    /// Writes the form for people.
    pub fn write_human(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        let out = &mut io::BufWriter::new(out);
        let device = shown(self.inspection.device.identity.name()).to_string();
        let Audit { device: held, server, waiting, findings } = self.audit;
        let heading = match findings.len() {
            0 => format!("{device} and the account hold the same"),
            1 => format!("1 resource of {device} and of the account is not the same"),
            number => format!("{number} resources of {device} and of the account are not the same"),
        };
        writeln!(out, "{}", style.heading(heading))?;
        writeln!(
            out,
            "  The device holds {} as synced, the server {}; {} to be sent and not compared.",
            count(*held, "resource"),
            count(*server, "resource"),
            match waiting {
                1 => String::from("1 more waits"),
                number => format!("{number} more wait"),
            }
        )?;
        let of = |wanted: Wanted| findings.iter().filter(move |finding| wanted(&finding.how));
        let beyond = |how: &Difference| matches!(how, Difference::NotOnDevice { beyond_first_page: true });
        let lacks = |how: &Difference| matches!(how, Difference::NotOnDevice { beyond_first_page: false });
        let gone = |how: &Difference| matches!(how, Difference::NotOnServer);
        let differs = |how: &Difference| matches!(how, Difference::Differs(_));
        let parts: [(&str, Wanted); 4] = [
            ("Not on the device", lacks),
            (
                "Not on the device: behind the first 100 of a pull from 0, which is all that a phone reads",
                beyond,
            ),
            ("Not on the server", gone),
            ("Different", differs),
        ];
        for (heading, wanted) in parts {
            let found: Vec<&Finding> = of(wanted).collect();
            if found.is_empty() {
                continue;
            }
            writeln!(out, "\n{}", style.heading(format!("{heading}: {}", found.len())))?;
            for finding in found {
                let label = self.label(finding);
                let fields = match &finding.how {
                    Difference::Differs(paths) => {
                        let names: Vec<String> = paths.iter().map(FieldPath::label).collect();
                        format!(": {}", names.join(", "))
                    }
                    Difference::NotOnDevice { .. } | Difference::NotOnServer => String::new(),
                };
                let id = style.quiet(format!("[{}]", shown(finding.id.as_str())));
                writeln!(out, "  {}{} {id}", shown(&label), shown(&fields))?;
            }
        }
        write_warnings(self.warnings, out, style)?;
        out.flush()
    }

    /// What the resource is called.
    fn label(&self, finding: &Finding) -> String {
        let served = self.inspection.window.mutations.iter().rev().find(|mutation| {
            mutation.kind == finding.kind
                && crate::domain::identity::id_of(mutation).is_some_and(|id| id == finding.id)
        });
        served.map_or_else(
            || {
                let key = format!("id:{}", finding.id);
                let title = naming::title_of_row(self.inspection, &finding.kind, &key);
                naming::labelled(&finding.kind, &title)
            },
            |mutation| naming::served_label(self.inspection, mutation),
        )
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Audit { device, server, waiting, findings } = self.audit;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("device", &DeviceEntry(&self.inspection.device.identity))?;
        map.serialize_entry("head", &self.inspection.window.head)?;
        map.serialize_entry("onDevice", device)?;
        map.serialize_entry("onServer", server)?;
        map.serialize_entry("waiting", waiting)?;
        map.serialize_entry("findings", &Each(|| findings.iter().map(FindingEntry)))?;
        map.serialize_entry("warnings", self.warnings)?;
        map.end()
    }
}

struct FindingEntry<'a>(&'a Finding);

impl Serialize for FindingEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Finding { kind, id, how } = self.0;
        let (word, fields) = match how {
            Difference::NotOnDevice { beyond_first_page: false } => ("not-on-device", Vec::new()),
            Difference::NotOnDevice { beyond_first_page: true } => ("beyond-first-page", Vec::new()),
            Difference::NotOnServer => ("not-on-server", Vec::new()),
            Difference::Differs(paths) => ("differs", paths.iter().map(FieldPath::as_str).collect()),
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", kind.wire())?;
        map.serialize_entry("id", id.as_str())?;
        map.serialize_entry("how", word)?;
        map.serialize_entry("fields", &fields)?;
        map.end()
    }
}
