//! `[attachments]` of `desk.toml`: files that people add to tickets.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::read::{Keys, Node, distinct};
use crate::config::server::{Archive, Around, Attachments, Scanner, number};
use crate::config::wrong::Wrong;
use crate::desk::ticket::intake::attachment::essence;

const MIB: u64 = 1 << 20;
/// The largest file that a configuration may allow, in MiB.
const MIB_MAX: u64 = 10 << 10;

/// Reads `[attachments]`, which may be absent.
///
/// - `store`: where the files are kept, a directory, or `s3://BUCKET/PREFIX` with the variables that `archive` has. Relative to the
///   configuration directory. Default `attachments` in the data directory.
pub fn read(keys: &mut Keys<'_>, around: &Around<'_>) -> (Attachments, Option<Archive>) {
    let usual = Attachments::default();
    let types = |keys: &mut Keys<'_>, key: &'static str, usual: Vec<String>| {
        keys.optional(key).map_or(usual, |node| distinct(node.list(), |node: &Node<'_>| node.parsed(media_type)))
    };
    let store = keys.optional("store").and_then(|node| node.parsed(|text| Archive::parse(text, around.dir)));
    let read = Attachments {
        bytes_max: number(keys, "mib-max", MIB_MAX, 25) * MIB,
        person_bytes_max: number(keys, "mib-per-person", 1 << 30, 1024) * MIB,
        types: types(keys, "types", usual.types),
        refused_types: types(keys, "refused-types", usual.refused_types),
        upload_timeout: Duration::from_secs(number(keys, "upload-timeout-s", 86_400, 300)),
        scanner: keys.optional("scanner").and_then(|node| node.parsed(scanner)),
        scanner_timeout: Duration::from_secs(number(keys, "scanner-timeout-s", 3600, 120)),
    };
    (read, store)
}

fn media_type(text: &str) -> Result<String, Wrong> {
    let is_name = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !b",;\"/".contains(&b));
    match text.split_once('/') {
        Some((family, own)) if is_name(family) && is_name(own) => Ok(essence(text)),
        _ => Err(Wrong::NotAMediaType { text: text.to_owned() }),
    }
}

fn scanner(text: &str) -> Result<Scanner, Wrong> {
    if let Some(path) = text.strip_prefix("unix:").filter(|path| path.starts_with('/')) {
        return Ok(Scanner::Unix(PathBuf::from(path)));
    }
    let has_port = |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
    if text.rsplit_once(':').is_some_and(has_port) {
        Ok(Scanner::Tcp(text.to_owned()))
    } else {
        Err(Wrong::NotAScanner { text: text.to_owned() })
    }
}
