//! Tokens and sessions that clients have shown, looked at again while their answers go on: those of a host together.

use std::collections::{HashMap, HashSet};

use super::Actor;
use super::sessions::IDLE_MAX;
use crate::app::jobs::proofs::{Proof, Shown};
use crate::app::{Error, Office};
use crate::desk::sla::earlier;

/// The token that a proof stands for, where its session goes on.
fn token_of<'a>(proof: &'a Proof, of_session: &'a HashMap<String, String>) -> Option<&'a str> {
    match &proof.shown {
        Shown::Token(token) => Some(token),
        Shown::Session(session) => of_session.get(session).map(String::as_str),
    }
}

/// The sessions among proofs, each once.
fn sessions(proofs: &[Proof]) -> HashSet<&str> {
    let mut sessions = HashSet::new();
    for proof in proofs {
        if let Shown::Session(session) = &proof.shown {
            sessions.insert(session.as_str());
        }
    }
    sessions
}

impl Office {
    /// The proofs that do not make their clients the same actors any more, with the same roles. No session is prolonged by it.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn lost_of(&self, proofs: &[Proof]) -> Result<Vec<Proof>, Error> {
        let now = self.clock.now();
        let of_session = self.store.tokens_of_sessions(&sessions(proofs), (earlier(now, IDLE_MAX), now)).await?;
        let tokens: HashSet<&str> = proofs.iter().filter_map(|proof| token_of(proof, &of_session)).collect();
        let actors = self.actors_of(&tokens).await?;
        let holds = |proof: &Proof| {
            let actor = token_of(proof, &of_session).and_then(|token| actors.get(token));
            actor == Some(&proof.actor)
        };
        Ok(proofs.iter().filter(|proof| !holds(proof)).cloned().collect())
    }

    /// The actors who hold the tokens with these hashes, as the store has it now; without those that hold no more.
    async fn actors_of(&self, tokens: &HashSet<&str>) -> Result<HashMap<String, Actor>, Error> {
        let mut actors = HashMap::new();
        let mut kept = HashSet::new();
        for token in tokens {
            match self.well_known_actor(token) {
                Some(actor) if self.has_left(&actor) => {}
                Some(actor) => {
                    actors.insert((*token).to_owned(), actor);
                }
                None => {
                    kept.insert(*token);
                }
            }
        }
        for (hash, person, roles) in self.store.holders_of_tokens(&kept, self.clock.now()).await? {
            let actor = Actor::Person { id: person, roles };
            if self.is_here(&actor) {
                actors.insert(hash, actor);
            }
        }
        Ok(actors)
    }
}
