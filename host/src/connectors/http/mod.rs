//! The one client for outgoing HTTP: webhooks, provisioning and all else that speaks it share its bounds and its guard.
//!
//! HTTPS only, to public addresses only, except for hosts that the configuration names; no redirect is followed, no proxy is
//! taken from the environment, nothing is decompressed, and an answer is read up to a bound within a time limit.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use reqwest::{Method, StatusCode};
use reqwest::{Url, redirect};

pub mod guard;
#[cfg(test)]
mod tests;

use guard::{Inside, InternalHosts, Resolver};

/// How long a connection may take to stand, its TLS included.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long a connection that is not used is kept, and how many of them to one host.
const IDLE_MAX: Duration = Duration::from_secs(30);
const IDLE_CONNECTIONS_MAX: usize = 4;
/// The longest that an answer may ask to be left alone.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// The name of the program in requests.
const AGENT: &str = concat!("RuleDesk/", env!("CARGO_PKG_VERSION"));

/// How requests leave: the values of `[outgoing]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    pub internal_hosts: InternalHosts,
    /// A file with certificates (PEM) of authorities that are trusted besides the system's, such as the organisation's own.
    pub certificates: Option<PathBuf>,
}

/// The client. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    /// A system without certificates has none; a desk that asks no other system can do without.
    inner: Result<reqwest::Client, Arc<str>>,
    internal: Arc<InternalHosts>,
}

/// A URL that may be asked, as far as it tells by itself; its name is looked at again each time it is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Why a text is no URL that may be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEndpoint {
    #[error("it is not a URL: {source}")]
    NotAUrl { source: url::ParseError },
    #[error("it does not begin with https://; without TLS only hosts of `[outgoing] internal-hosts` are asked")]
    NotHttps,
    #[error("it has no host, or names a user or a password: credentials belong into their own keys")]
    Unfit,
    #[error("it leaves the place that it starts from")]
    Elsewhere,
    #[error(transparent)]
    Inside(#[from] Inside),
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub method: Method,
    pub to: &'a Endpoint,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// How long all of it may take, until the last byte of the answer.
    pub within: Duration,
    pub answer: Keep,
}

/// How much of an answer's body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Its beginning, at most so many bytes; the rest is not read.
    Beginning(usize),
    /// All of it, and an error where it has more bytes.
    Whole(usize),
}

/// The answer to a request, of any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why there is no answer. Whether the other side has seen the request is known only where it was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Inside(#[from] Inside),
    #[error("{host} cannot be reached: {words}")]
    Unreachable { host: String, words: String },
    #[error("{host} took longer than {} ms", within.as_millis())]
    TimedOut { host: String, within: Duration },
    #[error("the answer of {host} has more than {bytes_max} bytes")]
    TooLarge { host: String, bytes_max: usize },
    #[error("{host} did not answer as HTTP asks: {words}")]
    Garbled { host: String, words: String },
    #[error("this system cannot make requests: {words}")]
    NoClient { words: String },
}

impl Error {
    /// Whether the request was certainly not sent, so that trying it again repeats nothing.
    pub fn was_not_sent(&self) -> bool {
        matches!(self, Error::Inside(_) | Error::Unreachable { .. } | Error::NoClient { .. })
    }
}

