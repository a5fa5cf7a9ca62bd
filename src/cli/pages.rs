//! Completion scripts and the manual page, from the same declaration as the arguments.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::arguments::{Arguments, COMMON, EXAMPLES, EXIT_CODES, TOKEN};

/// Writes the completion script for `shell`.
pub fn completions(shell: Shell, out: &mut impl Write) -> io::Result<()> {
    // The generator panics where it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "unstick", &mut script);
    out.write_all(&script)
}

/// Writes the manual page: the program, then each command as a section of its own.
pub fn man(out: &mut impl Write) -> io::Result<()> {
    let mut command = Arguments::command();
    command.build();
    let mut page = Vec::new();
    let program = Man::new(command.clone());
    program.render_title(&mut page)?;
    program.render_name_section(&mut page)?;
    program.render_synopsis_section(&mut page)?;
    program.render_description_section(&mut page)?;
    program.render_options_section(&mut page)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        writeln!(page, ".SH {}", sub.get_name().to_uppercase())?;
        // What all commands have in common stands above once.
        let own = sub.clone().mut_args(|argument| {
            let common = argument.get_help_heading() == Some(COMMON) || argument.get_id() == "help";
            argument.hide(common)
        });
        let man = Man::new(own);
        let mut section = Vec::new();
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        // Sections of a command's own page are subsections of this one.
        page.extend_from_slice(String::from_utf8_lossy(&section).replace(".SH ", ".SS ").as_bytes());
        if let Some(examples) = sub.get_after_help() {
            write_as_it_is(&mut page, ".SS", &examples.to_string())?;
        }
    }
    for text in [EXAMPLES, EXIT_CODES, TOKEN] {
        write_as_it_is(&mut page, ".SH", text)?;
    }
    out.write_all(&page)
}

/// A text whose first line is its heading, its lines kept as they are.
fn write_as_it_is(page: &mut Vec<u8>, level: &str, text: &str) -> io::Result<()> {
    let (heading, lines) = text.split_once('\n').unwrap_or((text, ""));
    let lines = lines.replace('\\', "\\\\").replace('-', "\\-");
    writeln!(page, "{level} \"{}\"\n.nf\n{lines}\n.fi", heading.trim_end_matches(':').to_uppercase())
}
