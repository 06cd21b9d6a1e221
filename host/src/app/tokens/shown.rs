//! A token or session that a client has shown, looked at again while an answer goes on.

use super::Actor;
use crate::app::jobs::events::Shown;
use crate::app::{Error, Office};

impl Office {
    /// Whether what a client has shown still makes it this actor, with the same roles. A session is not prolonged by it.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn still_is(&self, shown: &Shown, actor: &Actor) -> Result<bool, Error> {
        let token = match shown {
            Shown::Token(token) => Some(token.clone()),
            Shown::Session(session) => self.live_session(session).await?.map(|session| session.token),
        };
        let Some(token) = token else { return Ok(false) };
        Ok(self.actor_of(token).await?.as_ref() == Some(actor))
    }
}
