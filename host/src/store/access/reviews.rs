//! Access reviews: campaigns, the review of each grant, and the times at which the desk stopped because too many had left.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::sign_ins::SignIn;
use super::{GRANT_COLUMNS, OF_ONE, SUPPORTS, grant};
use crate::desk::access::Grant;
use crate::desk::access::campaign::{Asks, ReviewAnswer, ReviewItem, ReviewVerdict};
use crate::desk::id::{AppId, CampaignId, GrantId, PersonId, ReviewItemId, TicketId};
use crate::store::chain::audit;
use crate::store::db::{Arg, Row, Tx, apart};
use crate::store::sql::columns::{at, corrupt, ms, parsed};
use crate::store::sql::page::Page;
use crate::store::sql::places;
use crate::store::{Error, Store};

const T: &str = "review_items";
pub(in crate::store) const COLUMNS: &str =
    "id, campaign, grant_id, ticket, asked_at, due_at, verdict, decided_by, reason, decided_at, reviewers, in_place_of";

/// A campaign of access reviews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    pub id: CampaignId,
    pub name: String,
    /// `None` for all apps.
    pub app: Option<AppId>,
    pub asks: Asks,
    pub started_by: String,
    pub started_at: Timestamp,
    pub due_at: Timestamp,
}

/// How far a campaign has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    pub open: i64,
    pub kept: i64,
    pub revoked: i64,
    pub lapsed: i64,
    pub ended: i64,
    pub unasked: i64,
}

/// A stop of the desk because too many people had left at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brake {
    pub id: Uuid,
    pub at: Timestamp,
    /// How many people were to lose their access.
    pub people: i64,
    /// When a person let the desk go on, who that was, and why.
    pub resumed: Option<(Timestamp, String, String)>,
}

/// The reviews that a list is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All of a campaign.
    Campaign(CampaignId),
    /// Those that wait for the word of one of these.
    Awaiting(Vec<PersonId>),
    /// Those of what was given in emergencies.
    Emergencies,
}

/// A review with its grant, and with the last sign-in of its holder where the app says that.
pub type Reviewed = (ReviewItem, Grant, Option<SignIn>);

impl Store {
    /// Writes one row in a task of its own, so that a request that is dropped does not cut it off; how many it changed.
    pub(in crate::store) async fn write_row(&self, sql: &'static str, args: Vec<Arg>) -> Result<u64, Error> {
        let store = self.clone();
        apart(async move { store.write(sql, args).await }).await
    }

    /// Keeps a campaign that begins, and notes it in the audit.
    pub async fn start_campaign(&self, campaign: &Campaign) -> Result<(), Error> {
        let sql = "insert into review_campaigns (id, name, app, asks, started_by, started_at, due_at) \
                   values ($1, $2, $3, $4, $5, $6, $7)";
        let args: Vec<Arg> = vec![
            campaign.id.0.into(),
            campaign.name.as_str().into(),
            campaign.app.as_ref().map(ToString::to_string).into(),
            campaign.asks.code().into(),
            campaign.started_by.as_str().into(),
            ms(campaign.started_at).into(),
            ms(campaign.due_at).into(),
        ];
        let detail = json!({ "name": campaign.name, "app": campaign.app.as_ref().map(ToString::to_string),
            "asks": campaign.asks.code(), "by": campaign.started_by, "due_at": ms(campaign.due_at) });
        let (at, about) = (campaign.started_at, campaign.id.0.to_string());
        let entry = audit::Entry { at, event: audit::CAMPAIGN, about, detail };
        self.change_entrance(sql, args, Some(entry)).await.map(drop)
    }

    /// The campaigns, newest first, at most `limit`; one where an id is given.
    pub async fn campaigns(&self, id: Option<CampaignId>, limit: usize) -> Result<Vec<(Campaign, Progress)>, Error> {
        let count =
            |condition: &str| format!("(select count(*) from review_items i where i.campaign = c.id and {condition})");
        let counts = [
            "verdict is null",
            "verdict = 'keep'",
            "verdict = 'revoke'",
            "verdict = 'lapsed'",
            "verdict = 'ended'",
            "verdict = 'unasked'",
        ];
        let counts = counts.map(count).join(", ");
        let (which, args) = match id {
            Some(id) => ("where id = $1", vec![Arg::from(id.0)]),
            None => ("", Vec::new()),
        };
        let sql = format!(
            "select id, name, app, asks, started_by, started_at, due_at, {counts} from review_campaigns c {which} \
             order by id desc limit {limit}"
        );
        let rows = self.db.all(&sql, args).await?;
        match id {
            // One that was asked for is there, however damaged.
            Some(_) => rows.iter().map(campaign).collect(),
            None => Ok(self.readable("review_campaigns", &rows, campaign)),
        }
    }

