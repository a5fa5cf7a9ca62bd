//! Programs that this one starts: they need neither the person's token nor the password of the team's log.

use std::process::Command;

use crate::server::token;

/// The variables that hold a secret.
pub const SECRETS: [&str; 2] = [token::VARIABLE, "UNSTICK_LOG_URL"];

/// The command in an environment without secrets. Every program that is started goes through here.
pub fn without_secrets(command: &mut Command) -> &mut Command {
    SECRETS.into_iter().fold(command, Command::env_remove)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_has_no_secrets_and_all_else() {
        let mut command = Command::new("env");
        // As if they stood in this process's environment.
        command.envs([
            ("UNSTICK_TOKEN", "t0k3n"),
            ("UNSTICK_LOG_URL", "postgres://a:b@c/d"),
            ("KEPT", "yes"),
        ]);
        let output = without_secrets(&mut command).output().expect("env runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("KEPT=yes") && !text.contains("t0k3n") && !text.contains("postgres"), "{text}");
    }
}
