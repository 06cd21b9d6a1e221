//! Access that apps have and no grant gives, as it was found there.

use serde_json::json;
use uuid::Uuid;

use crate::desk::access::provisioning::Entitlement;
use crate::desk::access::provisioning::finding::{Finding, FindingEnd, FindingVerdict};
use crate::desk::id::{AppId, FindingId, GrantId, PersonId};
use crate::store::chain::audit;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{at, corrupt, ms, parsed};
use crate::store::{Error, Store};

const T: &str = "access_findings";
/// The findings about one person that are listed.
const OF_PERSON_MAX: usize = 1_000;
const COLUMNS: &str =
    "id, app, entitlement, account, person, grant_id, found_at, seen_at, verdict, settled_by, reason, settled_at";

impl Store {
    /// The findings about an app, or all of them, that are open or were accepted; oldest first.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn standing_findings(&self, app: Option<&AppId>, limit: usize) -> Result<Vec<Finding>, Error> {
        let sql = format!(
            "select {COLUMNS} from access_findings where ($1 = '' or app = $1) and (verdict is null or verdict = 'accepted') \
             order by id limit {limit}"
        );
        let app = app.map(AppId::as_str).unwrap_or_default();
        Ok(self.readable(T, &self.db.all(&sql, vec![app.into()]).await?, finding))
    }

    /// The findings about a person that are open or were accepted, oldest first.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn findings_of(&self, person: &PersonId) -> Result<Vec<Finding>, Error> {
        let sql = format!(
            "select {COLUMNS} from access_findings where person = $1 and (verdict is null or verdict = 'accepted') \
             order by id limit {OF_PERSON_MAX}"
        );
        Ok(self.readable(T, &self.db.all(&sql, vec![person.as_str().into()]).await?, finding))
    }

    /// One finding.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn finding(&self, id: FindingId) -> Result<Option<Finding>, Error> {
        let sql = format!("select {COLUMNS} from access_findings where id = $1");
        self.db.optional(&sql, vec![id.0.into()]).await?.as_ref().map(finding).transpose()
    }

    /// The last grant by which the desk has taken something away from a person in an app; `None` where it never did.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn taken_away_for(
        &self,
        person: &PersonId,
        app: &AppId,
        entitlement: &Entitlement,
    ) -> Result<Option<GrantId>, Error> {
        let sql = "select grant_id from access_ops where subject = $1 and app = $2 and entitlement = $3 \
                   and direction = 'revoke' and state = 'verified' order by generation desc limit 1";
        let args = vec![person.as_str().into(), app.as_str().into(), entitlement.to_string().into()];
        self.db.optional(sql, args).await?.map(|row| row.uuid(0).map(GrantId)).transpose()
    }

    /// Writes a finding as it stands.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn keep_finding(&self, finding: &Finding) -> Result<(), Error> {
        self.write_row(KEEP, values(finding)).await.map(drop)
    }

    /// Writes a finding as it was settled, and notes that in the audit: who has let access stay is in the chain.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn settle_finding(&self, finding: &Finding, end: &FindingEnd) -> Result<(), Error> {
        let settled = Finding { end: Some(end.clone()), ..finding.clone() };
        let detail = json!({ "app": finding.app.as_str(), "entitlement": finding.entitlement.to_string(),
            "account": finding.account, "person": finding.person.as_ref().map(ToString::to_string),
            "grant": finding.grant.map(|grant| grant.to_string()), "verdict": end.verdict.code(),
            "by": end.by.as_ref().map(ToString::to_string), "reason": end.reason });
        let entry = audit::Entry { at: end.at, event: audit::FINDING, about: finding.id.to_string(), detail };
        self.change_entrance(KEEP, values(&settled), Some(entry)).await.map(drop)
    }
}

/// A finding takes the place of the same one as it stood before.
const KEEP: &str = "insert into access_findings (id, app, entitlement, account, person, grant_id, found_at, seen_at, verdict, \
                    settled_by, reason, settled_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
                    on conflict (id) do update set person = excluded.person, grant_id = excluded.grant_id, \
                    seen_at = excluded.seen_at, verdict = excluded.verdict, settled_by = excluded.settled_by, \
                    reason = excluded.reason, settled_at = excluded.settled_at";

fn values(finding: &Finding) -> Vec<Arg> {
    let end = finding.end.as_ref();
    vec![
        finding.id.0.into(),
        finding.app.as_str().into(),
        finding.entitlement.to_string().into(),
        finding.account.as_str().into(),
        finding.person.as_ref().map(ToString::to_string).into(),
        finding.grant.map_or_else(Uuid::nil, |grant| grant.0).into(),
        ms(finding.found_at).into(),
        ms(finding.seen_at).into(),
        end.map(|end| end.verdict.code().to_owned()).into(),
        end.and_then(|end| end.by.as_ref()).map(ToString::to_string).into(),
        end.map(|end| end.reason.clone()).unwrap_or_default().into(),
        Arg::from(end.map(|end| ms(end.at))),
    ]
}

fn finding(row: &Row) -> Result<Finding, Error> {
    let entitlement = row.text(2)?;
    let end = match row.opt_text(8)? {
        None => None,
        Some(verdict) => Some(FindingEnd {
            verdict: FindingVerdict::from_code(&verdict).ok_or_else(|| corrupt(T, "verdict", verdict))?,
            by: row.opt_text(9)?.map(|by| parsed(T, "settled_by", &by)).transpose()?,
            reason: row.text(10)?,
            at: at(T, "settled_at", row.opt_int(11)?.unwrap_or_default())?,
        }),
    };
    Ok(Finding {
        id: FindingId(row.uuid(0)?),
        app: parsed(T, "app", &row.text(1)?)?,
        entitlement: entitlement.parse().map_err(|_| corrupt(T, "entitlement", entitlement.clone()))?,
        account: row.text(3)?,
        person: row.opt_text(4)?.map(|person| parsed(T, "person", &person)).transpose()?,
        grant: Some(row.uuid(5)?).filter(|id| !id.is_nil()).map(GrantId),
        found_at: at(T, "found_at", row.int(6)?)?,
        seen_at: at(T, "seen_at", row.int(7)?)?,
        end,
    })
}
