//! Which version of each rule has which part, and every change of that.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::signatures::KEEP_SIGNATURE;
use super::versions::{self, RuleVersion};
use crate::store::chain::audit;
use crate::store::commit::writer::Work;
use crate::store::db::{Arg, Db, Row, Tx};
use crate::store::flush::Flush;
use crate::store::sql::columns::{at_or_epoch, from_json, ms};
use crate::store::sql::page::Page;
use crate::store::{Error, Store};

/// One rule's life as it is kept. Versions are `COMPONENT/MANIFEST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub name: String,
    pub source: String,
    pub folder: Option<String>,
    pub active: Option<String>,
    pub candidate: Option<String>,
    pub trial: Option<String>,
    pub percent: Option<i64>,
    pub proposed_by: Option<String>,
    pub previous: Option<String>,
    pub offered: Option<String>,
    pub suspended: Option<String>,
    /// Who wants the rule retired while a second person has yet to agree; empty where the directory does.
    pub retire_proposed_by: Option<String>,
    /// 0 before it is first written.
    pub revision: i64,
    pub changed_at: Timestamp,
    pub changed_by: String,
    pub why: String,
}

/// One change of a deployment, with its entry in the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentChange {
    /// As it is to be; its revision is the one that was read.
    pub after: Deployment,
    pub event: &'static str,
    /// The version that the step names.
    pub version: Option<String>,
    /// The lives before and after, as JSON.
    pub before_json: String,
    pub after_json: String,
    /// A version that comes with it.
    pub brought: Option<Brought>,
}

/// A version that is put into the archive with the change that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    pub version: RuleVersion,
    /// The text of its signature, and whether a trusted key has made it.
    pub signature: Option<(String, bool)>,
}

/// An entry of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentEvent {
    pub seq: i64,
    pub at: Timestamp,
    pub name: String,
    pub event: String,
    /// The version that it was about; none where the step names none, and in entries of older programs.
    pub version: Option<String>,
    pub before: String,
    pub after: String,
    pub actor: String,
    pub why: String,
}

/// The part of a life in the audit that says which version was active, and whether any played a part.
#[derive(Deserialize)]
struct Life {
    active: Option<String>,
    candidate: Option<IgnoredAny>,
    suspended: Option<String>,
}

/// The part that says which versions counted.
#[derive(Deserialize)]
struct Counting {
    active: Option<String>,
    candidate: Option<Tried>,
}

/// A version on trial; how, is a word or a word with a share.
#[derive(Deserialize)]
struct Tried {
    version: String,
    trial: serde_json::Value,
}

/// A version whose answers counted at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The rule.
    pub name: String,
    /// As `COMPONENT/MANIFEST`.
    pub version: String,
    /// The share of the tickets for which one on trial counted; `None` for the active one.
    pub percent: Option<u64>,
}

/// The part that says which folder offered it.
#[derive(Deserialize)]
struct Place {
    folder: Option<String>,
}

const COLUMNS: &str = "name, source, folder, active, candidate, trial, percent, proposed_by, previous, offered, \
                       suspended, revision, changed_at, changed_by, why, retire_proposed_by";

fn deployment(row: &Row) -> Result<Deployment, Error> {
    Ok(Deployment {
        name: row.text(0)?,
        source: row.text(1)?,
        folder: row.opt_text(2)?,
        active: row.opt_text(3)?,
        candidate: row.opt_text(4)?,
        trial: row.opt_text(5)?,
        percent: row.opt_int(6)?,
        proposed_by: row.opt_text(7)?,
        previous: row.opt_text(8)?,
        offered: row.opt_text(9)?,
        suspended: row.opt_text(10)?,
        revision: row.int(11)?,
        changed_at: at_or_epoch(row.int(12)?),
        changed_by: row.text(13)?,
        why: row.text(14)?,
        retire_proposed_by: row.opt_text(15)?,
    })
}

fn values(deployment: &Deployment) -> Vec<Arg> {
    let Deployment { name, source, folder, active, candidate, trial, percent, .. } = deployment.clone();
    let Deployment { proposed_by, previous, offered, suspended, revision, changed_at, changed_by, why, .. } =
        deployment.clone();
    let retire_proposed_by = deployment.retire_proposed_by.clone();
    vec![
        name.into(),
        source.into(),
        folder.into(),
        active.into(),
        candidate.into(),
        trial.into(),
        percent.into(),
        proposed_by.into(),
        previous.into(),
        offered.into(),
        suspended.into(),
        (revision + 1).into(),
        ms(changed_at).into(),
        changed_by.into(),
        why.into(),
        retire_proposed_by.into(),
    ]
}