    /// The reviews of a list, in the order in which they were asked for, after one of them.
    pub async fn reviews(
        &self,
        which: &Which,
        after: Option<ReviewItemId>,
        limit: usize,
    ) -> Result<Page<Reviewed, ReviewItemId>, Error> {
        let mut args: Vec<Arg> = vec![after.map_or_else(Uuid::nil, |id| id.0).into()];
        let condition = match which {
            Which::Campaign(id) => {
                args.push(id.0.into());
                "campaign = $2".to_owned()
            }
            Which::Awaiting(people) => {
                args.extend(people.iter().map(|person| Arg::from(person.as_str())));
                let people = places(1, people.len());
                format!("verdict is null and id in (select item from review_reviewers where person in ({people}))")
            }
            Which::Emergencies => {
                args.push(Uuid::nil().into());
                "campaign = $2".to_owned()
            }
        };
        let sql =
            format!("select {COLUMNS} from review_items where id > $1 and {condition} order by id limit {}", limit + 1);
        let rows = self.db.all(&sql, args).await?;
        let page = self.readable_page(T, (&rows, limit), item, |row| row.uuid(0).map(ReviewItemId));
        let mut both = Vec::new();
        for item in page.items {
            match self.grant(item.grant).await {
                Ok(Some(grant)) => {
                    let sign_in = self.sign_in(&grant.subject, &grant.app).await?;
                    both.push((item, grant, sign_in));
                }
                Ok(None) => self.leave_out(T, &item.id, &corrupt(T, "grant_id", item.grant.to_string())),
                Err(error @ Error::Corrupt { .. }) => self.leave_out("grants", &item.grant, &error),
                Err(error) => return Err(error),
            }
        }
        Ok(Page { items: both, next: page.next })
    }

    /// One review.
    pub async fn review(&self, id: ReviewItemId) -> Result<Option<ReviewItem>, Error> {
        let sql = format!("select {COLUMNS} from review_items where id = $1");
        self.db.optional(&sql, vec![id.0.into()]).await?.as_ref().map(item).transpose()
    }

    /// Whether what a person was given of an app in an emergency is not reviewed yet.
    pub async fn emergency_open(&self, person: &PersonId, app: &AppId) -> Result<bool, Error> {
        let sql = "select 1 from review_items i join grants g on g.id = i.grant_id join access_cases c on c.ticket = i.ticket \
                   where g.subject = $1 and g.app = $2 and i.campaign = $3 and i.verdict is null and c.emergency = 1 limit 1";
        let args = vec![person.as_str().into(), app.as_str().into(), Uuid::nil().into()];
        Ok(self.db.optional(sql, args).await?.is_some())
    }

    /// All open reviews, after one of them, at most `limit`.
    pub async fn all_open_reviews(
        &self,
        after: Option<ReviewItemId>,
        limit: usize,
    ) -> Result<Page<ReviewItem, ReviewItemId>, Error> {
        let sql = format!(
            "select {COLUMNS} from review_items where verdict is null and id > $1 order by id limit {}",
            limit + 1
        );
        let rows = self.db.all(&sql, vec![after.map_or_else(Uuid::nil, |id| id.0).into()]).await?;
        Ok(self.readable_page(T, (&rows, limit), item, |row| row.uuid(0).map(ReviewItemId)))
    }

    /// The open reviews of what a ticket gave.
    pub async fn open_reviews(&self, ticket: TicketId) -> Result<Vec<ReviewItem>, Error> {
        let sql = format!("select {COLUMNS} from review_items where ticket = $1 and verdict is null order by id");
        Ok(self.readable(T, &self.db.all(&sql, vec![ticket.0.into()]).await?, item))
    }

