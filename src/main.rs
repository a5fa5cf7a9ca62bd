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
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            run::complain(format!("cannot start: {error}"));
            return exit::ExitCode::BadInput.into();
        }
    };
    let ended = runtime.block_on(run::run(invocation));
    runtime.block_on(run::leave());
    match ended {
        Ok(code) => code.into(),
        Err(failed) => {
            run::complain(&failed);
            failed.exit_code().into()
        }
    }
}