/// Writes a change, what it brings, its audit and the sign for other processes in one transaction; gives the new revision.
pub(crate) async fn change(db: &Db, change: DeploymentChange) -> Result<(i64, Flush), Error> {
    db.transaction(|mut tx| {
        let change = change.clone();
        async move { Ok((write(&mut tx, change).await?, tx)) }
    })
    .await
}

async fn write(tx: &mut Tx, change: DeploymentChange) -> Result<i64, Error> {
    let after = &change.after;
    let mut args = values(after);
    let changed = if after.revision == 0 {
        let sql = format!(
            "insert into deployments ({COLUMNS}) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict do nothing"
        );
        tx.execute(&sql, args).await?
    } else {
        args.push(after.revision.into());
        let sql = "update deployments set source = $2, folder = $3, active = $4, candidate = $5, trial = $6, \
                   percent = $7, proposed_by = $8, previous = $9, offered = $10, suspended = $11, revision = $12, \
                   changed_at = $13, changed_by = $14, why = $15, retire_proposed_by = $16 where name = $1 and revision = $17";
        tx.execute(sql, args).await?
    };
    if changed != 1 {
        return Err(Error::Conflict);
    }
    let noted = note(tx, &change).await?;
    if let Some(Brought { version, signature }) = change.brought {
        let signed = signature.map(|text| (version.component_digest.clone(), version.manifest_digest.clone(), text));
        versions::keep(tx, version, after.changed_at).await?;
        if let Some((component, manifest, (text, verified))) = signed {
            let (at, verified) = (ms(after.changed_at), i64::from(verified));
            let args = vec![component.into(), manifest.into(), text.into(), at.into(), verified.into()];
            tx.execute(KEEP_SIGNATURE, args).await?;
        }
    }
    let sql = "update deployment_revision set revision = revision + 1 where one = 1 returning revision";
    let revision = tx.optional(sql, Vec::new()).await?.map_or(Ok(0), |row| row.int(0))?;
    audit::append(tx, &[noted]).await?;
    Ok(revision)
}

/// Writes the event of a change; its entry in the audit.
async fn note(tx: &mut Tx, change: &DeploymentChange) -> Result<audit::Entry, Error> {
    let DeploymentChange { after, event, version, before_json, after_json, .. } = change;
    let args = vec![
        ms(after.changed_at).into(),
        after.name.as_str().into(),
        (*event).into(),
        before_json.as_str().into(),
        after_json.as_str().into(),
        after.changed_by.as_str().into(),
        after.why.as_str().into(),
        version.clone().into(),
    ];
    let sql = "insert into deployment_events (at, name, event, before, after, actor, why, version) \
               values ($1, $2, $3, $4, $5, $6, $7, $8) returning seq";
    let seq = tx.optional(sql, args).await?.map_or(Ok(0), |row| row.int(0))?;
    let detail = json!({ "seq": seq, "event": event, "version": version, "before": before_json, "after": after_json,
        "actor": after.changed_by, "why": after.why });
    Ok(audit::Entry { at: after.changed_at, event: audit::RULE, about: after.name.clone(), detail })
}

impl Store {
    /// Every rule's life, by name.
    pub async fn deployments(&self) -> Result<Vec<Deployment>, Error> {
        let sql = format!("select {COLUMNS} from deployments order by name");
        self.db.all(&sql, Vec::new()).await?.iter().map(deployment).collect()
    }

    /// One rule's life, where it has any. It is read for each step of each rule, of which a directory may bring a thousand at once.
    pub async fn deployment(&self, name: &str) -> Result<Option<Deployment>, Error> {
        let sql = format!("select {COLUMNS} from deployments where name = $1");
        self.db.optional(&sql, vec![name.into()]).await?.as_ref().map(deployment).transpose()
    }

    /// Writes a change of one rule's life; gives the revision of all lives that it made.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where it has changed since it was read.
    pub async fn change_deployment(&self, change: DeploymentChange) -> Result<i64, Error> {
        self.ask(|done| Work::Deployment(Box::new(change), done)).await
    }

    /// A number that changes with every change of any rule's life: cheap to ask for.
    pub async fn deployment_revision(&self) -> Result<i64, Error> {
        self.number("select revision from deployment_revision where one = 1", Vec::new()).await
    }