    /// The reviews that have kept access which is held now and that one of these accounts has answered, or another in their place.
    pub async fn kept_by(&self, accounts: &[&PersonId], now: Timestamp) -> Result<Vec<ReviewItem>, Error> {
        // What was kept is found first, by indexes that have little else. What is held now may be held by more time that came since,
        // which has another grant.
        let sql = format!(
            "select {COLUMNS} from review_items where id in (select id from review_items where verdict = 'keep' \
             and decided_by in ({}) union select id from review_items where verdict = 'keep' and in_place_of <> '') \
             and exists (select 1 from grants k where k.id = review_items.grant_id and exists (select 1 from {of_one} \
             where g.subject = k.subject and g.app = k.app and g.expires_at > $1 and {SUPPORTS})) order by id",
            places(1, accounts.len()),
            of_one = OF_ONE.text(&self.db)
        );
        let args = accounts.iter().map(|account| Arg::from(account.as_str()));
        let args = std::iter::once(Arg::from(ms(now))).chain(args).collect();
        let mut kept = self.readable(T, &self.db.all(&sql, args).await?, item);
        let is_theirs = |one: &PersonId| accounts.contains(&one);
        kept.retain(|item| {
            item.answer.as_ref().is_some_and(|answer| answer.by.iter().chain(&answer.in_place_of).any(is_theirs))
        });
        Ok(kept)
    }

    /// The grants to review: those that are held and in no open review, after one of them, at most `limit`.
    pub async fn to_review(
        &self,
        app: Option<&AppId>,
        now: Timestamp,
        after: Option<GrantId>,
        limit: usize,
    ) -> Result<Page<Grant, GrantId>, Error> {
        let sql = format!(
            "select {GRANT_COLUMNS} from grants where ($1 = '' or app = $1) and expires_at > $2 and revoked_at is null \
             and state in ('active', 'provisioning') and id > $3 and not exists (select 1 from review_items i \
             where i.grant_id = grants.id and i.verdict is null) order by id limit {}",
            limit + 1
        );
        let app = app.map(AppId::as_str).unwrap_or_default();
        let after = after.map_or_else(Uuid::nil, |id| id.0);
        let rows = self.db.all(&sql, vec![app.into(), ms(now).into(), after.into()]).await?;
        Ok(self.readable_page("grants", (&rows, limit), grant, |row| row.uuid(0).map(GrantId)))
    }

    /// How many people's access the desk has ended since an instant because they had left.
    pub async fn left_since(&self, since: Timestamp) -> Result<i64, Error> {
        let sql = "select count(distinct subject) from grants where end_reason = 'left' and revoked_at >= $1";
        self.number(sql, vec![ms(since).into()]).await
    }

    /// How many people's grants have ended since an instant because an app had lost them.
    pub async fn removed_since(&self, app: &AppId, since: Timestamp) -> Result<i64, Error> {
        let sql = "select count(distinct subject) from grants where app = $1 and end_reason = 'removed-in-app' and revoked_at >= $2";
        self.number(sql, vec![app.as_str().into(), ms(since).into()]).await
    }

    /// The last time that the desk stopped because too many had left at once.
    pub async fn last_brake(&self) -> Result<Option<Brake>, Error> {
        let sql = "select id, at, people, resumed_at, resumed_by, reason from access_brakes order by id desc limit 1";
        let Some(row) = self.db.optional(sql, Vec::new()).await? else { return Ok(None) };
        let resumed = match (row.opt_int(3)?, row.opt_text(4)?, row.opt_text(5)?) {
            (Some(when), Some(by), Some(reason)) => Some((at("access_brakes", "resumed_at", when)?, by, reason)),
            _ => None,
        };
        Ok(Some(Brake { id: row.uuid(0)?, at: at("access_brakes", "at", row.int(1)?)?, people: row.int(2)?, resumed }))
    }

    /// Notes that the desk stops, in the audit as well.
    pub async fn brake(&self, id: Uuid, at: Timestamp, people: i64) -> Result<(), Error> {
        let sql = "insert into access_brakes (id, at, people) values ($1, $2, $3)";
        let entry =
            audit::Entry { at, event: audit::BRAKE, about: id.to_string(), detail: json!({ "people": people }) };
        self.change_entrance(sql, vec![id.into(), ms(at).into(), people.into()], Some(entry)).await.map(drop)
    }

    /// Notes that a person lets the desk go on, in the audit as well; whether it had stopped.
    pub async fn resume(&self, id: Uuid, at: Timestamp, by: &str, reason: &str) -> Result<bool, Error> {
        let sql = "update access_brakes set resumed_at = $1, resumed_by = $2, reason = $3 where id = $4 and resumed_at is null";
        let (about, detail) = (id.to_string(), json!({ "by": by, "reason": reason }));
        let entry = audit::Entry { at, event: audit::BRAKE_RESUMED, about, detail };
        let args = vec![ms(at).into(), by.into(), reason.into(), id.into()];
        Ok(self.change_entrance(sql, args, Some(entry)).await? == 1)
    }
}

