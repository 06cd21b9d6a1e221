//! All that leaves the desk, and what comes back by the same ways: requests to other systems, mail, and traces.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::read::{Keys, distinct};
use super::server::Scanner;
use super::wrong::Wrong;

pub mod mail;
pub mod mail_in;
pub mod sign_in;
pub mod telemetry;
pub mod webhooks;

use mail::Mail;
use mail_in::MailIn;
use sign_in::SignIn;
use webhooks::Webhook;

/// All that leaves the desk, and where to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outgoing {
    pub requests: Requests,
    /// `None` where messages wait.
    pub mail: Option<Mail>,
    /// `None` where no mail is taken.
    pub mail_in: Option<MailIn>,
    pub webhooks: Vec<Webhook>,
    /// The identity provider; `None` where people sign in with the desk's own means alone.
    pub sign_in: Option<SignIn>,
    /// `[attachments] scanner`, and the longest that it may take over one file.
    pub scanner: Option<(Scanner, Duration)>,
}

/// Requests to other systems: the keys of `[outgoing]`, in kebab-case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests {
    /// `internal-hosts`: names and addresses that may be asked although they are inside the organisation's network, and without
    /// TLS. All others have to be public and are asked with TLS. Default none.
    pub internal_hosts: Vec<String>,
    /// `certificates`: a file (PEM) with authorities that are trusted besides the system's, for mail as well; default none. Relative to
    /// the configuration directory.
    pub certificates: Option<PathBuf>,
    /// `public-url`: the address at which people reach the desk, such as `https://desk.example.com`. Messages link to it;
    /// without it they have no links.
    pub public_url: Option<String>,
}

/// Reads `[outgoing]`, which may be absent.
pub fn requests(keys: &mut Keys<'_>, dir: &Path) -> Requests {
    let certificates = keys.optional("certificates").and_then(|node| node.filled());
    Requests {
        internal_hosts: distinct(keys.list("internal-hosts"), |node| node.filled()),
        certificates: certificates.map(|file| dir.join(file)),
        public_url: keys.optional("public-url").and_then(|node| node.parsed(page)),
    }
}

fn page(text: &str) -> Result<String, Wrong> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = host.is_some_and(|host| !host.is_empty() && !host.contains(['"', '<', '>', ' ']));
    is_plain.then(|| text.trim_end_matches('/').to_owned()).ok_or(Wrong::NotAPage)
}
