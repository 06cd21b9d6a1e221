//! `[server]` of `desk.toml`: where the program listens, where it keeps things, and what it bounds.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Outside;
use super::files::whole_file;
use super::problem::Problem;
use super::read::{Keys, Node, distinct};
use super::trust::TrustedKey;
use super::wrong::Wrong;

/// The largest component that a desk takes whose configuration says nothing else, in MiB. A rule in Python has 18.
pub const COMPONENT_MIB_MAX: usize = 32;

/// The least and the most connections to a database that a configuration may ask for, and how many there are otherwise.
const CONNECTIONS_MIN: u64 = 6;
const CONNECTIONS_MAX: u64 = 500;
const CONNECTIONS: u32 = 12;

/// Where and within which bounds the program runs: the keys of `[server]`, in kebab-case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `listen`: the address and port to serve HTTP on. Default `127.0.0.1:8080`, so that nothing is open by accident.
    pub listen: SocketAddr,
    /// `database`: `sqlite:FILE` or `postgres://...`. Default `sqlite:ruledesk.db` in the data directory.
    pub database: Database,
    /// `data-dir`: where the program keeps its own files. Relative to the configuration directory. Default `data`.
    pub data_dir: PathBuf,
    /// `archive`: where old decision records go when `ruledesk decisions archive` is run: a directory, or `s3://BUCKET/PREFIX`
    /// with what AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT say. Relative to the configuration
    /// directory. Default `archive` in the data directory.
    pub archive: Archive,
    /// `[attachments] store`: as the section about attachments says.
    pub attachments: Archive,
    /// `cache-dir`: where compiled rules are kept; several desks of one user may share it. Relative to the configuration
    /// directory. Default `cache` in the data directory.
    pub cache_dir: PathBuf,
    /// `rules-dir`: one folder a rule. Relative to the configuration directory. Default `rules`.
    pub rules_dir: PathBuf,
    /// `worker-threads`: threads that run rules, 1 to 1024. Default twice the machine's cores.
    pub worker_threads: usize,
    /// `queue-depth`: tickets that may wait for a worker before others are told to come back. Default 256.
    pub queue_depth: usize,
    /// `body-kib-max`: the largest request body, in KiB; here in bytes. Default 1024 KiB.
    pub body_bytes_max: usize,
    /// `request-timeout-ms`: the longest that a request may take, in milliseconds. Default 10000.
    pub request_timeout: Duration,
    /// `component-mib-max`: the largest rule component, in MiB; here in bytes. Default 32 MiB.
    pub component_bytes_max: usize,
    /// `reload-poll-ms`: how often the rules are looked at where the system sends no events. Default 1000.
    pub reload_poll: Duration,
    /// `rules-patience-s`: how long a rules directory that is empty, or of which most folders are missing, is not believed, in
    /// seconds: its rules go on, and `/readyz` says so. Default 60.
    pub rules_patience: Duration,
    /// `compile-timeout-s`: the longest that compiling one component may take, in seconds. Default 60.
    pub compile_timeout: Duration,
    /// `compile-memory-mib`: the most memory that compiling may take, in MiB; here in bytes. Default 2048 MiB.
    pub compile_memory_bytes: u64,
    /// `[rules] trusted-keys`: as the section about `[rules]` says. Empty: rules need no signature.
    pub trusted_keys: Vec<TrustedKey>,
    /// `[rules] withdrawn`: as the section about `[rules]` says. Digests in hexadecimal.
    pub withdrawn: Vec<String>,
    /// `two-person-access`: whether what makes access easier to get needs a second admin: rules for access and those asked before
    /// them, the tables that they look things up in, and documents that are published by API, there also a webhook that hears of more
    /// that requesters do not see. The rules directory counts as a publisher who is nobody, so that one admin approves what it offers.
    /// Default false.
    pub two_person_access: bool,
    /// `database-connections`: connections to PostgreSQL, 6 to 500, and one more for notices. Two of them write, a share is
    /// kept for short reads such as tokens, and the rest is for lists. On SQLite, at most 8 read. Default 12.
    pub database_connections: u32,
    /// `metrics`: who may read `/metrics`: `public`, `staff` for agents and admins with their tokens, or an address such as
    /// `127.0.0.1:9090`, where it is served to all who reach it and nowhere else. Default `public`.
    pub metrics: Metrics,
    /// `[limits]`.
    pub limits: Limits,
}

/// Who may read what the desk counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metrics {
    Public,
    Staff,
    /// All who reach this address.
    At(SocketAddr),
}

