//! All that is known of a person's access, for a change of it.

use crate::app::{Error, Office};
use crate::desk::access::{Grant, Review};
use crate::desk::change::AccessSeen;
use crate::desk::id::PersonId;

impl Office {
    /// The grants that one human has by other accounts than this.
    pub(in crate::app) async fn held_elsewhere(&self, account: &PersonId) -> Result<Vec<Grant>, Error> {
        let (accounts, now) = (self.organisation().other_accounts(account), self.clock.now());
        let mut held = Vec::new();
        for account in &accounts {
            held.extend(self.store.grants_in_force(account, now).await?);
        }
        Ok(held)
    }

    /// All that is known of a person's access, and how far it had come before that was read.
    pub(in crate::app) async fn access_of(&self, subject: &PersonId) -> Result<(Review, AccessSeen), Error> {
        let seen = self.store.access_seen(subject.as_str()).await?;
        let review = Review {
            held: self.store.grants_in_force(subject, self.clock.now()).await?,
            holdings: self.store.holdings(subject).await?,
            ops: self.store.open_ops(subject).await?,
            elsewhere: self.held_elsewhere(subject).await?,
            ..Review::default()
        };
        Ok((review, seen))
    }

    /// The same as far as it concerns a grant's own app: see [`Office::change_in_app`].
    pub(in crate::app) async fn access_in_app(&self, grant: &Grant) -> Result<(Review, AccessSeen), Error> {
        let subject = &grant.subject;
        let seen = self.store.access_seen(subject.as_str()).await?;
        let here = self.organisation().is_active(subject);
        let review = Review {
            held: self.store.grants_as_far_as_known(subject, self.clock.now(), here.then_some(&grant.app)).await?,
            holdings: self.store.holdings(subject).await?,
            ops: self.store.open_ops(subject).await?,
            ..Review::default()
        };
        Ok((review, seen))
    }
}
