//! The signatures of archived versions.

use jiff::Timestamp;

use crate::store::db::Arg;
use crate::store::sql::columns::ms;
use crate::store::{Error, Store};

/// Keeps a signature with its version; the last one stands, but one that a trusted key has made is not replaced by one that
/// none was asked about: another desk on the same database may trust that key.
pub(crate) const KEEP_SIGNATURE: &str = "insert into rule_signatures (component_digest, manifest_digest, signature, at, verified) \
     values ($1, $2, $3, $4, $5) on conflict (component_digest, manifest_digest) do update \
     set signature = excluded.signature, at = excluded.at, verified = excluded.verified \
     where excluded.verified >= rule_signatures.verified";

impl Store {
    /// Keeps the signature of a version that is in the archive; `verified` says that a trusted key has made it.
    ///
    /// # Errors
    ///
    /// Where the version is not there, or the database cannot be written to.
    pub async fn keep_signature(
        &self,
        component: &str,
        manifest: &str,
        signature: &str,
        verified: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let args: Vec<Arg> =
            vec![component.into(), manifest.into(), signature.into(), ms(now).into(), i64::from(verified).into()];
        self.write_in_turn(KEEP_SIGNATURE, args).await.map(drop)
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
