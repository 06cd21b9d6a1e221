//! The signatures of archived versions.

use jiff::Timestamp;

use crate::store::commit::writer::Work;
use crate::store::db::Arg;
use crate::store::sql::columns::ms;
use crate::store::{Error, Store};

/// Puts a signature beside its version; the last one stands.
pub(crate) const KEEP_SIGNATURE: &str = "insert into rule_signatures (component_digest, manifest_digest, signature, at) values ($1, $2, $3, $4) \
                    on conflict (component_digest, manifest_digest) do update set signature = excluded.signature, at = excluded.at";

impl Store {
    /// Keeps the signature of a version that is in the archive.
    ///
    /// # Errors
    ///
    /// Where the version is not there, or the database cannot be written to.
    pub async fn keep_signature(
        &self,
        component: &str,
        manifest: &str,
        signature: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let args: Vec<Arg> = vec![component.into(), manifest.into(), signature.into(), ms(now).into()];
        self.ask(|done| Work::Statement(KEEP_SIGNATURE, args, done)).await.map(drop)
    }

    /// The signature of a version, if one is kept.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn signature(&self, component: &str, manifest: &str) -> Result<Option<String>, Error> {
        let sql = "select signature from rule_signatures where component_digest = $1 and manifest_digest = $2";
        let row = self.db.optional(sql, vec![component.into(), manifest.into()]).await?;
        row.map(|row| row.text(0)).transpose()
    }
}
