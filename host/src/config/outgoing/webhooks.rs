//! `[[webhook]]` of `webhooks.toml` or `desk.toml`: other systems that hear of what happens to tickets.
//! Published by API, an endpoint has a `secret-file` only where the directory names that file for it as well: other secrets are made by the
//! desk.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::config::read::{Keys, distinct};
use crate::config::wrong::Wrong;
use crate::desk::id::WebhookId;

/// The most endpoints: each reads the feed of what happens for itself.
const ENDPOINTS_MAX: usize = 100;

/// An endpoint that hears what happens, by Standard Webhooks: the keys of one `[[webhook]]`, in kebab-case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// `id`: the name by which the desk keeps how far the endpoint has come.
    pub id: WebhookId,
    /// `url`: `https://...`; a host inside has to be named in `[outgoing] internal-hosts`.
    pub url: String,
    /// `secret-file`: a file with a secret a line, `whsec_...`. Each signs, so that a secret is changed by adding the new one,
    /// then taking out the old one. Relative to the configuration directory. Without it the desk keeps the secret: an
    /// administrator has it made, is shown it once, and the endpoint's events wait until then, for seven days at the most. It ends
    /// with the version that takes the endpoint away.
    pub secret_file: Option<PathBuf>,
    /// `events`: which ones, such as `ticket.commented`; `ticket.*` for all of a kind. Default all.
    pub events: Vec<String>,
    /// `internal`: whether it hears also of what requesters do not see, such as that there is a private note. Texts are sent
    /// to no endpoint. Published by API, more of it needs a second admin where `[server] two-person-access` asks for two people.
    /// Default false.
    pub internal: bool,
}

impl Webhook {
    /// The scheme and the host of its address, without a user or a path, which may work as a password.
    pub fn host(&self) -> String {
        host_of(&self.url)
    }
}

/// The check of an address, besides its form.
pub type Asked<'a> = &'a dyn Fn(&str) -> Result<(), Wrong>;

/// Reads each `[[webhook]]`.
pub fn all(keys: &mut Keys<'_>, dir: &Path, asked: Asked<'_>) -> Vec<Webhook> {
    let webhooks = keys.entries("webhook", |keys, id| read(keys, id, dir, asked));
    if webhooks.len() > ENDPOINTS_MAX {
        keys.report("webhook", Wrong::TooMany { found: webhooks.len(), max: ENDPOINTS_MAX });
    }
    webhooks
}

fn read(keys: &mut Keys<'_>, id: WebhookId, dir: &Path, asked: Asked<'_>) -> Webhook {
    let url = keys.required("url").and_then(|node| {
        node.parsed(|text| {
            let text = address(text)?;
            asked(&text)?;
            Ok(text)
        })
    });
    let secret_file = keys.optional("secret-file").and_then(|node| node.filled());
    Webhook {
        id,
        url: url.unwrap_or_default(),
        secret_file: secret_file.map(|file| dir.join(file)),
        events: distinct(keys.list("events"), |node| node.parsed(pattern)),
        internal: keys.optional("internal").and_then(|node| node.flag()).unwrap_or(false),
    }
}

fn host_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    // Programs read a backslash as a slash.
    let host = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}")
}

/// The document with its addresses cut off behind their hosts, for those who may look at it and not change it. A text that is no
/// TOML is left out.
pub fn without_paths(text: &str) -> String {
    let Ok(mut document) = text.parse::<Table>() else { return String::new() };
    let endpoints = document.get_mut("webhook").and_then(Value::as_array_mut);
    for endpoint in endpoints.into_iter().flatten() {
        if let Some(Value::String(url)) = endpoint.get_mut("url") {
            *url = host_of(url);
        }
    }
    toml::to_string(&document).unwrap_or_default()
}

/// The text of a file as it is, but with the addresses of endpoints cut off behind their hosts: for those who compare files of the
/// directory, and may not read these addresses. Where one is written in a way that is not found again, it is [`without_paths`].
pub fn with_addresses_cut(text: &str) -> String {
    let Ok(document) = text.parse::<Table>() else { return text.to_owned() };
    let endpoints = document.get("webhook").and_then(Value::as_array);
    let mut addresses: Vec<&str> =
        endpoints.into_iter().flatten().filter_map(|endpoint| endpoint.get("url")?.as_str()).collect();
    addresses.retain(|address| !address.is_empty());
    if addresses.iter().any(|address| !text.contains(*address)) {
        return without_paths(text);
    }
    // The longest first: the beginning of one may be another.
    addresses.sort_unstable_by_key(|address| std::cmp::Reverse(address.len()));
    addresses.iter().fold(text.to_owned(), |text, address| text.replace(*address, &host_of(address)))
}

fn address(text: &str) -> Result<String, Wrong> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.filter(|host| !host.is_empty()).map(|_| text.to_owned()).ok_or(Wrong::NotAPage)
}

fn pattern(text: &str) -> Result<String, Wrong> {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let is_pattern = match text.split_once('.') {
        Some((group, what)) => plain(group) && (what == "*" || plain(what)),
        None => text == "*",
    };
    is_pattern.then(|| text.to_owned()).ok_or_else(|| Wrong::NotAnEvent { text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_a_password() {
        let text =
            "# ours\n[[webhook]]\nid = \"cmdb\"\nurl = \"https://me:pw@cmdb.example.com/hooks/S3cret?key=K3y\"\n";
        let shown = without_paths(text);
        assert!(shown.contains("url = \"https://cmdb.example.com\"") && shown.contains("id = \"cmdb\""), "{shown}");
        assert!(["pw", "S3cret", "K3y"].iter().all(|secret| !shown.contains(secret)), "{shown}");
        assert_eq!(without_paths("url = \"https://x/S3cret"), "");
        assert_eq!(host_of("https://cmdb.example.com\\@other.example/S3cret"), "https://cmdb.example.com");
    }

    #[test]
    fn a_file_is_compared_without_the_paths_of_its_addresses_and_else_as_it_is() {
        let endpoint = |id: &str, url: &str| format!("[[webhook]] # {id}\nid = \"{id}\"\nurl = {url}\n");
        let text = endpoint("a", "\"https://x.example.com/S3cret\"")
            + &endpoint("b", "'https://x.example.com/S3cret/K3y'")
            + "[mail]\nserver = \"m\"\n";
        let expected = endpoint("a", "\"https://x.example.com\"")
            + &endpoint("b", "'https://x.example.com'")
            + "[mail]\nserver = \"m\"\n";
        assert_eq!(with_addresses_cut(&text), expected);
        let escaped = with_addresses_cut(&endpoint("c", "\"https://x.example.com/S3cr\\u0065t\""));
        assert!(escaped.contains("url = \"https://x.example.com\"") && !escaped.contains("S3cr"), "{escaped}");
        assert_eq!(with_addresses_cut("[[app]]\nurl = \"https://x/S3\"\n"), "[[app]]\nurl = \"https://x/S3\"\n");
        assert_eq!(with_addresses_cut("a,b\n1,2\n"), "a,b\n1,2\n");
    }
}
