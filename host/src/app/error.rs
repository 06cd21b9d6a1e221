//! The answers of a use case besides success: facts, which `api` puts into words for HTTP.

use std::io;
use std::time::Duration;

use tokio::task::JoinError;

use super::reference::Conflict;
use super::replay::manifest::BACKTESTS_AT_ONCE;
use super::rollout::deploy::{UPLOADS_AT_ONCE, Unfit};
use super::tickets::submit::attachments::{NotThis, taken};
use crate::config;
use crate::desk::organisation::form::Problem;
use crate::desk::refusal::Refusal;
use crate::desk::text::quoted;
use crate::messages::NotRendered;
use crate::rules::digest::NotADigest;
pub use crate::rules::live::rollout::NotTaken;
use crate::rules::run::workers::NotDone;
use crate::store;
use crate::store::rules::packing::NotPacked;

/// Why a use case did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The form or the rules found problems; each names its field.
    #[error("the submission has {} problem(s)", problems.len())]
    Rejected { problems: Vec<Problem> },
    #[error(transparent)]
    Refused(Refusal),
    #[error("there is no {what} {}", quoted(name))]
    Missing { what: &'static str, name: String },
    #[error("there is no field {} of {of}; there are `{}`", quoted(name), known.join("`, `"))]
    NoField { name: String, of: String, known: Vec<String> },
    #[error("the {what} {} could be {}: give more of it", quoted(name), meant.join(" or "))]
    Ambiguous { what: &'static str, name: String, meant: Vec<String> },
    #[error(transparent)]
    Damaged(#[from] Damaged),
    #[error("the rule {} stays as it is: {why}", quoted(name))]
    NotTaken { name: String, why: NotTaken },
    #[error("it has changed since you read it; its version is {version}")]
    Stale { version: i64 },
    /// A change that has to say which version it is meant for.
    #[error("say which version of the {what} you mean")]
    NeedsMatch { what: &'static str },
    /// One person asks the desk for more than one may.
    #[error("you have reached the bound on {what}")]
    TooMuch { what: &'static str, wait: Duration },
    #[error("another version of the table {} is live than the one named", quoted(name))]
    StaleTable { name: String },
    /// A change of a reference table that cannot be made as things are.
    #[error(transparent)]
    Table(#[from] Conflict),
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A rule that fails a check that every rule has to pass.
    #[error(transparent)]
    Unfit(Unfit),
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Whether it was done is not known.
    #[error(transparent)]
    MayBeDone(store::Error),
    /// A file that is not taken, or not given out.
    #[error(transparent)]
    Attachment(NotThis),
    /// The disk does not take it.
    #[error(transparent)]
    NoRoom(store::Error),
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// Something that the desk keeps is not what it put there.
#[derive(Debug, thiserror::Error)]
pub enum Damaged {
    #[error(transparent)]
    Archive(store::Error),
    #[error("the archive has a version of `{rule}` as `{id}`: {why}")]
    VersionId { rule: String, id: String, why: NotADigest },
    #[error("`{column}` of a row in `{table}` cannot be read: put the row back from a backup")]
    Row { table: &'static str, column: &'static str },
}

/// What there is too much of, so that the same is worth trying again soon.
#[derive(Debug, thiserror::Error)]
pub enum Busy {
    #[error(transparent)]
    Store(store::Error),
    #[error(transparent)]
    Workers(NotDone),
    #[error("{UPLOADS_AT_ONCE} rules are being checked, and a desk checks no more at once")]
    Uploads,
    #[error("{BACKTESTS_AT_ONCE} backtests are under way, and a desk that serves does no more at once: try again soon")]
    Backtests,
    #[error("this rule is being changed by several at once: try again soon")]
    Rule,
    #[error("the directory is being changed by several at once: try again soon")]
    Directory,
    #[error("who stands in for whom is being changed by several at once: try again soon")]
    Delegations,
    #[error("too many people watch for events: try again soon")]
    Watchers,
    #[error("many people are changing this ticket: try again soon")]
    Ticket,
    #[error("the store of files does not answer: try again soon")]
    Files,
}

/// A failure of the desk itself, which the one who asked cannot repair.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error(transparent)]
    Store(store::Error),
    #[error(transparent)]
    Workers(NotDone),
    #[error("a task did not come to its end: {0}")]
    Task(JoinError),
    #[error("the system gives no randomness: {0}")]
    Randomness(getrandom::Error),
    #[error("the component of `{rule}` cannot be read: {source}")]
    Component { rule: String, source: io::Error },
    #[error("a manifest in the archive cannot be read: {0}")]
    Manifest(toml::de::Error),
    #[error("a record of `{rule}` cannot be read: {source}")]
    Record { rule: String, source: serde_json::Error },
    #[error("the kept version {digest} of the table `{name}` was tampered with")]
    Table { name: String, digest: String },
    #[error("the kept table `{name}` cannot be read: {}", listed(problems))]
    TableText { name: String, problems: Vec<config::Problem> },
    #[error(transparent)]
    Unworded(NotRendered),
    #[error("the configuration directory cannot be read any more ({}): mend it, and start again", problems.join("; "))]
    Directory { problems: Vec<String> },
    #[error("this program sends no messages")]
    NoSender,
    #[error("a decision record cannot be packed: {0}")]
    Unpacked(NotPacked),
}

/// The error that a check has found, where it has found a problem.
pub(in crate::app) fn accept(problem: Option<Problem>) -> Result<(), Error> {
    problem.map_or(Ok(()), |problem| Err(problem.into()))
}

fn listed(problems: &[config::Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Problems { problems } => Error::Rejected { problems },
            other => Error::Refused(other),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Error::Rejected { problems: vec![problem] }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        if let store::Error::Files(lost) = &error
            && lost.is_full()
        {
            return Error::NoRoom(error);
        }
        match error {
            store::Error::KeyReused => Error::KeyReused,
            store::Error::AttachmentTaken => taken(),
            store::Error::Circle { other } => Error::Refused(Refusal::LinkCircle { other }),
            store::Error::Files(_) => {
                // Where it is, is for those who run the desk.
                tracing::error!(%error, "the store of files does not answer");
                Error::Busy(Busy::Files)
            }
            store::Error::Full
            | store::Error::LostConnection(_)
            | store::Error::Away(_)
            | store::Error::Crowded
            | store::Error::Contended(_)
            | store::Error::Slow(_)
            | store::Error::Starved(_)
            | store::Error::Shut(_) => Error::Busy(Busy::Store(error)),
            store::Error::MayBeDone(_) => Error::MayBeDone(error),
            store::Error::Damaged { .. } => Error::Damaged(Damaged::Archive(error)),
            store::Error::Corrupt { table, column, .. } => {
                tracing::error!(%error, "a row is damaged");
                Error::Damaged(Damaged::Row { table, column })
            }
            store::Error::NoRoom(_) => Error::NoRoom(error),
            store::Error::Conflict
            | store::Error::Unavailable(_)
            | store::Error::Unopened(_)
            | store::Error::Pooled
            | store::Error::Later { .. }
            | store::Error::Migration(_)
            | store::Error::Lost(_)
            | store::Error::Archive(_)
            | store::Error::Stopped => Error::Broken(Broken::Store(error)),
        }
    }
}

impl From<NotDone> for Error {
    fn from(error: NotDone) -> Self {
        match error {
            NotDone::Full(_) => Error::Busy(Busy::Workers(error)),
            NotDone::Panicked => Error::Broken(Broken::Workers(error)),
        }
    }
}

impl From<JoinError> for Error {
    fn from(error: JoinError) -> Self {
        Error::Broken(Broken::Task(error))
    }
}
