//! `[mail]` of `desk.toml`: whether messages to people leave, in whose name and how. Without it they wait.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::civil::Time;

use crate::config::Outside;
use crate::config::read::Keys;
use crate::config::wrong::Wrong;

/// The port of submission with `STARTTLS`, and with TLS from the beginning (RFC 8314).
const STARTTLS_PORT: u16 = 587;
const TLS_PORT: u16 = 465;
/// When digests leave.
const DIGEST_AT: Time = Time::constant(8, 0, 0, 0);

/// How mail leaves: the keys of `[mail]`, in kebab-case.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    /// `from`: whose name it has, `Name <address>` or an address.
    pub from: String,
    /// `plus-addresses`: whether answers go to `desk+TICKET.TOKEN@...`, which tells the ticket also where a mail program drops
    /// the headers that do. The mail system has to deliver such addresses. Default false.
    pub plus_addresses: bool,
    /// `locale`: the language of messages to people who have no other: `en`, `de`, or one of `templates`. Default `en`. A
    /// person's own is `locale` of the `attributes` in `people.toml`, or what they have chosen themselves.
    pub locale: String,
    /// `digest-at`: the time of day at which those get their messages who want them once a day, in the calendar's time zone.
    /// Default `08:00`.
    pub digest_at: Time,
    pub way: MailWay,
}

/// Where mail leaves to: either `directory` or `server`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailWay {
    /// `directory`: a directory that takes each message as a file `.eml`, for trying out; absent where there is a `server`.
    /// Relative to the configuration directory.
    Directory(PathBuf),
    /// `server`: the host of a mail relay, with its port if it is another than 587, or 465 with `security = "tls"`; absent where there is a `directory`.
    Server(Box<MailServer>),
}

/// A mail relay.
#[derive(Clone, PartialEq, Eq)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    /// `security`: `starttls`, `tls` or `none`. Default `starttls`.
    pub security: MailSecurity,
    /// `user`: the name to sign in with; without it the desk does not sign in.
    pub user: Option<String>,
    /// `RULEDESK_SMTP_PASSWORD`, which stands above the file.
    pub password: Option<String>,
    /// `password-file`: a file that has the password in its first line; absent where no `user` signs in. Relative to the configuration directory.
    pub password_file: Option<PathBuf>,
    /// `hello`: the name with which the desk greets the relay. Default the domain of `from`.
    pub hello: String,
}

/// How the way to a relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    StartTls,
    Tls,
    None,
}

// The password must not reach a log.
impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailServer({}:{}, {:?}, user {:?})", self.host, self.port, self.security, self.user)
    }
}

/// Reads `[mail]`, where it is there.
pub fn read(keys: &mut Keys<'_>, dir: &Path, outside: &Outside) -> Option<Mail> {
    let from = keys.required("from").and_then(|node| node.parsed(sender))?;
    let plus_addresses = keys.optional("plus-addresses").and_then(|node| node.flag()).unwrap_or(false);
    let locale = keys.optional("locale").and_then(|node| node.filled()).unwrap_or_else(|| "en".to_owned());
    let digest_at = keys.optional("digest-at").and_then(|node| node.parsed(time_of_day)).unwrap_or(DIGEST_AT);
    let directory = keys.optional("directory").and_then(|node| node.filled());
    let server = server(keys, dir, &from, outside);
    let way = match (directory, server) {
        (Some(directory), None) => MailWay::Directory(dir.join(directory)),
        (None, Some(server)) => MailWay::Server(Box::new(server)),
        (Some(_), Some(_)) | (None, None) => {
            keys.report("server", Wrong::NotOneWay);
            return None;
        }
    };
    Some(Mail { from, plus_addresses, locale, digest_at, way })
}

fn server(keys: &mut Keys<'_>, dir: &Path, from: &str, outside: &Outside) -> Option<MailServer> {
    let security = keys.optional("security").and_then(|node| node.parsed(security)).unwrap_or(MailSecurity::StartTls);
    let user = keys.optional("user").and_then(|node| node.filled());
    let password_file = keys.optional("password-file").and_then(|node| node.filled()).map(|file| dir.join(file));
    let hello = keys.optional("hello").and_then(|node| node.filled());
    let domain = from.rsplit('@').next().unwrap_or_default().trim_end_matches('>').to_owned();
    let usual = if security == MailSecurity::Tls { TLS_PORT } else { STARTTLS_PORT };
    let (host, port) = keys.optional("server").and_then(|node| node.parsed(|text| place(text, usual)))?;
    Some(MailServer {
        host,
        port,
        security,
        user,
        password: outside.smtp_password.clone().filter(|password| !password.is_empty()),
        password_file,
        hello: hello.unwrap_or(domain),
    })
}

fn security(text: &str) -> Result<MailSecurity, Wrong> {
    match text {
        "starttls" => Ok(MailSecurity::StartTls),
        "tls" => Ok(MailSecurity::Tls),
        "none" => Ok(MailSecurity::None),
        other => Err(Wrong::NotOneOf { text: other.to_owned(), allowed: vec!["starttls", "tls", "none"] }),
    }
}

fn time_of_day(text: &str) -> Result<Time, Wrong> {
    Time::strptime("%H:%M", text).map_err(|_| Wrong::NotATime { text: text.to_owned() })
}

/// The address of a sender: the text itself, or what stands in its angle brackets.
pub(super) fn address_of(text: &str) -> &str {
    match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or_default(),
        None => text,
    }
}

/// An address, or a name and an address in angle brackets.
fn sender(text: &str) -> Result<String, Wrong> {
    let address = address_of(text);
    let plain = !text.chars().any(char::is_control) && !address.contains(char::is_whitespace);
    match address.split_once('@') {
        Some((name, host)) if plain && !name.is_empty() && !host.is_empty() && !host.contains(['@', '<', '>']) => {
            Ok(text.to_owned())
        }
        _ => Err(Wrong::NotAMailAddress { text: text.to_owned() }),
    }
}

fn place(text: &str, usual: u16) -> Result<(String, u16), Wrong> {
    let wrong = || Wrong::NotAHost { text: text.to_owned() };
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
        None => (text, usual),
    };
    let plain = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    if plain { Ok((host.to_owned(), port)) } else { Err(wrong()) }
}