fn campaign(row: &Row) -> Result<(Campaign, Progress), Error> {
    const T: &str = "review_campaigns";
    let asks = row.text(3)?;
    let campaign = Campaign {
        id: CampaignId(row.uuid(0)?),
        name: row.text(1)?,
        app: row.opt_text(2)?.map(|app| parsed(T, "app", &app)).transpose()?,
        asks: Asks::from_code(&asks).ok_or_else(|| corrupt(T, "asks", asks))?,
        started_by: row.text(4)?,
        started_at: at(T, "started_at", row.int(5)?)?,
        due_at: at(T, "due_at", row.int(6)?)?,
    };
    let progress = Progress {
        open: row.int(7)?,
        kept: row.int(8)?,
        revoked: row.int(9)?,
        lapsed: row.int(10)?,
        ended: row.int(11)?,
        unasked: row.int(12)?,
    };
    Ok((campaign, progress))
}

/// The people of a column, none of whose ids has a space.
fn ids(column: &'static str, text: &str) -> Result<Vec<PersonId>, Error> {
    text.split_whitespace().map(|id| parsed(T, column, id)).collect()
}

pub(in crate::store) fn item(row: &Row) -> Result<ReviewItem, Error> {
    let answer = match row.opt_text(6)? {
        None => None,
        Some(verdict) => Some(ReviewAnswer {
            verdict: ReviewVerdict::from_code(&verdict).ok_or_else(|| corrupt(T, "verdict", verdict))?,
            by: row.opt_text(7)?.map(|by| parsed(T, "decided_by", &by)).transpose()?,
            in_place_of: ids("in_place_of", &row.text(11)?)?,
            reason: row.text(8)?,
            at: at(T, "decided_at", row.opt_int(9)?.unwrap_or_default())?,
        }),
    };
    Ok(ReviewItem {
        id: ReviewItemId(row.uuid(0)?),
        campaign: Some(row.uuid(1)?).filter(|id| !id.is_nil()).map(CampaignId),
        grant: GrantId(row.uuid(2)?),
        ticket: TicketId(row.uuid(3)?),
        reviewers: ids("reviewers", &row.text(10)?)?,
        asked_at: at(T, "asked_at", row.int(4)?)?,
        due_at: at(T, "due_at", row.int(5)?)?,
        answer,
    })
}

/// Writes a review as it stands.
pub(in crate::store) async fn write(tx: &mut Tx, item: &ReviewItem) -> Result<(), Error> {
    let answer = item.answer.as_ref();
    let joined = |people: &[PersonId]| people.iter().map(PersonId::as_str).collect::<Vec<_>>().join(" ");
    let row = vec![
        item.id.0.into(),
        item.campaign.map_or_else(Uuid::nil, |campaign| campaign.0).into(),
        item.grant.0.into(),
        item.ticket.0.into(),
        ms(item.asked_at).into(),
        ms(item.due_at).into(),
        answer.map(|answer| answer.verdict.code().to_owned()).into(),
        answer.and_then(|answer| answer.by.as_ref()).map(ToString::to_string).into(),
        answer.map(|answer| answer.reason.clone()).unwrap_or_default().into(),
        answer.map(|answer| ms(answer.at)).into(),
        Arg::from(joined(&item.reviewers)),
        Arg::from(answer.map(|answer| joined(&answer.in_place_of)).unwrap_or_default()),
    ];
    let tail = "on conflict (id) do update set verdict = excluded.verdict, decided_by = excluded.decided_by, \
                reason = excluded.reason, decided_at = excluded.decided_at, reviewers = excluded.reviewers, \
                in_place_of = excluded.in_place_of";
    let head = "insert into review_items (id, campaign, grant_id, ticket, asked_at, due_at, verdict, decided_by, reason, \
                decided_at, reviewers, in_place_of)";
    tx.insert_later(head, 12, tail, vec![row]).await?;
    // Others may be asked now than before.
    tx.later("delete from review_reviewers where item = $1", vec![item.id.0.into()]).await?;
    let people = item.reviewers.iter().map(|person| vec![person.as_str().into(), Arg::from(item.id.0)]);
    tx.insert_later("insert into review_reviewers (person, item)", 2, "on conflict do nothing", people.collect()).await
}
