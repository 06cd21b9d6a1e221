//! How far the desk has come with a person who leaves: what ends, what is still on its way, and whether nothing is left.

use jiff::Timestamp;

use crate::app::{Error, Office};
use crate::desk::access::Grant;
use crate::desk::access::provisioning::finding::Finding;
use crate::desk::access::provisioning::{Holding, Op};
use crate::desk::actor::Actor;
use crate::desk::id::{AppId, GrantId, PersonId, TicketNumber};
use crate::desk::organisation::directory::{Source, Validity};
use crate::desk::permission;

/// Requests for approval that are counted at most.
const AWAITED_MAX: usize = 200;

/// How far the desk has come with a person who leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Offboarding {
    /// Whether the directory still has them as one who is here: then nothing ends by itself.
    pub here: bool,
    /// Where the desk knows them from, and the days on which they belong to the organisation; `None` for one whom it does not know.
    pub known: Option<(Source, Validity)>,
    /// Other accounts of the same human that are here: each of them leaves by itself.
    pub accounts: Vec<PersonId>,
    /// Their requests that wait for approval.
    pub requests: Vec<TicketNumber>,
    /// Their grants that are held, or that the desk is not done with in the app.
    pub grants: Vec<Grant>,
    /// Grants of theirs whose rows are damaged: each is kept until it is put back from a backup, and keeps no other.
    pub damaged: Vec<GrantId>,
    /// All that was read back last as theirs in apps.
    pub holdings: Vec<Holding>,
    /// Access of theirs in apps that no grant gives, also where it was accepted: a person who leaves keeps none of it.
    pub findings: Vec<Finding>,
    /// The orders about them that are on their way.
    pub ops: Vec<Op>,
    /// Until when sessions of theirs may go on that are open in apps where their access has ended.
    pub sessions: Vec<(AppId, Timestamp)>,
    /// How many requests of others wait for their approval, up to 200.
    pub awaited: usize,
    /// Their unfinished tickets.
    pub tickets: i64,
}

impl Offboarding {
    /// Whether they are gone, and nothing of their access is left: read back in the apps that the desk writes to, and by the last
    /// look at those that say who has what (I14).
    pub fn is_complete(&self) -> bool {
        let no_grant = self.grants.is_empty() && self.damaged.is_empty();
        let nothing_given = no_grant && self.holdings.is_empty() && self.ops.is_empty();
        let nothing_open = self.requests.is_empty() && self.awaited == 0;
        !self.here && nothing_given && nothing_open && self.findings.is_empty()
    }
}

impl Office {
    /// How far the desk has come with a person who leaves. For agents, admins and the operator.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn offboarding(&self, actor: &Actor, person: &PersonId) -> Result<Offboarding, Error> {
        permission::read_decisions(actor)?;
        let mut ops = self.store.open_ops(person).await?;
        ops.retain(|op| op.state.is_open());
        let requests = self.store.open_requests(person).await?;
        let organisation = self.organisation();
        let known = organisation.people.get(person);
        let mut accounts = organisation.other_accounts(person);
        accounts.retain(|account| organisation.is_active(account));
        Ok(Offboarding {
            accounts,
            here: organisation.is_active(person),
            known: known.map(|person| (organisation.source_of(person), person.valid)),
            requests: requests.into_iter().map(|open| open.number).collect(),
            grants: self.store.grants_as_far_as_known(person, self.clock.now(), None).await?,
            damaged: self.store.damaged_grants(person, self.clock.now()).await?,
            holdings: self.store.holdings(person).await?,
            findings: self.store.findings_of(person).await?,
            ops,
            sessions: self.store.sessions_of(person, self.clock.now()).await?,
            awaited: self.store.awaiting(person, None, AWAITED_MAX).await?.items.len(),
            tickets: self.store.load_of(person).await?,
        })
    }
}
