//! The endpoints of webhooks as the configuration names them, and the secrets that sign for them: those of a file of the operator, or
//! those that the desk makes, shows once and keeps. No version of the configuration, no page and no log has one.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::app::error::{Broken, accept};
use crate::app::{Error, Office};
pub use crate::config::Webhook;
use crate::desk::actor::Actor;
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::permission;
use crate::desk::ticket::edit::check_reason;
use crate::signing::{self, NotASecret, Secret};
use crate::store;
use crate::store::jobs::webhooks::secrets_of;

/// As much of a file of secrets as is read.
const FILE_BYTES_MAX: u64 = 64 << 10;
/// How often a secret is put in the place of one that another administrator replaces at the same time.
const TRIES_MAX: usize = 5;

/// An endpoint that the configuration names, for administrators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub name: String,
    /// The scheme and the host of its address. The path is left out, because it may work as a password.
    pub host: String,
    /// Such as `ticket.*`; empty for all.
    pub events: Vec<String>,
    /// Whether it hears also of what requesters do not see.
    pub internal: bool,
    /// Whether a file of the operator has its secrets; else the desk keeps them.
    pub by_file: bool,
    /// How many secrets sign what is sent; 0 where nothing can be signed, and so nothing is sent.
    pub secrets: usize,
}

/// Why nothing can be signed for an endpoint, or checked that another system has signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    #[error("no secret was made for it yet")]
    NoSecret,
    #[error("its secret file {} cannot be read: {reason}", file.display())]
    Unreadable { file: PathBuf, reason: String },
    #[error("its secret file {}: {source}", file.display())]
    NotASecret { file: PathBuf, source: NotASecret },
}

/// The secrets of a file of the operator, which is read each time, so that a new secret needs no restart. It blocks.
///
/// # Errors
///
/// [`Unsigned::Unreadable`]; [`Unsigned::NotASecret`], also where the file has none.
pub(in crate::app) fn secrets_in(file: &Path) -> Result<Vec<Secret>, Unsigned> {
    let mut text = String::new();
    let read = File::open(file).and_then(|opened| opened.take(FILE_BYTES_MAX).read_to_string(&mut text));
    read.map_err(|error| Unsigned::Unreadable { file: file.to_owned(), reason: error.to_string() })?;
    signing::secrets(&text).map_err(|source| Unsigned::NotASecret { file: file.to_owned(), source })
}

impl Office {
    /// Replaces the endpoints: from now on events go to these.
    pub fn set_webhooks(&self, webhooks: Vec<Webhook>) {
        self.endpoints.store(Arc::new(webhooks));
    }

    /// The endpoint with this name, where the configuration has one.
    pub fn endpoint(&self, name: &str) -> Option<Webhook> {
        self.endpoints.load().iter().find(|webhook| webhook.id.as_str() == name).cloned()
    }

    /// Whether the configuration names an endpoint at all.
    pub fn has_endpoints(&self) -> bool {
        !self.endpoints.load().is_empty()
    }

    /// The secrets that sign for an endpoint, or why there is none.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn secrets_of(&self, webhook: &Webhook) -> Result<Result<Vec<Secret>, Unsigned>, Error> {
        match webhook.secret_file.clone() {
            Some(file) => Ok(tokio::task::spawn_blocking(move || secrets_in(&file)).await?),
            None => {
                let kept = self.store.secret(&secrets_of(webhook.id.as_str())).await?.unwrap_or_default();
                Ok(signing::secrets(&kept).map_err(|_| Unsigned::NoSecret))
            }
        }
    }

    /// The endpoints that the configuration names.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub async fn named_endpoints(&self, actor: &Actor) -> Result<Vec<Endpoint>, Error> {
        permission::administer(actor)?;
        let mut all = Vec::new();
        for webhook in self.endpoints.load_full().iter() {
            all.push(Endpoint {
                name: webhook.id.to_string(),
                host: webhook.host(),
                events: webhook.events.clone(),
                internal: webhook.internal,
                by_file: webhook.secret_file.is_some(),
                secrets: self.secrets_of(webhook).await?.map_or(0, |secrets| secrets.len()),
            });
        }
        Ok(all)
    }

    /// Makes a secret for an endpoint, for a reason, and gives it this once. It signs from now on, together with the one that was made
    /// last before it, so that the receiver can follow; one from before that ends. Events that waited for a secret leave.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`]; [`Error::Rejected`] without a reason, and for an endpoint whose secrets are in a file.
    pub async fn make_webhook_secret(&self, actor: &Actor, name: &str, why: &str) -> Result<String, Error> {
        permission::administer(actor)?;
        let missing = || Error::Missing { what: "webhook", name: name.to_owned() };
        let webhook = self.endpoint(name).ok_or_else(missing)?;
        accept(check_reason("why", why))?;
        if webhook.secret_file.is_some() {
            let problem = Problem::of("name", "secret-file", Fault::SecretsInFile, &[]);
            return Err(problem.into());
        }
        let secret = self.replace_secret(&secrets_of(name)).await?;
        self.store.deliver_now(name, self.clock.now()).await?;
        self.jobs.wake();
        self.note_webhook(name, actor, json!({ "step": "secret", "why": why })).await?;
        tracing::info!(webhook = name, "a new secret signs for a webhook");
        Ok(secret)
    }

    /// Puts a new secret before the one that was made last.
    async fn replace_secret(&self, key: &str) -> Result<String, Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(Broken::Randomness)?;
        let secret = signing::written(&bytes);
        for _ in 0..TRIES_MAX {
            let before = self.store.secret(key).await?;
            let last = before.as_deref().and_then(|kept| kept.split_whitespace().next());
            let both = last.map_or_else(|| secret.clone(), |last| format!("{secret} {last}"));
            if self.store.replace_secret(key, before.as_deref(), &both).await? {
                return Ok(secret);
            }
        }
        Err(store::Error::Contended("a secret of a webhook".into()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_gives_no_secret_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secrets");
        assert!(matches!(secrets_in(&file), Err(Unsigned::Unreadable { .. })));
        for none in ["", "\n", "password"] {
            std::fs::write(&file, none).unwrap();
            assert!(matches!(secrets_in(&file), Err(Unsigned::NotASecret { .. })), "{none:?}");
        }
        std::fs::write(&file, format!("{}\n{}\n", signing::written(&[1; 32]), signing::written(&[2; 32]))).unwrap();
        assert_eq!(secrets_in(&file).map(|secrets| secrets.len()), Ok(2));
    }
}