/// Bounds on what one person, or one address, has the desk do: the keys of `[limits]`, in kebab-case. Agents and admins have
/// no bounds but on requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `requests-per-minute`: of one person. Default 6000.
    pub requests_per_minute: u32,
    /// `address-requests-per-minute`: from one address. Default 60000.
    pub address_requests_per_minute: u32,
    /// `proxies`: the addresses of proxies before the desk: what they say in `X-Forwarded-For` counts as the client's address.
    /// Without it, all clients behind a proxy share its bound. Default none.
    pub proxies: Vec<IpAddr>,
    /// `open-tickets`: tickets of one requester that are not finished. Default 1000.
    pub open_tickets: u64,
    /// `comments-per-hour`: of one requester. Default 1000.
    pub comments_per_hour: u64,
    /// `mib-per-day`: text that one requester may have the desk keep in a day, in MiB; here in bytes. Default 256 MiB.
    pub bytes_per_day: u64,
    /// `[attachments]`.
    pub attachments: Attachments,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_minute: 6000,
            address_requests_per_minute: 60_000,
            proxies: Vec::new(),
            open_tickets: 1000,
            comments_per_hour: 1000,
            bytes_per_day: 256 << 20,
            attachments: Attachments::default(),
        }
    }
}

/// Types that a desk takes only where its configuration says so: programs.
const PROGRAMS: [&str; 5] = [
    "application/vnd.microsoft.portable-executable",
    "application/x-executable",
    "application/x-mach-binary",
    "application/x-msdownload",
    "application/x-msi",
];
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
            bytes_max: 25 << 20,
            person_bytes_max: 1024 << 20,
            types: Vec::new(),
            refused_types: PROGRAMS.map(str::to_owned).into(),
            upload_timeout: Duration::from_secs(300),
            scanner: None,
            scanner_timeout: Duration::from_secs(120),
        }
    }
}

/// Reads `[limits]`, which may be absent.
pub fn limits(keys: &mut Keys<'_>) -> Limits {
    let Limits { requests_per_minute, address_requests_per_minute, open_tickets, comments_per_hour, .. } =
        Limits::default();
    let requests = |found: u64| u32::try_from(found).unwrap_or(u32::MAX);
    let most = u64::from(u32::MAX);
    let proxy =
        |node: &Node<'_>| node.parsed(|text| text.parse().map_err(|_| Wrong::NotAHost { text: text.to_owned() }));
    Limits {
        requests_per_minute: requests(number(keys, "requests-per-minute", most, requests_per_minute.into())),
        address_requests_per_minute: requests(number(
            keys,
            "address-requests-per-minute",
            most,
            address_requests_per_minute.into(),
        )),
        proxies: distinct(keys.list("proxies"), proxy),
        open_tickets: number(keys, "open-tickets", most, open_tickets),
        comments_per_hour: number(keys, "comments-per-hour", most, comments_per_hour),
        bytes_per_day: number(keys, "mib-per-day", 1 << 30, 256) << 20,
        attachments: Attachments::default(),
    }
}

fn metrics(text: &str) -> Result<Metrics, Wrong> {
    match text {
        "public" => Ok(Metrics::Public),
        "staff" => Ok(Metrics::Staff),
        other => other.parse().map(Metrics::At).map_err(|_| Wrong::NotOneOf {
            text: other.to_owned(),
            allowed: vec!["public", "staff", "an address and a port such as 127.0.0.1:9090"],
        }),
    }
}

/// Where segments of old records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Archive {
    Directory(PathBuf),
    Bucket { bucket: String, prefix: String },
}

impl Archive {
    /// An archive from its text; a relative directory starts from `dir`.
    pub(super) fn parse(text: &str, dir: &Path) -> Result<Archive, Wrong> {
        let Some(place) = text.strip_prefix("s3://") else {
            let is_path = !text.is_empty() && !text.contains("://");
            return is_path.then(|| Archive::Directory(dir.join(text))).ok_or(Wrong::NotAnArchive);
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(Wrong::NotAnArchive);
        }
        Ok(Archive::Bucket { bucket: bucket.to_owned(), prefix: prefix.trim_end_matches('/').to_owned() })
    }
}

/// Which database, and where.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// The file.
    Sqlite(PathBuf),
    /// The URL as it was given, password included.
    Postgres(String),
}

// The password of a URL must not reach a log.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::Sqlite(file) => f.debug_tuple("Sqlite").field(file).finish(),
            Database::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

impl Database {
    /// A database from a URL; a relative file starts from `dir`.
    fn parse(url: &str, dir: &Path) -> Result<Database, Wrong> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Database::Postgres(url.to_owned()));
        }
        let file = url.strip_prefix("sqlite:").ok_or(Wrong::NotADatabase)?;
        let file = file.strip_prefix("//").unwrap_or(file);
        if file.is_empty() {
            return Err(Wrong::NotADatabase);
        }
        Ok(Database::Sqlite(dir.join(file)))
    }
}

