//! Access that is taken back before its time.

use crate::app::tickets::change::{Key, idempotency};
use crate::app::{Error, Office};
use crate::desk::access::{self, Grant};
use crate::desk::actor::Actor;
use crate::desk::id::GrantId;
use crate::desk::permission;

impl Office {
    /// Takes a grant back: from now on it gives no access. The person who had it hears of it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`], also where it has ended already; [`Error::Rejected`] without a reason.
    pub async fn revoke_grant(
        &self,
        actor: &Actor,
        id: GrantId,
        reason: &str,
        key: Option<Key>,
    ) -> Result<Grant, Error> {
        self.change_in_app(id, idempotency(actor, key), |ticket, grant, at| {
            let app = at.organisation.apps.get(&grant.app);
            let permit = permission::revoke(actor, ticket, app.and_then(|app| app.owner.as_ref()), &grant.subject)?;
            Ok(Some(access::revoke(ticket, grant, reason, &permit, at)?))
        })
        .await
    }
}
