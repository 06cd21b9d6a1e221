//! Submissions that ask for several items or several people, with the requests that were made of them.

use jiff::Timestamp;
use uuid::Uuid;

use crate::desk::access::AccessState;
use crate::desk::id::{AppId, PersonId, TicketNumber, TierId};
use crate::store::db::Arg;
use crate::store::sql::columns::{at, corrupt, ms, parsed};
use crate::store::{Error, Store};

/// The tables keep the name that they had in the release that made them.
const T: &str = "access_bundles";

/// One submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessSubmission {
    pub id: Uuid,
    pub requester: PersonId,
    /// Of what was asked.
    pub digest: String,
    pub asked_at: Timestamp,
    pub parts: Vec<SubmissionPart>,
}

/// One item for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionPart {
    pub subject: PersonId,
    pub app: AppId,
    pub tier: TierId,
    /// `None` as long as the request is not made.
    pub ticket: Option<TicketNumber>,
    /// The reason why the rules did not take it.
    pub problem: Option<String>,
    /// Where its request stands; never written with the part.
    pub state: Option<AccessState>,
}

impl Store {
    /// Keeps a submission with its parts, none of which is made yet; one that is there already stays as it is.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn keep_submission(&self, submission: &AccessSubmission) -> Result<(), Error> {
        let head: Vec<Arg> = vec![
            submission.id.into(),
            submission.requester.as_str().into(),
            submission.digest.as_str().into(),
            ms(submission.asked_at).into(),
        ];
        let parts = submission.parts.iter().zip(0_i64..).map(|(part, number)| {
            vec![
                submission.id.into(),
                number.into(),
                part.subject.as_str().into(),
                part.app.as_str().into(),
                Arg::from(part.tier.as_str()),
            ]
        });
        let parts: Vec<Vec<Arg>> = parts.collect();
        let written = self.db.durably(async |mut tx| {
            let sql = "insert into access_bundles (id, requester, digest, asked_at)";
            tx.insert(sql, 4, "on conflict (id) do nothing", vec![head.clone()]).await?;
            let sql = "insert into access_bundle_parts (bundle, part, subject, app, tier)";
            tx.insert(sql, 5, "on conflict (bundle, part) do nothing", parts.clone()).await?;
            Ok(((), tx))
        });
        written.await
    }

    /// Notes what became of one part.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn settle_part(
        &self,
        (submission, part): (Uuid, usize),
        outcome: Result<TicketNumber, &str>,
    ) -> Result<(), Error> {
        let (ticket, problem) = match outcome {
            Ok(ticket) => (Some(ticket.0), None),
            Err(problem) => (None, Some(problem.to_owned())),
        };
        let number = i64::try_from(part).unwrap_or(i64::MAX);
        let args: Vec<Arg> = vec![ticket.into(), problem.into(), submission.into(), number.into()];
        let sql = "update access_bundle_parts set ticket = $1, problem = $2 where bundle = $3 and part = $4";
        self.write(sql, args).await.map(drop)
    }

    /// One submission, with where each of its requests stands.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn submission(&self, id: Uuid) -> Result<Option<AccessSubmission>, Error> {
        let sql = "select requester, digest, asked_at from access_bundles where id = $1";
        let Some(head) = self.db.optional(sql, vec![id.into()]).await? else { return Ok(None) };
        let sql = "select p.subject, p.app, p.tier, p.ticket, p.problem, c.state from access_bundle_parts p \
                   left join tickets t on t.number = p.ticket left join access_cases c on c.ticket = t.id \
                   where p.bundle = $1 order by p.part";
        let rows = self.db.all(sql, vec![id.into()]).await?;
        let part = |row: &crate::store::db::Row| {
            let state = row.opt_text(5)?;
            Ok(SubmissionPart {
                subject: parsed(T, "subject", &row.text(0)?)?,
                app: parsed(T, "app", &row.text(1)?)?,
                tier: parsed(T, "tier", &row.text(2)?)?,
                ticket: row.opt_int(3)?.map(TicketNumber),
                problem: row.opt_text(4)?,
                state: state
                    .map(|code| AccessState::from_code(&code).ok_or_else(|| corrupt(T, "state", code)))
                    .transpose()?,
            })
        };
        Ok(Some(AccessSubmission {
            id,
            requester: parsed(T, "requester", &head.text(0)?)?,
            digest: head.text(1)?,
            asked_at: at(T, "asked_at", head.int(2)?)?,
            parts: rows.iter().map(part).collect::<Result<_, Error>>()?,
        }))
    }
}
