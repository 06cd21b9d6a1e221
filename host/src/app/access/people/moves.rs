//! People who change their place in the organisation: all that they hold is held against the rules as they are now. What those
//! would not give any more is reviewed, and ends where no reviewer keeps it in time; or, where the configuration says so, what they
//! deny ends at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::{App, Error};
use crate::desk::access::campaign::{self, AfterMove};
use crate::desk::access::{AccessCase, Grant};
use crate::desk::actor::Actor;
use crate::desk::id::{GrantId, PersonId};
use crate::desk::organisation::Person;
use crate::desk::permission;
use crate::desk::verdict::access::{AccessVerdict, Outcome};

/// A grant that is held, against the rules as they are now.
#[derive(Debug, Clone, PartialEq)]
pub struct Reassessed {
    pub grant: Grant,
    pub standing: Standing,
    /// The rules' reason.
    pub reason: String,
}

/// The rules' word about a grant that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It would be given as it is, by the rules or by people as it was.
    Stays,
    /// Less of it would be given.
    Narrower,
    /// People would have to agree, and none has.
    NeedsApproval,
    Denied,
}

impl Standing {
    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Standing::Stays => "stays",
            Standing::Narrower => "narrower",
            Standing::NeedsApproval => "needs-approval",
            Standing::Denied => "denied",
        }
    }
}

impl App {
    /// All that a person holds, against the rules as they are now; nothing is changed. For agents and admins.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Busy`] where the rules have too much to do; where the store cannot be read.
    pub async fn reassess(self: &Arc<Self>, actor: &Actor, person: &PersonId) -> Result<Vec<Reassessed>, Error> {
        permission::read_decisions(actor)?;
        if !self.organisation().people.contains_key(person) {
            return Err(Error::Missing { what: "person", name: person.to_string() });
        }
        self.reassess_all(person).await
    }

    async fn reassess_all(self: &Arc<Self>, person: &PersonId) -> Result<Vec<Reassessed>, Error> {
        let now = self.clock.now();
        let mut found = Vec::new();
        for grant in self.store.held(person, now).await? {
            if grant.has_ended(now) {
                continue;
            }
            let Some((ticket, Some(mut case))) = self.store.ticket_and_case_by_id(grant.ticket).await? else {
                continue;
            };
            // The question is whether it would be given on, by one who holds it.
            case.request.extends = true;
            let looked = self.ask_again(&ticket, &case, person).await?;
            let Some(verdict) = looked.verdict() else { continue };
            let standing = standing(&grant, &case, verdict);
            found.push(Reassessed { grant, standing, reason: verdict.reason.clone() });
        }
        Ok(found)
    }

    /// Looks for people whose department, title or groups have changed since their access was last held against the rules, and does
    /// that; how many grants the rules would not give any more as they are.
    ///
    /// # Errors
    ///
    /// Where the rules have too much to do, or the store cannot be read or written: what was not reached is done with the next look.
    pub async fn follow_moves(self: &Arc<Self>) -> Result<usize, Error> {
        let (organisation, now) = (self.organisation(), self.clock.now());
        let known = self.store.access_places().await?;
        let holders: BTreeSet<PersonId> = self.store.all_holders(now).await?.into_iter().collect();
        let (mut moved, mut new) = (Vec::new(), Vec::new());
        for person in organisation.people.values().filter(|person| person.active) {
            let place = place(person);
            match known.get(&person.id) {
                Some(before) if *before == place => {}
                Some(_) if holders.contains(&person.id) => moved.push((person.id.clone(), place)),
                Some(_) | None => new.push((person.id.clone(), place)),
            }
        }
        self.store.keep_access_places(&new, now).await?;
        let ends = organisation.defaults.ends_on_move;
        // Where very many have moved at once, the directory may have gone wrong.
        if ends && !moved.is_empty() && !self.may_end(moved.len(), holders.len()).await? {
            return Ok(0);
        }
        let mut found = 0;
        for (person, place) in moved {
            for one in self.reassess_all(&person).await? {
                found += usize::from(self.take_up(&one, ends).await?);
            }
            self.store.keep_access_places(&[(person, place)], now).await?;
        }
        Ok(found)
    }

    /// Has a grant reviewed, or ends it, where the rules would not give it any more as it is.
    async fn take_up(&self, one: &Reassessed, ends: bool) -> Result<bool, Error> {
        let (grant, why) = (&one.grant, why(one));
        let what = match one.standing {
            Standing::Stays => return Ok(false),
            Standing::Denied if ends => AfterMove::End,
            Standing::Denied | Standing::NeedsApproval | Standing::Narrower => AfterMove::Ask,
        };
        let open = self.store.open_reviews(grant.ticket).await?;
        if what == AfterMove::Ask && open.iter().any(|item| item.grant == grant.id) {
            return Ok(true);
        }
        tracing::info!(person = %grant.subject, grant = %grant.id, standing = one.standing.code(), "a person has moved: access is looked at again");
        self.moved(grant.id, &why, what).await?;
        Ok(true)
    }

    async fn moved(&self, grant: GrantId, why: &str, what: AfterMove) -> Result<(), Error> {
        self.change_grant(grant, None, |ticket, grant, at| Ok(campaign::after_move(ticket, grant, (why, what), at)))
            .await
            .map(drop)
    }
}

/// Where a person stands, as far as rules go by it.
fn place(person: &Person) -> String {
    let mut groups: Vec<&str> = person.groups.iter().map(|group| group.as_str()).collect();
    groups.sort_unstable();
    format!("{}\n{}\n{}", person.department, person.title, groups.join(" "))
}

fn why(one: &Reassessed) -> String {
    let word = match one.standing {
        Standing::Stays => "the rules would give it as it is",
        Standing::Narrower => "the rules would give less of it now",
        Standing::NeedsApproval => "the rules would ask people first now",
        Standing::Denied => "the rules would deny it now",
    };
    let person = &one.grant.subject;
    let reason = if one.reason.is_empty() { String::new() } else { format!(": {}", one.reason) };
    format!("{person} has moved, and {word}{reason}")
}

fn standing(grant: &Grant, case: &AccessCase, verdict: &AccessVerdict) -> Standing {
    let scope = match &verdict.outcome {
        Outcome::Denied => return Standing::Denied,
        Outcome::Approved(scope) => scope,
        // People have agreed to it once, and are asked again when it is reviewed or extended.
        Outcome::Await(approval) if case.decisions.iter().any(|decision| decision.approve) => &approval.scope,
        Outcome::Await(_) => return Standing::NeedsApproval,
    };
    let less_role = grant.role.is_some() && scope.role != grant.role;
    let less = scope.tier != grant.tier || less_role || grant.groups.iter().any(|group| !scope.groups.contains(group));
    if less { Standing::Narrower } else { Standing::Stays }
}
