//! `[server]` of `desk.toml`: where the program listens, where it keeps things, and what it bounds.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Outside;
use super::read::{Document, Keys, Node};
use super::wrong::Wrong;

/// Where and within which bounds the program runs: the keys of `[server]`, in kebab-case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `listen`: the address and port to serve HTTP on. Default `127.0.0.1:8080`, so that nothing is open by accident.
    pub listen: SocketAddr,
    /// `database`: `sqlite:FILE` or `postgres://...`. Default `sqlite:ruledesk.db` in the data directory.
    pub database: Database,
    /// `data-dir`: where the program keeps its own files. Relative to the configuration directory. Default `data`.
    pub data_dir: PathBuf,
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
    /// `component-mib-max`: the largest rule component, in MiB; here in bytes. Default 8 MiB.
    pub component_bytes_max: usize,
    /// `reload-poll-ms`: how often the rules are looked at where the system sends no events. Default 1000.
    pub reload_poll: Duration,
    /// `compile-timeout-s`: the longest that compiling one component may take, in seconds. Default 60.
    pub compile_timeout: Duration,
    /// `compile-memory-mib`: the most memory that compiling may take, in MiB; here in bytes. Default 2048 MiB.
    pub compile_memory_bytes: u64,
}

/// Which database, and where.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// The file.
    Sqlite(PathBuf),
    /// The URL as it was given, password included.
    Postgres(String),
}
