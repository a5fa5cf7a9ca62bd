//! Where the team's log is. The URL holds a password, so nothing shows it: neither `Debug`, nor an error, nor a log.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// A URL such as `postgres://user:password@host/database`, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct TeamUrl {
    config: Config,
    name: String,
    encrypted: bool,
}

/// Why a text is no such URL. The parser's own words may quote a part of the password, so they are not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It cannot be read.
    #[error(
        "the URL of the team's log cannot be read: expected postgres://USER:PASSWORD@HOST/DATABASE, with %-escapes for special characters"
    )]
    Unreadable,
    /// It names no host.
    #[error("the URL of the team's log names no host: expected postgres://USER:PASSWORD@HOST/DATABASE")]
    NoHost,
    /// It would send everything in clear text to another machine.
    #[error(
        "the URL of the team's log says sslmode=disable: without encryption it may only be on this machine"
    )]
    ClearText,
}

impl TeamUrl {
    /// Reads a URL. To another machine the connection is always encrypted.
    ///
    /// # Errors
    /// What is no URL of a `PostgreSQL`, or of one that would be spoken to in clear text.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        let text = text.trim();
        if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(BadUrl::Unreadable);
        }
        let mut config: Config = text.parse().map_err(|_| BadUrl::Unreadable)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(BadUrl::NoHost);
        }
        let here =
            config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        let mode = config.get_ssl_mode();
        if !here {
            if mode == SslMode::Disable {
                return Err(BadUrl::ClearText);
            }
            config.ssl_mode(SslMode::Require);
        }
        config.application_name("unstick");
        let encrypted = config.get_ssl_mode() == SslMode::Require;
        Ok(Self { name: name(&config), encrypted, config })
    }

    /// Host and database, to be shown.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    pub(super) const fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(host) => {
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn name(config: &Config) -> String {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(host) => host.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let addresses = config.get_hostaddrs().iter().map(ToString::to_string);
    let host = hosts.chain(addresses).next().unwrap_or_default();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("{host}:{port}/{database}")
}

impl fmt::Debug for TeamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TeamUrl").field(&self.name).finish()
    }
}

impl<'de> Deserialize<'de> for TeamUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_spoken_to_in_secret_only() {
        let url = TeamUrl::parse("postgres://support:s3cret@db.example/conflicts").expect("a URL");
        assert!(url.is_encrypted());
        assert_eq!(url.name(), "db.example:5432/conflicts");
        let here = TeamUrl::parse("postgresql://support:s3cret@127.0.0.1:6000/conflicts").expect("a URL");
        assert!(!here.is_encrypted());
        assert_eq!(here.name(), "127.0.0.1:6000/conflicts");
        let refused = TeamUrl::parse("postgres://support:s3cret@db.example/conflicts?sslmode=disable");
        assert_eq!(refused, Err(BadUrl::ClearText));
        // One host here does not excuse another elsewhere.
        let both = TeamUrl::parse("postgres://support:s3cret@localhost,db.example/conflicts").expect("a URL");
        assert!(both.is_encrypted());
    }

    #[test]
    fn the_password_is_in_no_debug_text_and_in_no_error() {
        for text in [
            "postgres://support:s3cret@db.example/conflicts",
            "postgres://support:s3/cret?s3cret@db.example/conflicts",
            "postgres://support:s3cret@db.example:s3cret/conflicts",
            "postgres://support:%s3cret@db.example/conflicts",
            "postgres://db.example/conflicts?s3cret=s3cret",
            "mysql://support:s3cret@db.example/conflicts",
            "postgres://support:s3cret@/conflicts",
            "s3cret",
        ] {
            let read = TeamUrl::parse(text);
            let mut said = format!("{read:?} {read:#?}");
            if let Err(error) = read {
                said.push_str(&error.to_string());
            }
            assert!(!said.contains("s3"), "{said}");
        }
    }
}
