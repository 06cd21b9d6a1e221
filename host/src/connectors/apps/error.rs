//! Why an app cannot be asked, and why one that is asked does not say what is to be known.

use std::io;
use std::path::PathBuf;

use super::call::Trouble;
use crate::connectors::http::NotAnEndpoint;
use crate::signing::NotASecret;

/// Why an app cannot be asked at all: its address, its credentials or its component are of no use.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    #[error("{url} is not asked: {source}")]
    Address { url: String, source: NotAnEndpoint },
    #[error("the token in {} cannot be read: {source}", file.display())]
    TokenUnread { file: PathBuf, source: io::Error },
    #[error("the token in {} is no token: it has to be one line of ASCII characters", file.display())]
    NotAToken { file: PathBuf },
    #[error("the secrets in {} cannot be read: {source}", file.display())]
    SecretsUnread { file: PathBuf, source: io::Error },
    #[error("{} has no secrets, one a line: {source}", file.display())]
    NoSecrets { file: PathBuf, source: NotASecret },
    #[error("{} cannot be read: {source}", file.display())]
    ComponentUnread { file: PathBuf, source: io::Error },
    #[error("this program runs no components here")]
    RunsNoComponents,
}

/// Why an app does not say something about its accounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSaid {
    #[error("this kind of connector does not say when an account has signed in")]
    NotByThisKind,
    #[error("no call is configured that reads an account")]
    NoCall,
    #[error("{place} of the app's answer is no time: {found}")]
    NotATime { place: String, found: String },
    /// The call came to nothing, or the component broke.
    #[error("{said}")]
    NoAnswer { said: String },
}

impl From<Trouble> for NotSaid {
    fn from(trouble: Trouble) -> Self {
        NotSaid::NoAnswer { said: trouble.said() }
    }
}
