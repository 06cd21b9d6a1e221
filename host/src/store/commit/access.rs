//! What a change writes about access: cases, people's decisions, grants. The caller holds the ticket's row.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::Writing;
use crate::desk::access::provisioning::Op;
use crate::desk::access::{AccessCase, AccessWrite, EndReason, Grant, GrantState};
use crate::desk::id::{GrantId, OpId};
use crate::store::Error;
use crate::store::access::{ops, questions_back, reviews, scope_json, steps_json};
use crate::store::db::{Arg, Tx};
use crate::store::sql::columns::ms;
use crate::store::sql::{padded, places};

/// Writes what all changes of a transaction say, in their order. Grants that do nothing but come to an end, and the orders of that, as
/// where many end at one time, are written together.
pub(super) async fn write_all(tx: &mut Tx, writing: &[Writing<'_>]) -> Result<(), Error> {
    let mut named = Named::default();
    writing.iter().flat_map(|writing| writing.commit.change.access()).for_each(|write| named.take(write));
    let mut together = Together::default();
    for writing in writing {
        let writes = writing.commit.change.access();
        if writes.iter().all(|write| named.is_alone(write)) {
            writes.iter().for_each(|write| together.take(write));
        } else {
            write(tx, writes, writing.after.updated_at).await?;
        }
    }
    together.write(tx).await
}

/// How often the changes of a transaction write a row.
#[derive(Default)]
struct Named {
    /// By grant: where it stands, that it is taken back, and all else.
    grants: BTreeMap<GrantId, [usize; 3]>,
    ops: BTreeMap<OpId, usize>,
}

impl Named {
    fn take(&mut self, write: &AccessWrite) {
        let mut grant = |id: GrantId, added: [usize; 3]| {
            let counts = self.grants.entry(id).or_default();
            counts.iter_mut().zip(added).for_each(|(count, one)| *count += one);
        };
        match write {
            AccessWrite::Stand { grant: id, .. } => grant(*id, [1, 0, 0]),
            AccessWrite::Revoke { grant: id, .. } => grant(*id, [0, 1, 0]),
            AccessWrite::Grant(given) => grant(given.id, [0, 0, 1]),
            AccessWrite::Replace { grant: id, .. } => grant(*id, [0, 0, 1]),
            AccessWrite::Op(op) => *self.ops.entry(op.id).or_default() += 1,
            AccessWrite::Open(_)
            | AccessWrite::Update { .. }
            | AccessWrite::Hold(_)
            | AccessWrite::Drop(_)
            | AccessWrite::Review(_)
            | AccessWrite::Question(_) => {}
        }
    }

    /// Whether a write is the only one of its kind about its row, so that it does not matter when it is written.
    fn is_alone(&self, write: &AccessWrite) -> bool {
        match write {
            AccessWrite::Stand { grant, .. } | AccessWrite::Revoke { grant, .. } => self
                .grants
                .get(grant)
                .is_some_and(|[stands, revoked, other]| *stands <= 1 && *revoked <= 1 && *other == 0),
            AccessWrite::Op(op) => self.ops.get(&op.id) == Some(&1),
            AccessWrite::Open(_)
            | AccessWrite::Update { .. }
            | AccessWrite::Grant(_)
            | AccessWrite::Replace { .. }
            | AccessWrite::Hold(_)
            | AccessWrite::Drop(_)
            | AccessWrite::Review(_)
            | AccessWrite::Question(_) => false,
        }
    }
}

/// Writes that are made in one statement for all rows of a kind.
#[derive(Default)]
struct Together<'a> {
    stand: BTreeMap<(&'static str, Option<&'static str>), Vec<GrantId>>,
    /// By the instant, in milliseconds since 1970.
    revoked: BTreeMap<i64, Vec<GrantId>>,
    ops: Vec<&'a Op>,
}

impl<'a> Together<'a> {
    fn take(&mut self, write: &'a AccessWrite) {
        match write {
            AccessWrite::Stand { grant, state, reason } => {
                let key = (GrantState::code(*state), reason.map(EndReason::code));
                self.stand.entry(key).or_default().push(*grant);
            }
            AccessWrite::Revoke { grant, at } => self.revoked.entry(ms(*at)).or_default().push(*grant),
            AccessWrite::Op(op) => self.ops.push(op),
            // [`Named::is_alone`] lets none of these come here.
            AccessWrite::Open(_)
            | AccessWrite::Update { .. }
            | AccessWrite::Grant(_)
            | AccessWrite::Replace { .. }
            | AccessWrite::Hold(_)
            | AccessWrite::Drop(_)
            | AccessWrite::Review(_)
            | AccessWrite::Question(_) => {}
        }
    }

    async fn write(self, tx: &mut Tx) -> Result<(), Error> {
        for (at, grants) in self.revoked {
            revoke(tx, at, grants).await?;
        }
        for (stand, grants) in self.stand {
            stands(tx, stand, grants).await?;
        }
        ops::write(tx, &self.ops).await
    }
}

