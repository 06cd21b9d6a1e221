//! Word from other hosts on the same server that deployments have changed: `listen` and `notify` of PostgreSQL. It makes them
//! quick and nothing else: those who wait here also ask now and then, since a notice can be lost with its connection.

use sqlx::postgres::PgListener;

use super::Db;
use crate::store::{Error, Store};

/// The channel that the trigger of migration 4 notifies.
const CHANNEL: &str = "ruledesk_deployments";

/// Where notices arrive. On SQLite none ever does, nor behind what gives each transaction another connection: there
/// asking now and then is all there is.
pub struct Notices {
    listener: Option<PgListener>,
}

impl Store {
    /// Begins to listen, on a connection of its own.
    ///
    /// # Errors
    ///
    /// Where the server cannot be reached.
    pub async fn notices(&self) -> Result<Notices, Error> {
        let listener = match &self.db {
            Db::Sqlite(_) => None,
            Db::Postgres(server) => match server.listening() {
                Some(pool) => {
                    let mut listener = PgListener::connect_with(pool).await?;
                    listener.listen(CHANNEL).await?;
                    Some(listener)
                }
                None => None,
            },
        };
        Ok(Notices { listener })
    }
}

impl Notices {
    /// Waits for the next notice. A lost connection counts as one, since notices may have been lost with it.
    ///
    /// # Errors
    ///
    /// Where the server cannot be reached again.
    pub async fn next(&mut self) -> Result<(), Error> {
        match &mut self.listener {
            Some(listener) => Ok(listener.try_recv().await.map(drop)?),
            None => std::future::pending().await,
        }
    }
}
