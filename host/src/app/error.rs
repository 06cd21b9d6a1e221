//! What a use case can answer besides success: facts, which `api` puts into words for HTTP.

use super::rollout::deploy::Unfit;
use crate::desk::organisation::form::Problem;
use crate::desk::refusal::Refusal;
use crate::rules::run::workers::NotDone;
use crate::store;

/// Why a use case did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The submission needs mending; the rules or the form say where.
    #[error("the submission has {} problem(s)", problems.len())]
    Rejected { problems: Vec<Problem> },
    #[error(transparent)]
    Refused(Refusal),
    #[error("there is no {what} `{name}`")]
    Missing { what: &'static str, name: String },
    #[error("the {what} `{name}` could be {}: give more of it", meant.join(" or "))]
    Ambiguous { what: &'static str, name: String, meant: Vec<String> },
    /// Something that the desk keeps is not what it put there.
    #[error("{0}")]
    Damaged(String),
    #[error("the rule `{name}` stays as it is: {why}")]
    NotTaken { name: String, why: String },
    #[error("it has changed since you read it; its version is {version}")]
    Stale { version: i64 },
    #[error("{0}")]
    StaleVersion(String),
    #[error("{0}")]
    Conflict(String),
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A rule that no desk would take.
    #[error(transparent)]
    Unfit(Unfit),
    #[error("{0}")]
    Busy(String),
    /// Whether it was done is not known.
    #[error("{0}")]
    MayBeDone(String),
    /// The disk does not take it.
    #[error("{0}")]
    NoRoom(String),
    #[error("{0}")]
    Broken(String),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Problems { problems } => Error::Rejected { problems },
            other => Error::Refused(other),
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::KeyReused => Error::KeyReused,
            store::Error::Full
            | store::Error::LostConnection(_)
            | store::Error::Away(_)
            | store::Error::Crowded
            | store::Error::Contended(_)
            | store::Error::Slow(_)
            | store::Error::Starved(_) => Error::Busy(error.to_string()),
            store::Error::MayBeDone(_) => Error::MayBeDone(error.to_string()),
            store::Error::Damaged { .. } => Error::Damaged(error.to_string()),
            store::Error::NoRoom(_) => Error::NoRoom(error.to_string()),
            store::Error::Conflict
            | store::Error::Unavailable(_)
            | store::Error::Unopened(_)
            | store::Error::Pooled
            | store::Error::Migration(_)
            | store::Error::Corrupt { .. }
            | store::Error::Lost(_)
            | store::Error::Stopped => Error::Broken(error.to_string()),
        }
    }
}

impl From<NotDone> for Error {
    fn from(error: NotDone) -> Self {
        match error {
            NotDone::Full(_) => Error::Busy(error.to_string()),
            NotDone::Panicked => Error::Broken(error.to_string()),
        }
    }
}