    /// The versions of each rule whose answers counted at an instant, by the rule's name: the active one, and after it one on trial that
    /// counted for a share of the tickets. Rules that had none are left out.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read, or an entry of the audit is damaged.
    pub async fn counted_at(&self, at: Timestamp) -> Result<Vec<Counted>, Error> {
        let sql = "select name, after from deployment_events e where seq = (select max(seq) from deployment_events l \
                   where l.name = e.name and l.at <= $1) order by name";
        let mut counted = Vec::new();
        for row in self.db.all(sql, vec![ms(at).into()]).await? {
            let (name, after) = (row.text(0)?, row.text(1)?);
            let Counting { active, candidate } = from_json("deployment_events", "after", &after)?;
            // One that was suspended answered nothing.
            counted.extend(active.map(|version| Counted { name: name.clone(), version, percent: None }));
            let on_trial = candidate.and_then(|tried| Some((tried.trial.get("canary")?.as_u64()?, tried.version)));
            counted.extend(on_trial.map(|(percent, version)| Counted { name, version, percent: Some(percent) }));
        }
        Ok(counted)
    }

    /// Notes that a person has meant the folders to be gone with which rules have ended so far.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read or written.
    pub async fn note_reload(&self, by: &str, now: Timestamp) -> Result<(), Error> {
        let until = self.number("select coalesce(max(seq), 0) from deployment_events", Vec::new()).await?;
        let (about, detail) = ("rules".to_owned(), json!({ "by": by, "until": until }));
        self.audit(audit::Entry { at: now, event: audit::RELOADED, about, detail }).await
    }

    /// The last entry of the deployments' audit with whose folders a person has said that they are meant to be gone; 0 for none.
    async fn meant_until(&self) -> Result<i64, Error> {
        #[derive(Deserialize)]
        struct Meant {
            until: i64,
        }
        let sql = "select detail from audit where event = $1 order by seq desc limit 1";
        let Some(row) = self.db.optional(sql, vec![audit::RELOADED.into()]).await? else { return Ok(0) };
        Ok(from_json::<Meant>("audit", "detail", &row.text(0)?)?.until)
    }

    /// The folder with which a rule has ended last, and when; none where it never has, and where a person has meant that folder to be
    /// gone.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read, or an entry of the audit is damaged.
    pub async fn ended_with(&self, name: &str) -> Result<Option<(String, Timestamp)>, Error> {
        let sql = "select before, at, seq from deployment_events where name = $1 and event = 'gone' order by seq desc limit 1";
        let Some(row) = self.db.optional(sql, vec![name.into()]).await? else { return Ok(None) };
        if row.int(2)? <= self.meant_until().await? {
            return Ok(None);
        }
        let place: Place = from_json("deployment_events", "before", &row.text(0)?)?;
        let at = at_or_epoch(row.int(1)?);
        Ok(place.folder.map(|folder| (folder, at)))
    }

    /// The versions of a rule that were active, the latest first, as `COMPONENT/MANIFEST`: of the last `limit` entries of its audit, and
    /// no further back than it played no part at all. An entry that is damaged says nothing.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn active_before(&self, name: &str, limit: usize) -> Result<Vec<String>, Error> {
        let sql = format!("select after from deployment_events where name = $1 order by seq desc limit {limit}");
        let rows = self.db.all(&sql, vec![name.into()]).await?;
        let lives = rows.iter().filter_map(|row| serde_json::from_str::<Life>(&row.text(0).ok()?).ok());
        let live = |life: &Life| life.active.is_some() || life.candidate.is_some() || life.suspended.is_some();
        let mut active: Vec<String> = lives.take_while(live).filter_map(|life| life.active).collect();
        active.dedup();
        Ok(active)
    }

    /// The audit of one rule, the latest first.
    pub async fn deployment_events(
        &self,
        name: &str,
        before: i64,
        limit: usize,
    ) -> Result<Page<DeploymentEvent, i64>, Error> {
        let sql = format!(
            "select seq, at, name, event, before, after, actor, why, version from deployment_events \
             where name = $1 and seq < $2 order by seq desc limit {}",
            limit.saturating_add(1)
        );
        let rows = self.db.all(&sql, vec![name.into(), before.into()]).await?;
        let event = |row: &Row| {
            Ok(DeploymentEvent {
                seq: row.int(0)?,
                at: at_or_epoch(row.int(1)?),
                name: row.text(2)?,
                event: row.text(3)?,
                before: row.text(4)?,
                after: row.text(5)?,
                actor: row.text(6)?,
                why: row.text(7)?,
                version: row.opt_text(8)?,
            })
        };
        Ok(self.readable_page("deployment_events", (&rows, limit), event, |row| row.int(0)))
    }
}
