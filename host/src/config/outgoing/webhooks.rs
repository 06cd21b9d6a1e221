//! `[[webhook]]` of `desk.toml`: other systems that hear of what happens to tickets.

use std::path::{Path, PathBuf};

use crate::config::read::{Keys, distinct};
use crate::config::wrong::Wrong;
use crate::desk::id::WebhookId;

/// An endpoint that hears what happens, by Standard Webhooks: the keys of one `[[webhook]]`, in kebab-case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// `id`: the name by which the desk keeps how far the endpoint has come.
    pub id: WebhookId,
    /// `url`: `https://...`; a host inside has to be named in `[outgoing] internal-hosts`.
    pub url: String,
    /// `secret-file`: a file with a secret a line, `whsec_...`. Each signs, so that a secret is changed by adding the new one,
    /// then taking out the old one. Relative to the configuration directory.
    pub secret_file: PathBuf,
    /// `events`: which ones, such as `ticket.commented`; `ticket.*` for all of a kind. Default all.
    pub events: Vec<String>,
    /// `internal`: whether it hears also of what requesters do not see, such as that there is a private note. Texts are sent
    /// to no endpoint. Default false.
    pub internal: bool,
}

/// Reads one `[[webhook]]`.
pub fn read(keys: &mut Keys<'_>, id: WebhookId, dir: &Path) -> Webhook {
    let url = keys.required("url").and_then(|node| node.parsed(address)).unwrap_or_default();
    let secret_file = keys.required("secret-file").and_then(|node| node.filled()).unwrap_or_default();
    Webhook {
        id,
        url,
        secret_file: dir.join(secret_file),
        events: distinct(keys.list("events"), |node| node.parsed(pattern)),
        internal: keys.optional("internal").and_then(|node| node.flag()).unwrap_or(false),
    }
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
