//! The hash chains over all decision records and over the ledger of access, checked.

use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::desk::permission;
pub use crate::store::chain::Chain;
pub use crate::store::chain::check::{Break, Checked, Place};

impl Office {
    /// Walks one chain and says where it breaks; `anchor` is a place in it as it was known before.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn check_chain(&self, actor: &Actor, chain: Chain, anchor: Option<&Place>) -> Result<Checked, Error> {
        permission::check_records(actor)?;
        Ok(self.store.check_chain(chain, anchor).await?)
    }
}
