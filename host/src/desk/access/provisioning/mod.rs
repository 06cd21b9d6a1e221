//! Provisioning: a grant on the ledger becomes access in the app, and its end becomes absence there.
//!
//! A grant gives entitlements. What a person is to hold in an app is the union of those of all their grants that are not over,
//! so that two grants give one entitlement, and the end of one of them takes nothing that the other still gives. The
//! difference between that and what the person holds becomes orders ([`Op`]), at most one at a time for each entitlement;
//! they are written in the same change as the grant or its end ([`plan`]), sent by a job, and settled by what is read back in
//! the app ([`progress`]).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::{EndReason, Grant, GrantState};
use crate::desk::id::{AppId, GrantId, OpId, PersonId, TicketId, TierId};
use crate::desk::organisation::App;

pub mod finding;
pub mod plan;
pub mod progress;

/// Something that a person can hold in an app. In the order in which they are given; they are taken away the other way round.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entitlement {
    /// An account that may sign in.
    Account,
    /// A licence tier.
    Tier(TierId),
    Role(String),
    Group(String),
}

impl fmt::Display for Entitlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entitlement::Account => f.write_str("account"),
            Entitlement::Tier(tier) => write!(f, "tier:{tier}"),
            Entitlement::Role(role) => write!(f, "role:{role}"),
            Entitlement::Group(group) => write!(f, "group:{group}"),
        }
    }
}

impl Entitlement {
    /// The licence tier that it is; `None` where it is none.
    pub fn tier(&self) -> Option<&TierId> {
        match self {
            Entitlement::Tier(tier) => Some(tier),
            Entitlement::Account | Entitlement::Role(_) | Entitlement::Group(_) => None,
        }
    }

    /// All that any grant can give in some apps, but for the account.
    pub fn of_apps<'a>(apps: impl IntoIterator<Item = &'a App>) -> Vec<Entitlement> {
        let mut all = Vec::new();
        for tier in apps.into_iter().flat_map(|app| &app.tiers) {
            all.push(Entitlement::Tier(tier.id.clone()));
            all.extend(tier.roles.iter().cloned().map(Entitlement::Role));
            all.extend(tier.groups.iter().map(|group| Entitlement::Group(group.to_string())));
        }
        all.sort();
        all.dedup();
        all
    }
}

/// A text that names no entitlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entitlement is `account`, `tier:ID`, `role:NAME` or `group:NAME`")]
pub struct NoEntitlement;

impl FromStr for Entitlement {
    type Err = NoEntitlement;

    fn from_str(text: &str) -> Result<Self, NoEntitlement> {
        match text.split_once(':') {
            None if text == "account" => Ok(Entitlement::Account),
            Some(("tier", id)) => id.parse().map(Entitlement::Tier).map_err(|_| NoEntitlement),
            Some(("role", name)) if !name.is_empty() => Ok(Entitlement::Role(name.to_owned())),
            Some(("group", name)) if !name.is_empty() => Ok(Entitlement::Group(name.to_owned())),
            _ => Err(NoEntitlement),
        }
    }
}

impl Grant {
    /// All that it gives in the app.
    pub fn entitlements(&self) -> Vec<Entitlement> {
        let mut all = vec![Entitlement::Account, Entitlement::Tier(self.tier.clone())];
        all.extend(self.role.clone().map(Entitlement::Role));
        all.extend(self.groups.iter().cloned().map(Entitlement::Group));
        all
    }
}

/// Something that a person holds in an app, as it was read back there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    pub subject: PersonId,
    pub app: AppId,
    pub entitlement: Entitlement,
    /// Whether it was there before any grant gave it: then the end of a grant leaves it there.
    pub preexisting: bool,
    /// The grant for which it was given or found first.
    pub grant: GrantId,
    pub ticket: TicketId,
    pub since: Timestamp,
}

/// The person whom an order is about, as apps know people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: PersonId,
    /// Empty where the directory has none.
    pub name: String,
    /// Empty where the directory has none.
    pub email: String,
    /// Other names by which the app was asked for them before, and which no other person has now.
    pub former: Vec<String>,
    /// Whether another person has such a name now: who is found by it may be that one.
    pub another_has: bool,
    /// Other people whose address the directory has as the same, also those who have left.
    pub same_address: Vec<PersonId>,
}

