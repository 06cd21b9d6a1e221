//! Decision records: what each rule was asked and said, with the exact input; and the rules themselves, by digest.

use jiff::Timestamp;

use super::db::{Arg, Tx};
use super::rows::{at, ms};
use super::{Error, Store, writer::Work};
use crate::desk::id::{RunId, TicketId};

/// One run of the rules for a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    pub id: RunId,
    pub at: Timestamp,
    /// The generation of rules that decided; it counts within one process.
    pub generation: u64,
    /// The revision of the deployments that these rules were of, which means the same at all hosts; none between two.
    pub revision: Option<i64>,
    /// What made the rules run, such as `created`.
    pub cause: &'static str,
    /// The parts of the input that several stages share, as a JSON object.
    pub common: String,
    pub decisions: Vec<DecisionRecord>,
}

/// One stage of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    pub stage: &'static str,
    /// A JSON object: laid over the run's `common`, key by key, it is the exact input.
    pub input: String,
    /// The combined result, as JSON.
    pub verdict: String,
    /// Each rule's part, as a JSON array.
    pub rules: String,
}

/// A run as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    pub id: RunId,
    pub at: Timestamp,
    pub generation: i64,
    pub revision: Option<i64>,
    pub cause: String,
    pub common: String,
    pub decisions: Vec<StoredDecision>,
}

/// A stage as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDecision {
    pub stage: String,
    pub input: String,
    pub verdict: String,
    pub rules: String,
}

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

/// Puts a version into the archive, if it is not there.
pub(super) const KEEP_VERSION: &str = "insert into rule_versions (component_digest, manifest_digest, name, version, manifest, \
                                       component, first_seen) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing";

impl RuleVersion {
    /// The arguments of [`KEEP_VERSION`].
    pub(super) fn values(self, now: Timestamp) -> Vec<Arg> {
        vec![
            self.component_digest.into(),
            self.manifest_digest.into(),
            self.name.into(),
            self.version.into(),
            self.manifest.into(),
            self.component.into(),
            ms(now).into(),
        ]
    }
}

/// Writes runs with their decisions.
pub async fn insert<'a>(tx: &mut Tx, runs: impl Iterator<Item = (TicketId, &'a RunRecord)>) -> Result<(), Error> {
    let (mut run_rows, mut decision_rows) = (Vec::new(), Vec::new());
    for (ticket, run) in runs {
        run_rows.push(vec![
            run.id.0.into(),
            ticket.0.into(),
            ms(run.at).into(),
            i64::try_from(run.generation).unwrap_or(i64::MAX).into(),
            run.cause.into(),
            Arg::from(run.common.clone()),
            run.revision.into(),
        ]);
        decision_rows.extend(run.decisions.iter().map(|decision| {
            vec![
                run.id.0.into(),
                decision.stage.into(),
                decision.input.clone().into(),
                decision.verdict.clone().into(),
                Arg::from(decision.rules.clone()),
            ]
        }));
    }
    tx.insert("insert into runs (id, ticket, at, generation, cause, common, revision)", 7, "", run_rows).await?;
    let head = "insert into decisions (run, stage, input, verdict, rules)";
    tx.insert(head, 5, "", decision_rows).await.map(drop)
}

impl Store {
    /// All runs of a ticket, oldest first, with their decisions in the order of their stages' names.
    pub async fn runs(&self, ticket: TicketId) -> Result<Vec<StoredRun>, Error> {
        let rows = self
            .db
            .all(
                "select r.id, r.at, r.generation, r.cause, r.common, d.stage, d.input, d.verdict, d.rules, r.revision \
                 from runs r join decisions d on d.run = r.id where r.ticket = $1 order by r.at, r.id, d.stage",
                vec![ticket.0.into()],
            )
            .await?;
        let mut runs: Vec<StoredRun> = Vec::new();
        for row in rows {
            let id = RunId(row.uuid(0)?);
            let decision =
                StoredDecision { stage: row.text(5)?, input: row.text(6)?, verdict: row.text(7)?, rules: row.text(8)? };
            match runs.last_mut().filter(|run| run.id == id) {
                Some(run) => run.decisions.push(decision),
                None => runs.push(StoredRun {
                    id,
                    at: at("runs", "at", row.int(1)?)?,
                    generation: row.int(2)?,
                    revision: row.opt_int(9)?,
                    cause: row.text(3)?,
                    common: row.text(4)?,
                    decisions: vec![decision],
                }),
            }
        }
        Ok(runs)
    }

    /// Keeps a component and its manifest, if they are not kept already.
    pub async fn keep_rule_version(&self, version: RuleVersion, now: Timestamp) -> Result<(), Error> {
        let args = version.values(now);
        self.ask(|done| Work::Statement(KEEP_VERSION, args, done)).await.map(drop)
    }

    /// Whether a component and its manifest are kept.
    pub async fn has_rule_version(&self, component: &str, manifest: &str) -> Result<bool, Error> {
        let sql = "select 1 from rule_versions where component_digest = $1 and manifest_digest = $2";
        Ok(self.db.optional(sql, vec![component.into(), manifest.into()]).await?.is_some())
    }

    /// A kept component and its manifest.
    pub async fn rule_version(&self, component: &str, manifest: &str) -> Result<Option<RuleVersion>, Error> {
        let row = self
            .db
            .optional(
                "select name, version, manifest, component from rule_versions \
                 where component_digest = $1 and manifest_digest = $2",
                vec![component.into(), manifest.into()],
            )
            .await?;
        row.map(|row| {
            Ok(RuleVersion {
                component_digest: component.to_owned(),
                manifest_digest: manifest.to_owned(),
                name: row.text(0)?,
                version: row.text(1)?,
                manifest: row.text(2)?,
                component: row.bytes(3)?,
            })
        })
        .transpose()
    }
}
