//! Which server: one URL, checked once.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use crate::error::InputError;

const PRE_LIVE_HOST: &str = "apis-prelive.quran.foundation";
const PRODUCTION_HOST: &str = "apis.quran.foundation";
const SYNC_PATH: &str = "v1/sync";

/// The sync call of one server. Anything but a loopback host is spoken to over https only, because every request
/// carries the token.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    sync: Url,
    environment: Environment,
}

/// Which of the known servers it is (PROTOCOL A1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// The pre-live server, the default.
    PreLive,
    /// The server with people's real data: shown by a loud banner (PROTOCOL D2).
    Production,
    /// A server on this machine, the sandbox for instance.
    Loopback,
    /// Any other.
    Other,
}

impl Endpoint {
    /// The base URL of the default server: pre-live, where no real data is at stake (PROTOCOL A1, D2).
    pub const PRE_LIVE: &str = "https://apis-prelive.quran.foundation/auth";

    /// Reads a base URL such as `https://apis-prelive.quran.foundation/auth`; `/v1/sync` is added unless it
    /// stands there already.
    pub fn parse(base: &str) -> Result<Self, InputError> {
        let mut sync = Url::parse(base.trim())
            .map_err(|error| refused(format!("is not a URL ({error})"), "Give it as https://host/path."))?;
        let host = sync.host_str().unwrap_or_default().to_owned();
        if !sync.username().is_empty() || sync.password().is_some() {
            return Err(refused(
                String::from("holds a user name or a password"),
                "Leave them out; the token comes from UNSTICK_TOKEN or --token-file.",
            ));
        }
        if sync.query().is_some() || sync.fragment().is_some() {
            return Err(refused(
                format!("({host}) holds a query or a fragment"),
                "Give the base URL alone; unstick adds /v1/sync.",
            ));
        }
        let loopback = is_loopback(&host);
        match sync.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => {
                return Err(refused(
                    format!("({host}) is http, which would send the token in clear text"),
                    "Use https; http is for servers on this machine only.",
                ));
            }
            other => return Err(refused(format!("is {other}, not https"), "Give it as https://host/path.")),
        }
        let path = sync.path().trim_end_matches('/');
        let base = path.strip_suffix(SYNC_PATH).unwrap_or(path).trim_end_matches('/');
        let path = format!("{base}/{SYNC_PATH}");
        sync.set_path(&path);
        let environment = match host.as_str() {
            PRE_LIVE_HOST => Environment::PreLive,
            PRODUCTION_HOST => Environment::Production,
            _ if loopback => Environment::Loopback,
            _ => Environment::Other,
        };
        Ok(Self { sync, environment })
    }

    /// Which of the known servers it is.
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// Whether people's real data is at stake.
    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.environment == Environment::Loopback
    }

    /// A short name for headers: `pre-live`, `production`, or host and port.
    pub fn label(&self) -> String {
        match self.environment {
            Environment::PreLive => String::from("pre-live"),
            Environment::Production => String::from("PRODUCTION"),
            Environment::Loopback | Environment::Other => authority(&self.sync),
        }
    }

    /// The URL of the sync call, without a query.
    pub fn url(&self) -> &str {
        self.sync.as_str()
    }

    pub(super) const fn sync(&self) -> &Url {
        &self.sync
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// Host and, where it is not the scheme's own, port.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or("no host");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn refused(reason: String, next: &str) -> InputError {
    InputError::Unsupported { file: String::from("--server"), reason, next: next.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(base: &str) -> Endpoint {
        Endpoint::parse(base).expect("a good URL")
    }

    #[test]
    fn the_sync_call_is_added_once() {
        for base in ["https://h.example/auth", "https://h.example/auth/", " https://h.example/auth/v1/sync/ "]
        {
            let endpoint = endpoint(base);
            assert_eq!(endpoint.url(), "https://h.example/auth/v1/sync", "{base}");
        }
        assert_eq!(endpoint("http://127.0.0.1:8787").url(), "http://127.0.0.1:8787/v1/sync");
        assert_eq!(endpoint(Endpoint::PRE_LIVE).url(), "https://apis-prelive.quran.foundation/auth/v1/sync");
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_clear_text() {
        for good in [
            "http://localhost:1",
            "http://127.0.0.1",
            "http://127.9.9.9",
            "http://[::1]:8787",
            "http://LOCALHOST",
        ] {
            assert!(Endpoint::parse(good).is_ok_and(|e| e.is_loopback()), "{good}");
        }
        for bad in [
            "http://apis.quran.foundation/auth",
            "http://127.0.0.1.example.org",
            "http://localhost.example.org",
            "http://0.0.0.0:80",
            "http://192.168.0.1",
            "http://[::ffff:127.0.0.1]",
            "ftp://localhost",
            "file:///etc/passwd",
            "localhost:8787",
            "127.0.0.1:8787",
            "",
        ] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn secrets_in_a_url_are_refused_and_not_repeated() {
        for bad in [
            "https://user:hunter2@h.example/",
            "https://hunter2@h.example",
            "https://h.example/?t=hunter2",
            "https://h.example/#hunter2",
        ] {
            let error = Endpoint::parse(bad).expect_err(bad);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_two_known_servers_have_names() {
        let production = endpoint("https://apis.quran.foundation/auth");
        assert!(production.is_production());
        assert_eq!(production.label(), "PRODUCTION");
        assert_eq!(endpoint(Endpoint::PRE_LIVE).label(), "pre-live");
        assert_eq!(
            Endpoint::parse("http://[::1]:8787").map(|e| e.label()).ok().as_deref(),
            Some("[::1]:8787")
        );
    }
}
