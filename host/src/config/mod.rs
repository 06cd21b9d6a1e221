//! Configuration: a directory of TOML and CSV files that becomes one checked [`Config`], or the list of everything that
//! is wrong with it.
//!
//! Nothing here is kept between calls: a reload loads again, and the owner of the old value replaces it. It knows
//! nothing of databases, rules or HTTP; `desk` and the rest get values from it, never its types.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::desk::organisation::Organisation;
use crate::desk::organisation::directory::Source;
use crate::desk::text::into_normal;
use crate::messages::Templates;

mod apps;
mod desk;
mod duration;
mod files;
mod names;
pub mod outgoing;
mod people;
mod problem;
mod read;
mod request_types;
mod server;
mod tables;
mod taxonomy;
mod teams;
#[cfg(test)]
mod tests;
mod trust;
mod wrong;

pub use desk::by_api::Document;
pub use desk::section::text_of;
pub use desk::templates::{own as own_templates, with_words as with_template_words, words_in as template_words_in};
pub use files::{Files, is_table as is_table_file};
pub use outgoing::Outgoing;
pub use outgoing::telemetry::Telemetry;
pub use outgoing::webhooks::{Webhook, with_addresses_cut, without_paths};
pub use problem::Problem;
pub use server::{Archive, Attachments, COMPONENT_MIB_MAX, Database, Limits, Metrics, Scanner, Server};
pub use tables::{CELL_BYTES_MAX, Column, Kind as ColumnKind, Table, is_name as is_table_name};
pub use trust::TrustedKey;
pub use wrong::Wrong;

/// Everything that a configuration directory says, checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub server: Server,
    pub telemetry: Telemetry,
    pub outgoing: Outgoing,
    /// The words of messages.
    pub templates: Templates,
    pub organisation: Organisation,
    /// The reference tables by name, which is the file's name without its ending.
    pub tables: BTreeMap<String, Table>,
    /// The documents that are published by API.
    pub by_api: BTreeSet<Document>,
    /// The texts that all this was read from.
    pub files: Files,
}

/// What comes from outside the directory and stands above it: the command line, the environment, the machine.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// `DATABASE_URL`: stands above `server.database`.
    pub database_url: Option<String>,
    /// Stands above `server.listen`.
    pub listen: Option<std::net::SocketAddr>,
    /// Stands above `server.data-dir`; relative to the working directory.
    pub data_dir: Option<PathBuf>,
    /// Stands above `server.cache-dir`; relative to the working directory.
    pub cache_dir: Option<PathBuf>,
    /// Stands above `server.rules-dir`; relative to the working directory.
    pub rules_dir: Option<PathBuf>,
    /// The machine's cores; 0 counts as 1.
    pub cores: usize,
    /// `RULEDESK_SMTP_PASSWORD`.
    pub smtp_password: Option<String>,
    /// Whether an address may be asked where these hosts are internal, and why not. The client for requests knows; without it only the
    /// form of addresses is checked.
    pub may_be_asked: Option<MayBeAsked>,
}

/// The check of an address, with the hosts that `[outgoing] internal-hosts` names.
pub type MayBeAsked = fn(&[String], &str) -> Result<(), String>;

/// Reads and checks a configuration directory.
///
/// # Errors
///
/// Every problem found, sorted by file and line; never empty.
pub fn load(dir: &Path, outside: &Outside) -> Result<Config, Vec<Problem>> {
    check(&Files::read(dir)?, outside)
}

/// The same with documents that were published, by their words, in place of those files whose documents are published by API.
///
/// # Errors
///
/// As [`load`].
pub fn load_with(dir: &Path, outside: &Outside, published: &BTreeMap<String, String>) -> Result<Config, Vec<Problem>> {
    check_laid_over(Files::read(dir)?, outside, published)
}

/// The same with the files that [`Files::deciding`] has once given in place of those of the directory. Where they have no tables, as those
/// that were kept by earlier versions, the directory's tables stay.
///
/// # Errors
///
/// As [`load`].
pub fn load_as(
    dir: &Path,
    outside: &Outside,
    kept: BTreeMap<String, String>,
    published: &BTreeMap<String, String>,
) -> Result<Config, Vec<Problem>> {
    let mut files = Files::read(dir)?;
    let tables = kept.keys().any(|path| files::is_table(path));
    files.texts.retain(|path, _| !files::decides(path) || (!tables && files::is_table(path)));
    files.texts.extend(kept);
    check_laid_over(files, outside, published)
}

/// Puts documents that were published in place of the files whose documents are published by API, and checks all.
fn check_laid_over(
    mut files: Files,
    outside: &Outside,
    published: &BTreeMap<String, String>,
) -> Result<Config, Vec<Problem>> {
    let mut people_from = Source::Configuration;
    for document in by_api(&files) {
        if let Some(text) = published.get(document.code()) {
            files.texts.insert(document.file().to_owned(), into_normal(text.clone()));
            people_from = if document == Document::People { Source::Published } else { people_from };
        }
    }
    let mut config = check(&files, outside)?;
    // A document that says itself how it came is believed.
    if config.organisation.people_from == Source::Configuration {
        config.organisation.people_from = people_from;
    }
    Ok(config)
}

/// The documents that are published by API; none where that cannot be read, which the check then says.
fn by_api(files: &Files) -> BTreeSet<Document> {
    let unsaid = RefCell::new(Vec::new());
    let parsed = files.parse(&unsaid);
    let read = |parsed: files::Parsed<'_>| parsed.desk.read(|keys| keys.table("configuration", desk::by_api::read));
    parsed.and_then(read).unwrap_or_default()
}

/// Checks the texts of a configuration directory without touching the disk.
///
/// # Errors
///
/// Every problem found, sorted by file and line; never empty.
pub fn check(files: &Files, outside: &Outside) -> Result<Config, Vec<Problem>> {
    let problems = RefCell::new(Vec::new());
    let database = server::database_from_outside(outside, &problems);
    let tables = tables::read(files, &problems);
    let templates = desk::templates::read(files, &problems);
    let read = files.parse(&problems).and_then(|parsed| {
        let names = names::Names::collect(&parsed);
        desk::read(&parsed, &names, &server::Around { dir: &files.dir, outside, database, texts: &files.texts })
    });
    let mut problems = problems.into_inner();
    problems.extend(read.as_ref().and_then(|read| desk::templates::refuse_both(files, &read.by_api)));
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    match (read, templates) {
        (Some(read), Some(templates)) if problems.is_empty() => {
            let desk::Desk { server, telemetry, outgoing, organisation, by_api } = read;
            let files = files.clone();
            Ok(Config { server, telemetry, outgoing, organisation, templates, tables, by_api, files })
        }
        _ => Err(problems),
    }
}
