//! The proofs that clients have shown whose streams go on. One look at intervals serves all streams of this host, so that a
//! stream in which nothing happens costs nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::looks::Looks;
use super::stop::Stop;
use crate::app::{Error, Office};
use crate::desk::actor::Actor;

/// How often it is looked whether the tokens and sessions still hold.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// The proof that a client has shown, by the hash under which it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    Token(String),
    Session(String),
}

/// A proof and the one whom it makes its client.
#[derive(Debug, Clone)]
pub struct Proof {
    pub shown: Shown,
    pub actor: Actor,
    lost: Arc<Notify>,
}

/// The proofs of all streams of this host.
#[derive(Debug, Default)]
pub struct Proofs(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// The number of the next one.
    next: u64,
    by_number: HashMap<u64, Proof>,
}

/// A proof of one stream, which is looked at until this is dropped.
pub struct Held {
    office: Arc<Office>,
    number: u64,
    lost: Arc<Notify>,
}

impl Held {
    /// Waits until the proof holds no more.
    pub async fn lost(&self) {
        self.lost.notified().await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.office.feed.proofs.change(|kept| kept.by_number.remove(&self.number));
    }
}

impl Proofs {
    fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Office {
    /// Looks at a proof from now on; it made its client this actor a moment ago.
    pub fn hold(self: &Arc<Self>, shown: Shown, actor: Actor) -> Held {
        let lost = Arc::new(Notify::new());
        let proof = Proof { shown, actor, lost: Arc::clone(&lost) };
        let number = self.feed.proofs.change(|kept| {
            let number = kept.next;
            kept.next += 1;
            kept.by_number.insert(number, proof);
            number
        });
        Held { office: Arc::clone(self), number, lost }
    }

    /// Ends the streams of those who hold what they have shown no more, until it is asked to stop.
    pub async fn look_at_proofs(self: Arc<Self>, stop: Stop) {
        let mut looks = Looks::every(LOOK_EVERY, stop);
        while looks.next().await {
            // A database that is away says nothing against them.
            if let Err(error) = self.look_at_proofs_once().await {
                tracing::warn!(%error, "streams go on: tokens and sessions cannot be read now");
            }
        }
    }

    async fn look_at_proofs_once(&self) -> Result<(), Error> {
        let proofs: Vec<Proof> = self.feed.proofs.change(|kept| kept.by_number.values().cloned().collect());
        for proof in self.lost_of(&proofs).await? {
            proof.lost.notify_one();
        }
        Ok(())
    }
}
