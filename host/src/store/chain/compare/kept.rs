//! Contents that are kept under their digest are what the digest says: tables, manifests, components.

use sha2::{Digest as _, Sha256};

use super::Difference;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::hex;
use crate::store::{Error, Store};

/// Contents that are read at a time: a table has some megabytes at most, and a component more.
const PAGE: i64 = 1;

/// A table of contents: how it is read after two keys, of which the digest is one, and how a row is named.
struct Kept {
    sql: &'static str,
    /// Which of the first two columns is the digest of the third.
    digest: usize,
    noun: &'static str,
    /// Whether the content is bytes, and no text.
    bytes: bool,
}

const KEPT: [Kept; 3] = [
    Kept {
        sql: "select name, digest, content from table_versions where (name, digest) > ($1, $2) order by name, digest",
        digest: 1,
        noun: "the table",
        bytes: false,
    },
    Kept {
        sql: "select component_digest, manifest_digest, manifest from rule_versions \
              where (component_digest, manifest_digest) > ($1, $2) order by component_digest, manifest_digest",
        digest: 1,
        noun: "the manifest of the component",
        bytes: false,
    },
    Kept {
        sql: "select digest, digest, bytes from components where digest > $1 and $2 = $2 order by digest",
        digest: 0,
        noun: "the component",
        bytes: true,
    },
];

/// Digits of a digest by which it is named.
const SHOWN: usize = 12;

fn difference(kept: &Kept, row: &Row) -> Result<Option<Difference>, Error> {
    let content = if kept.bytes { row.bytes(2)? } else { row.text(2)?.into_bytes() };
    let digest = row.text(kept.digest)?;
    if hex(&Sha256::digest(&content).into()) == digest {
        return Ok(None);
    }
    let (noun, name) = (kept.noun, row.text(0)?);
    let what = format!("{noun} `{name}` is not what was kept as {digest:.SHOWN$}: its content was changed");
    Ok(Some((None, what)))
}

impl Store {
    /// The contents that are not what their digest says, and tables in force of which none is kept.
    pub(super) async fn compare_kept(&self) -> Result<Vec<Difference>, Error> {
        let mut found = Vec::new();
        for kept in &KEPT {
            let (sql, mut after) = (format!("{} limit {PAGE}", kept.sql), (String::new(), String::new()));
            loop {
                let args = vec![Arg::from(after.0.as_str()), Arg::from(after.1.as_str())];
                let rows = self.db.all_of_history(&sql, args).await?;
                let Some(last) = rows.last() else { break };
                after = (last.text(0)?, last.text(1)?);
                for row in &rows {
                    found.extend(difference(kept, row)?);
                }
            }
        }
        let sql = "select l.name from tables_live l where not exists \
                   (select 1 from table_versions v where v.name = l.name and v.digest = l.digest) order by l.name";
        for row in self.db.all_of_history(sql, Vec::new()).await? {
            let what = format!("the table `{}` is in force, and its content is missing: it was removed", row.text(0)?);
            found.push((None, what));
        }
        Ok(found)
    }
}
