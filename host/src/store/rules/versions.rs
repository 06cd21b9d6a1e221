//! The archive: every component and manifest that ever decided, by digest. Nothing is taken out of it, and what no longer is
//! what was put in is never handed out.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{at_or_epoch, hex, ms};
use crate::store::sql::page::Page;
use crate::store::{Error, Store};

/// A component and manifest that may decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleVersion {
    pub component_digest: String,
    pub manifest_digest: String,
    pub name: String,
    pub version: String,
    pub manifest: String,
    pub component: Vec<u8>,
}

/// Puts a component into the archive, if it is not there: once, however many manifests name it.
const KEEP_COMPONENT: &str = "insert into components (digest, bytes) values ($1, $2) on conflict do nothing";
/// Puts a version into the archive, if it is not there. Its component comes first.
const KEEP_VERSION: &str = "insert into rule_versions (component_digest, manifest_digest, name, version, manifest, first_seen) \
                            values ($1, $2, $3, $4, $5, $6) on conflict do nothing";

/// Puts a version with its component into the archive, as far as they are not there.
pub(super) async fn keep(tx: &mut Tx, version: RuleVersion, now: Timestamp) -> Result<(), Error> {
    let (component, version) = statements(version, now);
    tx.execute(KEEP_COMPONENT, component).await?;
    tx.execute(KEEP_VERSION, version).await.map(drop)
}

/// The arguments of [`KEEP_COMPONENT`] and of [`KEEP_VERSION`].
fn statements(version: RuleVersion, now: Timestamp) -> (Vec<Arg>, Vec<Arg>) {
    let RuleVersion { component_digest, manifest_digest, name, version, manifest, component } = version;
    let kept = vec![component_digest.as_str().into(), component.into()];
    let version = vec![
        component_digest.into(),
        manifest_digest.into(),
        name.into(),
        version.into(),
        manifest.into(),
        ms(now).into(),
    ];
    (kept, version)
}

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
        let (component, version) = statements(version, now);
        // A component without a version does no harm, should the desk end between the two.
        self.write_in_turn(KEEP_COMPONENT, component).await?;
        self.write_in_turn(KEEP_VERSION, version).await.map(drop)
    }

    /// Whether a component and its manifest are kept.
    pub async fn has_rule_version(&self, component: &str, manifest: &str) -> Result<bool, Error> {
        let sql = "select 1 from rule_versions v join components c on c.digest = v.component_digest \
                   where v.component_digest = $1 and v.manifest_digest = $2";
        Ok(self.db.optional(sql, vec![component.into(), manifest.into()]).await?.is_some())
    }

    /// A kept component and its manifest.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where they are not what was archived.
    pub async fn rule_version(&self, component: &str, manifest: &str) -> Result<Option<RuleVersion>, Error> {
        let sql = "select v.name, v.version, v.manifest, c.bytes from rule_versions v \
                   join components c on c.digest = v.component_digest \
                   where v.component_digest = $1 and v.manifest_digest = $2";
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

    /// A kept manifest, if it is what was archived.
    pub async fn manifest(&self, component: &str, manifest: &str) -> Result<Option<String>, Error> {
        let sql = "select manifest from rule_versions where component_digest = $1 and manifest_digest = $2";
        let row = self.db.optional(sql, vec![component.into(), manifest.into()]).await?;
        let text = row.map(|row| row.text(0)).transpose()?;
        Ok(text.filter(|text| digest(text.as_bytes()) == manifest))
    }

    /// Whether a rule of this name has ever been live.
    pub async fn has_rule(&self, name: &str) -> Result<bool, Error> {
        let sql = "select 1 from rule_versions where name = $1 limit 1";
        Ok(self.db.optional(sql, vec![name.into()]).await?.is_some())
    }

    /// The kept versions of a rule, the newest first.
    pub async fn rule_versions(&self, name: &str) -> Result<Vec<ListedVersion>, Error> {
        Ok(self.rule_versions_after(name, 0, usize::MAX).await?.items)
    }

    /// Some of them, after so many; and whether there are more.
    pub async fn rule_versions_after(
        &self,
        name: &str,
        after: i64,
        limit: usize,
    ) -> Result<Page<ListedVersion, ()>, Error> {
        let sql = "select v.component_digest, v.manifest_digest, v.version, v.manifest, \
                   cast(coalesce(octet_length(c.bytes), 0) as bigint), v.first_seen \
                   from rule_versions v left join components c on c.digest = v.component_digest \
                   where v.name = $1 order by v.first_seen desc, v.component_digest, v.manifest_digest \
                   limit $2 offset $3";
        let rows = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
        let rows = self.db.all(sql, vec![name.into(), rows.into(), after.into()]).await?;
        let listed = |row: &Row| {
            Ok(ListedVersion {
                component_digest: row.text(0)?,
                manifest_digest: row.text(1)?,
                version: row.text(2)?,
                manifest: row.text(3)?,
                component_bytes: row.int(4)?,
                first_seen: at_or_epoch(row.int(5)?),
            })
        };
        Ok(self.readable_page("rule_versions", (&rows, limit), listed, |_| Ok(())))
    }
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes).into())
}