impl Account {
    /// Whether the desk knows no more of the person than the id, because the directory has them no more.
    pub fn is_unknown(&self) -> bool {
        self.name.is_empty() && self.email.is_empty()
    }
}

/// The effect that an order has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The entitlement is there afterwards.
    Grant,
    /// It is gone afterwards.
    Revoke,
    /// It is there afterwards, and the tier that it replaces is gone.
    Replace,
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpState {
    /// Nothing was sent yet, or all that was sent has had no effect.
    Planned,
    /// It is being sent: this is written before anything leaves the desk.
    Sent,
    /// It was sent, and what came of it is not known: the app is asked before it is sent again.
    Unknown,
    /// The app has accepted it; it was not read back yet.
    Applied,
    /// The app said that it wants to be asked later, or a person has to do it.
    Waiting,
    /// It was read back as it is to be.
    Verified,
    /// The app refused it for good.
    Rejected,
    /// It was not sent, and is not wanted any more.
    Superseded,
}

/// One effect in an app: an order that lives until it is verified, refused or not wanted any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    pub id: OpId,
    /// The ticket and the grant for which it is done.
    pub ticket: TicketId,
    pub grant: GrantId,
    pub subject: PersonId,
    pub app: AppId,
    pub entitlement: Entitlement,
    pub direction: Direction,
    /// The tier that a replacement takes away.
    pub replaces: Option<TierId>,
    /// Counts up for each entitlement of a person in an app.
    pub generation: u32,
    pub state: OpState,
    /// How often it was sent; what comes back is taken only for the last time.
    pub attempt: u32,
    /// The job leaves it alone before this time.
    pub not_before: Timestamp,
    /// The last words about it: what was sent, and what came back, without secrets.
    pub said: String,
    pub planned_at: Timestamp,
    pub changed_at: Timestamp,
}

codes! { Direction { Grant => "grant", Revoke => "revoke", Replace => "replace" } }

codes! {
    OpState {
        Planned => "planned",
        Sent => "sent",
        Unknown => "unknown",
        Applied => "applied",
        Waiting => "waiting",
        Verified => "verified",
        Rejected => "rejected",
        Superseded => "superseded",
    }
}

impl OpState {
    /// Whether it is still on its way.
    pub const fn is_open(self) -> bool {
        !matches!(self, OpState::Verified | OpState::Rejected | OpState::Superseded)
    }
}

impl Op {
    /// Whether nothing of it was ever sent.
    pub fn is_unsent(&self) -> bool {
        self.attempt == 0
    }

    /// Whether it is about this person in this app.
    pub fn is_about(&self, (subject, app): (&PersonId, &AppId)) -> bool {
        self.subject == *subject && self.app == *app
    }
}

/// All that is known of a person's access while a change of it is made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Books {
    pub grants: Vec<Grant>,
    pub holdings: Vec<Holding>,
    /// Those that are open, and those that are settled by the change under way.
    pub ops: Vec<Op>,
}

impl Books {
    /// The same, with this grant among them.
    #[must_use]
    pub fn with(mut self, grant: &Grant) -> Books {
        if !self.grants.iter().any(|held| held.id == grant.id) {
            self.grants.push(grant.clone());
        }
        self
    }

    /// Notes where a grant stands, and why it ends where it does.
    pub fn stands(&mut self, grant: GrantId, state: GrantState, reason: Option<EndReason>) {
        for held in self.grants.iter_mut().filter(|held| held.id == grant) {
            held.state = state;
            held.end_reason = reason.or(held.end_reason);
        }
    }

    /// Whether the person holds anything in the app, or is to.
    pub fn has_anything(&self, (subject, app): (&PersonId, &AppId)) -> bool {
        self.holdings.iter().any(|holding| holding.subject == *subject && holding.app == *app)
            || self.ops.iter().any(|op| op.is_about((subject, app)) && op.state.is_open())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for state in OpState::ALL {
            assert_eq!(OpState::from_code(state.code()), Some(state));
        }
        for direction in Direction::ALL {
            assert_eq!(Direction::from_code(direction.code()), Some(direction));
        }
        for text in ["account", "tier:pro", "role:Editor of all", "group:crm:pro"] {
            assert_eq!(text.parse::<Entitlement>().map(|e| e.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "tier:", "role:", "group:", "seat", "tier:no id!"] {
            assert_eq!(text.parse::<Entitlement>(), Err(NoEntitlement), "{text}");
        }
    }
}