/// What paths start from, and what stands above the file.
pub struct Around<'a> {
    pub dir: &'a Path,
    pub outside: &'a Outside,
    /// The database of `DATABASE_URL`, checked.
    pub database: Option<Database>,
    /// The texts of the directory's files, by their paths.
    pub texts: &'a BTreeMap<String, String>,
}

/// The database of `DATABASE_URL`; a relative file starts from the working directory.
pub fn database_from_outside(outside: &Outside, problems: &RefCell<Vec<Problem>>) -> Option<Database> {
    let url = outside.database_url.as_deref().filter(|url| !url.is_empty())?;
    Database::parse(url, Path::new(""))
        .map_err(|wrong| problems.borrow_mut().push(whole_file("DATABASE_URL", wrong)))
        .ok()
}

/// Reads `[server]`, which may be absent.
pub fn read(keys: &mut Keys<'_>, around: &Around<'_>) -> Server {
    let outside = around.outside;
    let listen = keys.optional("listen").and_then(|node| node.parsed(address));
    let database = keys.optional("database").and_then(|node| node.parsed(|url| Database::parse(url, around.dir)));
    let data_dir = path(keys, "data-dir", around.dir.join("data"), around.dir, outside.data_dir.as_ref());
    let archive = keys.optional("archive").and_then(|node| node.parsed(|text| Archive::parse(text, around.dir)));
    let in_data_dir = || Database::Sqlite(data_dir.join("ruledesk.db"));
    Server {
        listen: outside.listen.or(listen).unwrap_or(LISTEN),
        database: around.database.clone().or(database).unwrap_or_else(in_data_dir),
        archive: archive.unwrap_or_else(|| Archive::Directory(data_dir.join("archive"))),
        attachments: Archive::Directory(data_dir.join("attachments")),
        cache_dir: path(keys, "cache-dir", data_dir.join("cache"), around.dir, outside.cache_dir.as_ref()),
        rules_dir: path(keys, "rules-dir", around.dir.join("rules"), around.dir, outside.rules_dir.as_ref()),
        worker_threads: size(keys, "worker-threads", 1024, 2 * outside.cores.max(1), 1),
        queue_depth: size(keys, "queue-depth", 1 << 20, 256, 1),
        body_bytes_max: size(keys, "body-kib-max", 1 << 20, 1024, KIB),
        request_timeout: Duration::from_millis(number(keys, "request-timeout-ms", 3_600_000, 10_000)),
        component_bytes_max: size(keys, "component-mib-max", 1024, COMPONENT_MIB_MAX, MIB),
        reload_poll: Duration::from_millis(number(keys, "reload-poll-ms", 3_600_000, 1000)),
        rules_patience: Duration::from_secs(number(keys, "rules-patience-s", 86_400, 60)),
        compile_timeout: Duration::from_secs(number(keys, "compile-timeout-s", 3600, 60)),
        compile_memory_bytes: number(keys, "compile-memory-mib", 1 << 20, 2048) << 20,
        trusted_keys: Vec::new(),
        withdrawn: Vec::new(),
        two_person_access: keys.optional("two-person-access").and_then(|node| node.flag()).unwrap_or(false),
        database_connections: connections(keys),
        metrics: keys.optional("metrics").and_then(|node| node.parsed(metrics)).unwrap_or(Metrics::Public),
        limits: Limits::default(),
        data_dir,
    }
}

/// Where the program listens unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

fn address(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| Wrong::NotAnAddress { text: text.to_owned() })
}

fn path(keys: &mut Keys<'_>, key: &'static str, default: PathBuf, dir: &Path, outside: Option<&PathBuf>) -> PathBuf {
    let written = keys.optional(key).and_then(|node| node.filled());
    let inside = written.map_or(default, |written| dir.join(written));
    outside.cloned().unwrap_or(inside)
}

fn connections(keys: &mut Keys<'_>) -> u32 {
    let written = keys.optional("database-connections").and_then(|node| node.whole(CONNECTIONS_MIN, CONNECTIONS_MAX));
    written.and_then(|n| u32::try_from(n).ok()).unwrap_or(CONNECTIONS)
}

/// A number from 1 to `max`.
pub(super) fn number(keys: &mut Keys<'_>, key: &'static str, max: u64, default: u64) -> u64 {
    keys.optional(key).and_then(|node| node.whole(1, max)).unwrap_or(default)
}

/// A number from 1 to `max`, times `unit`.
fn size(keys: &mut Keys<'_>, key: &'static str, max: u64, default: usize, unit: usize) -> usize {
    let written = keys.optional(key).and_then(|node| node.whole(1, max));
    written.and_then(|n| usize::try_from(n).ok()).unwrap_or(default).saturating_mul(unit)
}