/// Writes what changed, in order.
async fn write(tx: &mut Tx, writes: &[AccessWrite], now: Timestamp) -> Result<(), Error> {
    for write in writes {
        match write {
            AccessWrite::Open(case) => open(tx, case, now).await?,
            AccessWrite::Update { case, known } => update(tx, case, *known).await?,
            AccessWrite::Grant(grant) => give(tx, grant).await?,
            AccessWrite::Revoke { grant, at } => revoke(tx, ms(*at), vec![*grant]).await?,
            AccessWrite::Stand { grant, state, reason } => {
                stands(tx, (state.code(), reason.map(EndReason::code)), vec![*grant]).await?;
            }
            AccessWrite::Op(op) => ops::write(tx, &[op]).await?,
            AccessWrite::Hold(holding) => ops::hold(tx, holding).await?,
            AccessWrite::Drop(holding) => ops::drop_holding(tx, holding).await?,
            AccessWrite::Review(item) => reviews::write(tx, item).await?,
            AccessWrite::Question(question) => questions_back::write(tx, question).await?,
            AccessWrite::Replace { grant, at } => {
                let sql = "update grants set expires_at = $1 where id = $2 and expires_at > $1";
                tx.later(sql, vec![ms(*at).into(), grant.0.into()]).await?;
            }
        }
    }
    Ok(())
}

/// Takes grants back at an instant, in milliseconds since 1970, which were not taken back before.
async fn revoke(tx: &mut Tx, at: i64, grants: Vec<GrantId>) -> Result<(), Error> {
    let grants = padded(grants);
    let among = places(1, grants.len());
    let sql = format!("update grants set revoked_at = $1 where revoked_at is null and id in ({among})");
    let ids = grants.iter().map(|grant| grant.0.into());
    tx.later(&sql, std::iter::once(Arg::from(at)).chain(ids).collect()).await
}

/// Writes where grants stand by now, and why they ended, where that is said.
async fn stands(
    tx: &mut Tx,
    (state, reason): (&'static str, Option<&'static str>),
    grants: Vec<GrantId>,
) -> Result<(), Error> {
    let grants = padded(grants);
    let among = places(2, grants.len());
    let sql = format!("update grants set state = $1, end_reason = coalesce($2, end_reason) where id in ({among})");
    let head: [Arg; 2] = [state.into(), reason.map(str::to_owned).into()];
    tx.later(&sql, head.into_iter().chain(grants.iter().map(|grant| grant.0.into())).collect()).await
}

async fn open(tx: &mut Tx, case: &AccessCase, now: Timestamp) -> Result<(), Error> {
    let request = &case.request;
    tx.later(
        "insert into access_cases (ticket, requester, submitted_by, subject, extends, app, tier, role, duration_hours, \
         justification, state, scope, steps, reason, opened_at, emergency, starts_at, own_words) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        vec![
            case.ticket.0.into(),
            case.requester.as_str().into(),
            case.submitted_by.as_str().into(),
            request.subject.as_str().into(),
            i64::from(request.extends).into(),
            request.app.as_str().into(),
            request.tier.as_str().into(),
            request.role.clone().into(),
            request.duration_hours.map(i64::from).into(),
            request.justification.as_str().into(),
            case.state.code().into(),
            scope_json(case.scope.as_ref()).to_string().into(),
            steps_json(&case.steps).to_string().into(),
            case.reason.as_str().into(),
            ms(now).into(),
            i64::from(request.emergency).into(),
            request.starts.map(ms).into(),
            case.own_words.map(|own| i64::try_from(own).unwrap_or(i64::MAX)).into(),
        ],
    )
    .await?;
    await_people(tx, case).await
}

async fn update(tx: &mut Tx, case: &AccessCase, known: usize) -> Result<(), Error> {
    let ticket = Arg::from(case.ticket.0);
    let scope = scope_json(case.scope.as_ref()).to_string();
    tx.later(
        "update access_cases set state = $1, scope = $2, steps = $3 where ticket = $4",
        vec![case.state.code().into(), scope.into(), steps_json(&case.steps).to_string().into(), ticket.clone()],
    )
    .await?;
    let decisions = case.decisions.iter().skip(known).map(|decision| {
        vec![
            ticket.clone(),
            i64::try_from(decision.step).unwrap_or(i64::MAX).into(),
            decision.approver.as_str().into(),
            i64::from(decision.approve).into(),
            decision.reason.as_str().into(),
            ms(decision.at).into(),
            Arg::from(json!(decision.in_place_of.iter().map(|one| one.as_str()).collect::<Vec<_>>()).to_string()),
        ]
    });
    let head = "insert into access_decisions (ticket, step, approver, approve, reason, at, in_place_of)";
    tx.insert_later(head, 7, "", decisions.collect()).await?;
    tx.later("delete from access_awaited where ticket = $1", vec![ticket]).await?;
    await_people(tx, case).await
}

/// Notes whom the case awaits now.
async fn await_people(tx: &mut Tx, case: &AccessCase) -> Result<(), Error> {
    let awaited = case.awaited().into_iter().map(|p| vec![p.as_str().into(), Arg::from(case.ticket.0)]);
    tx.insert_later("insert into access_awaited (person, ticket)", 2, "", awaited.collect()).await
}

async fn give(tx: &mut Tx, grant: &Grant) -> Result<(), Error> {
    tx.later(
        "insert into grants (id, ticket, subject, app, tier, role, groups, granted_at, expires_at, state) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        vec![
            grant.id.0.into(),
            grant.ticket.0.into(),
            grant.subject.as_str().into(),
            grant.app.as_str().into(),
            grant.tier.as_str().into(),
            grant.role.clone().into(),
            json!(grant.groups).to_string().into(),
            ms(grant.granted_at).into(),
            ms(grant.expires_at).into(),
            grant.state.code().into(),
        ],
    )
    .await
}
