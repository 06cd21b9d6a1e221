//! `[attachments]` of `desk.toml`: files that people add to tickets.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::read::{Keys, Node, distinct};
use crate::config::server::{Archive, Around, number};
use crate::config::wrong::Wrong;
use crate::desk::ticket::intake::attachment::essence;

/// Types that a desk takes only where its configuration says so: programs.
const PROGRAMS: [&str; 5] = [
    "application/vnd.microsoft.portable-executable",
    "application/x-executable",
    "application/x-mach-binary",
    "application/x-msdownload",
    "application/x-msi",
];
const MIB: u64 = 1 << 20;
/// The largest file that a configuration may allow, in MiB.
const MIB_MAX: u64 = 10 << 10;

/// The keys of `[attachments]`, in kebab-case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachments {
    /// `mib-max`: the largest file, in MiB; here in bytes. Default 25 MiB.
    pub bytes_max: u64,
    /// `mib-per-person`: all files that one requester may have the desk keep, in MiB; here in bytes. Default 1024 MiB.
    pub person_bytes_max: u64,
    /// `types`: the media types that are taken, such as `application/pdf` and `image/*`; both what the sender says and what the
    /// content is have to be among them. Default all.
    pub types: Vec<String>,
    /// `refused-types`: the media types that are not taken. Default programs.
    pub refused_types: Vec<String>,
    /// `upload-timeout-s`: the longest that an upload may take, in seconds. Default 300.
    pub upload_timeout: Duration,
    /// `scanner`: the address of a clamd, `127.0.0.1:3310` or `unix:/run/clamav/clamd.ctl`. A file is given out once it has been
    /// scanned. Default none: files are given out unscanned.
    pub scanner: Option<Scanner>,
    /// `scanner-timeout-s`: the longest that it may take over one file, in seconds. Default 120.
    pub scanner_timeout: Duration,
}

/// The address of a scanner for malware that speaks clamd's protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanner {
    /// A host and a port.
    Tcp(String),
    Unix(PathBuf),
}

impl Default for Attachments {
    fn default() -> Self {
        Self {
            bytes_max: 25 * MIB,
            person_bytes_max: 1024 * MIB,
            types: Vec::new(),
            refused_types: PROGRAMS.map(str::to_owned).into(),
            upload_timeout: Duration::from_secs(300),
            scanner: None,
            scanner_timeout: Duration::from_secs(120),
        }
    }
}

/// Reads `[attachments]`, which may be absent, and `store`: where the files are kept, a directory, or `s3://BUCKET/PREFIX` with
/// the variables that `archive` has. Relative to the configuration directory. Default `attachments` in the data directory.
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
    match text.rsplit_once(':').is_some_and(has_port) {
        true => Ok(Scanner::Tcp(text.to_owned())),
        false => Err(Wrong::NotAScanner { text: text.to_owned() }),
    }
}