impl Endpoint {
    /// An address that may be asked where these hosts are internal.
    ///
    /// # Errors
    ///
    /// [`NotAnEndpoint`].
    pub fn parse(text: &str, internal: &InternalHosts) -> Result<Endpoint, NotAnEndpoint> {
        let mut url = Url::parse(text).map_err(|source| NotAnEndpoint::NotAUrl { source })?;
        let named = url.username().is_empty() && url.password().is_none();
        let host = url.host_str().filter(|host| !host.is_empty() && named).ok_or(NotAnEndpoint::Unfit)?;
        match url.scheme() {
            "https" => {}
            "http" if internal.has(host) => {}
            _ => return Err(NotAnEndpoint::NotHttps),
        }
        // What is written as an address is never resolved.
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            guard::check_address(host, address, internal)?;
        }
        url.set_fragment(None);
        Ok(Endpoint(url))
    }

    /// The address of something below this one: `path` goes on where this one's path ends, and stays on this host.
    ///
    /// # Errors
    ///
    /// [`NotAnEndpoint`].
    pub fn join(&self, path: &str) -> Result<Endpoint, NotAnEndpoint> {
        let mut base = self.0.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_query(None);
        let joined = base.join(path.trim_start_matches('/')).map_err(|source| NotAnEndpoint::NotAUrl { source })?;
        let stays = joined.origin() == base.origin() && joined.path().starts_with(base.path());
        if stays { Ok(Endpoint(joined)) } else { Err(NotAnEndpoint::Elsewhere) }
    }

    /// The same address with parameters added, each encoded as it has to be.
    #[must_use]
    pub fn with_query(mut self, pairs: &[(&str, &str)]) -> Endpoint {
        self.0.query_pairs_mut().extend_pairs(pairs);
        self
    }

    /// The host, for people.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Answer {
    /// How long the other side asks to be left alone (RFC 9110, 10.2.3), up to a day; `None` where it says nothing readable.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.headers.get("retry-after")?.to_str().ok()?.trim();
        let wait = match text.parse::<u64>() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let at = rfc2822::parse(text).ok()?.timestamp();
                Duration::try_from(at.duration_since(now)).unwrap_or_default()
            }
        };
        Some(wait.min(RETRY_AFTER_MAX))
    }

    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    /// A client with these settings. Nothing is asked yet; what is the matter with the system shows with the first request.
    pub fn new(settings: &Settings) -> Client {
        let internal = Arc::new(settings.internal_hosts.clone());
        Client { inner: build(settings, &internal).map_err(Arc::from), internal }
    }

    /// An address that may be asked.
    ///
    /// # Errors
    ///
    /// [`NotAnEndpoint`].
    pub fn endpoint(&self, text: &str) -> Result<Endpoint, NotAnEndpoint> {
        Endpoint::parse(text, &self.internal)
    }

    /// Sends a request and reads the answer of any status: a redirect is an answer as any other.
    ///
    /// # Errors
    ///
    /// [`Error`] where there is no whole answer.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, Error> {
        let inner = self.inner.as_ref().map_err(|words| Error::NoClient { words: words.to_string() })?;
        let (host, within) = (request.to.host().to_owned(), request.within);
        let sent = inner
            .request(request.method, request.to.0.clone())
            .headers(request.headers)
            .body(request.body)
            .timeout(within)
            .send();
        let mut answer = sent.await.map_err(|error| failure(&error, &host, within))?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failure(&error, &host, within))? {
            body.extend_from_slice(&chunk);
            match request.answer {
                Keep::Whole(bytes_max) if body.len() > bytes_max => return Err(Error::TooLarge { host, bytes_max }),
                Keep::Beginning(bytes_max) if body.len() >= bytes_max => {
                    body.truncate(bytes_max);
                    break;
                }
                Keep::Whole(_) | Keep::Beginning(_) => {}
            }
        }
        Ok(Answer { status, headers, body })
    }
}

fn build(settings: &Settings, internal: &Arc<InternalHosts>) -> Result<reqwest::Client, String> {
    // A second call finds the first one's provider, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(AGENT)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_MAX)
        .pool_idle_timeout(IDLE_MAX)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .dns_resolver(Resolver { internal: Arc::clone(internal) });
    if let Some(file) = &settings.certificates {
        let cannot = |words: String| format!("the certificates in {} cannot be read: {words}", file.display());
        let pem = std::fs::read(file).map_err(|error| cannot(error.to_string()))?;
        let more = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| cannot(error.to_string()))?;
        builder = builder.tls_certs_merge(more);
    }
    builder.build().map_err(|error| words(&error))
}

/// The error in the words of its innermost cause, which is the one that helps.
fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut at = error;
    while let Some(deeper) = at.source() {
        at = deeper;
    }
    at.to_string()
}

fn failure(error: &reqwest::Error, host: &str, within: Duration) -> Error {
    let mut at: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = at {
        if let Some(inside) = cause.downcast_ref::<Inside>() {
            return Error::Inside(inside.clone());
        }
        at = cause.source();
    }
    let host = host.to_owned();
    match () {
        () if error.is_connect() => Error::Unreachable { host, words: words(error) },
        () if error.is_timeout() => Error::TimedOut { host, within },
        () => Error::Garbled { host, words: words(error) },
    }
}
