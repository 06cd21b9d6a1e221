//! Decision records: what each rule was asked and said, with the exact input.

use jiff::Timestamp;

use crate::desk::id::{RunId, TicketId};
use crate::store::chain::{Chain, Content, ContentDigest, Encoding, End};
use crate::store::columns::{at, ms};
use crate::store::db::{Arg, Tx};
use crate::store::{Error, Store};

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
    /// What ran the rules: this program's version and the WebAssembly runtime's.
    pub engine: &'static str,
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
    /// What ran the rules; empty where that was not recorded yet.
    pub engine: String,
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
pub(crate) const KEEP_VERSION: &str = "insert into rule_versions (component_digest, manifest_digest, name, version, manifest, \
                                       component, first_seen) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing";

impl RuleVersion {
    /// The arguments of [`KEEP_VERSION`].
    pub(crate) fn values(self, now: Timestamp) -> Vec<Arg> {
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

/// A run's content, as it is chained.
pub struct Chained<'a> {
    pub id: RunId,
    pub ticket: TicketId,
    pub at: i64,
    pub generation: i64,
    pub revision: Option<i64>,
    pub cause: &'a str,
    pub engine: &'a str,
    pub common: &'a str,
    /// Stage, input, verdict and rules, in any order of the stages.
    pub decisions: Vec<[&'a str; 4]>,
}

/// The digest of a run with all its decisions.
pub fn run_content(mut run: Chained<'_>, encoding: Encoding) -> ContentDigest {
    let mut content = Content::of(Chain::Runs, encoding);
    content.field(run.id.0.as_bytes()).field(run.ticket.0.as_bytes()).int(run.at).int(run.generation);
    for text in [run.cause, run.engine, run.common] {
        content.field(text.as_bytes());
    }
    if encoding == Encoding::Two {
        // No revision is below nought.
        content.int(run.revision.unwrap_or(-1));
    }
    content.int(i64::try_from(run.decisions.len()).unwrap_or(i64::MAX));
    run.decisions.sort_unstable();
    for text in run.decisions.iter().flatten() {
        content.field(text.as_bytes());
    }
    content.digest()
}

impl RunRecord {
    fn content(&self, ticket: TicketId) -> ContentDigest {
        let run = Chained {
            id: self.id,
            ticket,
            at: ms(self.at),
            generation: self.generation_column(),
            revision: self.revision,
            cause: self.cause,
            engine: self.engine,
            common: &self.common,
            decisions: self.decisions.iter().map(|d| [d.stage, &*d.input, &*d.verdict, &*d.rules]).collect(),
        };
        run_content(run, Encoding::Two)
    }

    fn generation_column(&self) -> i64 {
        i64::try_from(self.generation).unwrap_or(i64::MAX)
    }
}

/// Writes runs with their decisions. It holds the end of the chain until the transaction ends, so it comes last in it.
pub async fn insert<'a>(tx: &mut Tx, runs: impl Iterator<Item = (TicketId, &'a RunRecord)>) -> Result<(), Error> {
    let (mut chained, mut decision_rows) = (Vec::new(), Vec::new());
    for (ticket, run) in runs {
        chained.push((ticket, run, run.content(ticket)));
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
    if chained.is_empty() {
        return Ok(());
    }
    // All that is long is hashed and written before the end of the chain is taken.
    tx.insert("insert into decisions (run, stage, input, verdict, rules)", 5, "", decision_rows).await?;
    let mut end = End::take(tx, Chain::Runs).await?;
    let rows = chained.into_iter().map(|(ticket, run, content)| {
        let (link, hash) = end.add(&content);
        vec![
            run.id.0.into(),
            ticket.0.into(),
            ms(run.at).into(),
            run.generation_column().into(),
            run.cause.into(),
            run.engine.into(),
            run.common.clone().into(),
            run.revision.into(),
            Some(link).into(),
            Arg::from(hash),
        ]
    });
    let rows = rows.collect();
    tx.insert(
        "insert into runs (id, ticket, at, generation, cause, engine, common, revision, link, hash)",
        10,
        "",
        rows,
    )
    .await?;
    end.put_back(tx).await
}

impl Store {
    /// All runs of a ticket, oldest first, with their decisions in the order of their stages' names.
    pub async fn runs(&self, ticket: TicketId) -> Result<Vec<StoredRun>, Error> {
        let rows = self
            .db
            .all(
                "select r.id, r.at, r.generation, r.cause, r.engine, r.common, d.stage, d.input, d.verdict, d.rules, \
                 r.revision \
                 from runs r join decisions d on d.run = r.id where r.ticket = $1 order by r.at, r.id, d.stage",
                vec![ticket.0.into()],
            )
            .await?;
        let mut runs: Vec<StoredRun> = Vec::new();
        for row in rows {
            let id = RunId(row.uuid(0)?);
            let decision =
                StoredDecision { stage: row.text(6)?, input: row.text(7)?, verdict: row.text(8)?, rules: row.text(9)? };
            match runs.last_mut().filter(|run| run.id == id) {
                Some(run) => run.decisions.push(decision),
                None => runs.push(StoredRun {
                    id,
                    at: at("runs", "at", row.int(1)?)?,
                    generation: row.int(2)?,
                    revision: row.opt_int(10)?,
                    cause: row.text(3)?,
                    engine: row.text(4)?,
                    common: row.text(5)?,
                    decisions: vec![decision],
                }),
            }
        }
        Ok(runs)
    }
}
