//! The archive: every component and manifest that ever decided, by digest. Nothing is taken out of it, and what no longer is
//! what was put in is never handed out.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::decisions::RuleVersion;
use crate::store::chain::hex;
use crate::store::columns::{at, ms};
use crate::store::commit::writer::Work;
use crate::store::{Error, Store};

/// A version as it is listed, without its component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVersion {
    pub component_digest: String,
    pub manifest_digest: String,
    pub version: String,
    pub manifest: String,
    /// The component's size.
    pub component_bytes: i64,
    pub first_seen: Timestamp,
}

impl ListedVersion {
    /// Whether the manifest is what was archived.
    pub fn manifest_is_whole(&self) -> bool {
        digest(self.manifest.as_bytes()) == self.manifest_digest
    }
}

impl Store {
    /// Keeps a component and its manifest, if they are not kept already.
    pub async fn keep_rule_version(&self, version: RuleVersion, now: Timestamp) -> Result<(), Error> {
        let args = vec![
            version.component_digest.into(),
            version.manifest_digest.into(),
            version.name.into(),
            version.version.into(),
            version.manifest.into(),
            version.component.into(),
            ms(now).into(),
        ];
        let sql = "insert into rule_versions (component_digest, manifest_digest, name, version, manifest, component, \
                   first_seen) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing";
        self.ask(|done| Work::Statement(sql, args, done)).await.map(drop)
    }

    /// Whether a component and its manifest are kept.
    pub async fn has_rule_version(&self, component: &str, manifest: &str) -> Result<bool, Error> {
        let sql = "select 1 from rule_versions where component_digest = $1 and manifest_digest = $2";
        Ok(self.db.optional(sql, vec![component.into(), manifest.into()]).await?.is_some())
    }

    /// A kept component and its manifest.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where they are not what was archived.
    pub async fn rule_version(&self, component: &str, manifest: &str) -> Result<Option<RuleVersion>, Error> {
        let sql = "select name, version, manifest, component from rule_versions \
                   where component_digest = $1 and manifest_digest = $2";
        let Some(row) = self.db.optional(sql, vec![component.into(), manifest.into()]).await? else { return Ok(None) };
        let found = RuleVersion {
            component_digest: component.to_owned(),
            manifest_digest: manifest.to_owned(),
            name: row.text(0)?,
            version: row.text(1)?,
            manifest: row.text(2)?,
            component: row.bytes(3)?,
        };
        let parts = [("component", &*found.component, component), ("manifest", found.manifest.as_bytes(), manifest)];
        let damaged = parts.into_iter().find(|(_, bytes, expected)| digest(bytes) != *expected);
        match damaged.map(|(part, _, digest)| (part, digest.to_owned())) {
            None => Ok(Some(found)),
            Some((part, digest)) => Err(Error::Damaged { rule: found.name, part, digest }),
        }
    }

    /// The kept versions of a rule, the newest first.
    pub async fn rule_versions(&self, name: &str) -> Result<Vec<ListedVersion>, Error> {
        let sql = "select component_digest, manifest_digest, version, manifest, cast(octet_length(component) as bigint), first_seen \
                   from rule_versions where name = $1 order by first_seen desc, component_digest, manifest_digest";
        let rows = self.db.all(sql, vec![name.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(ListedVersion {
                    component_digest: row.text(0)?,
                    manifest_digest: row.text(1)?,
                    version: row.text(2)?,
                    manifest: row.text(3)?,
                    component_bytes: row.int(4)?,
                    first_seen: at("rule_versions", "first_seen", row.int(5)?)?,
                })
            })
            .collect()
    }
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes).into())
}
