//! Arguments in, exit code out.

use std::process::ExitCode;

use unstick::cli::{self, Refused};
use unstick::config::Config;
use unstick::{exit, run};

fn main() -> ExitCode {
    let arguments = cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let invocation = Config::read(arguments.config_file())
        .map_err(Refused::from)
        .and_then(|config| arguments.with(config));
    let invocation = match invocation {
        Ok(invocation) => invocation,
        Err(Refused::Usage(error)) => error.exit(),
        Err(Refused::Input(error)) => {
            run::complain(error);
            return exit::ExitCode::BadInput.into();
        }
    };
    run::run(invocation).into()
}
