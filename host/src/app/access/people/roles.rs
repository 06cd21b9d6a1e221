//! The question of an audit about a role: all that a person could do who has it, how it is come by, and who has it now. A role is
//! a part at the desk, or a tier of an app with one of its roles.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::{App, Error};
use crate::desk::access::provisioning::Entitlement;
use crate::desk::actor::{Actor, Role};
use crate::desk::id::{AppId, GrantId, PersonId, TierId};
use crate::desk::organisation::{self, Organisation, Tier};
use crate::desk::permission::{self, Act};
use crate::store::access::questions::{About, Evidence};

/// The most who have a role that are named.
const HOLDERS_MAX: usize = 1_000;
/// Tokens, and accounts, that are looked through for a role.
const LOOKED_AT_MAX: i64 = 10_000;
/// Grants that are read at a time, and how often: an app that has more says that not all are named.
const PAGE: usize = 500;
const PAGES_MAX: usize = 40;

/// A part at the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleOfDesk {
    pub role: Role,
    /// Each act of the table of permissions that it has, with the word for the condition.
    pub may: Vec<(Act, &'static str)>,
    /// The groups whose members have it when they sign in by the identity provider, also those whom only the provider knows to be
    /// in them; `*` is everyone.
    pub groups: Vec<String>,
    /// Those who are here and have it, with how they come by it: `token`, `password`, or `sign-in` where the organisation has them
    /// in such a group.
    pub holders: BTreeMap<PersonId, BTreeSet<&'static str>>,
    /// Whether all of them are named.
    pub complete: bool,
}

/// A tier of an app, with one of its roles where one was asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleInApp {
    pub app: AppId,
    pub tier: TierId,
    pub role: Option<String>,
    /// `None` where the catalog has it no more: then it cannot be asked for, and only the grants say what it gives.
    pub catalog: Option<CatalogRole>,
    /// The grants by which it is held now, with who asked, what the policy said, and who approved.
    pub holders: Vec<Evidence>,
    /// Whether all of them are named.
    pub complete: bool,
}

/// All that the catalog and the rules say of a tier that may be asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogRole {
    pub app: organisation::App,
    pub tier: Tier,
    /// By what the desk writes to the app: the word of the connector's kind; `None` where it only keeps who may have it.
    pub connector: Option<&'static str>,
    /// All that it gives in the app.
    pub gives: Vec<Entitlement>,
    /// How many may ask for it today.
    pub may_ask: usize,
    /// The live rules that decide about access, with their versions, in the order in which they are asked.
    pub rules: Vec<(String, String)>,
    /// Those who are asked where no rule names approvers.
    pub approvers: Vec<PersonId>,
    /// The names of all that keeps it from being held with something else.
    pub incompatible: Vec<String>,
}

impl RoleInApp {
    /// All that it gives in the app: as the catalog says, else as those hold it who asked when the catalog had it.
    pub fn gives(&self) -> Vec<Entitlement> {
        if let Some(catalog) = &self.catalog {
            return catalog.gives.clone();
        }
        // A tier that stays by default is not the one that its grant had given.
        let held = self.holders.iter().filter(|found| found.stays.is_none());
        let given: BTreeSet<Entitlement> = held.flat_map(|found| found.grant.entitlements()).collect();
        given.into_iter().collect()
    }
}

impl App {
    /// All that a part at the desk lets a person do, and who has it. For agents, admins and the operator.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn role_of_desk(&self, actor: &Actor, role: Role) -> Result<RoleOfDesk, Error> {
        permission::read_decisions(actor)?;
        let tokens = self.store.tokens_in_force(None, self.clock.now(), LOOKED_AT_MAX).await?;
        let accounts = self.store.roles_of_accounts(LOOKED_AT_MAX).await?;
        let looked_at = usize::try_from(LOOKED_AT_MAX).unwrap_or(usize::MAX);
        let complete = tokens.len() < looked_at && accounts.len() < looked_at;
        let mut holders: BTreeMap<PersonId, BTreeSet<&'static str>> = BTreeMap::new();
        let known = self.well_known_with(role).into_iter().map(|person| (person, "token"));
        let by_token =
            tokens.into_iter().filter(|token| token.roles.contains(&role)).map(|token| (token.person, "token"));
        let by_password =
            accounts.into_iter().filter(|(_, roles)| roles.contains(&role)).map(|(one, _)| (one, "password"));
        let (organisation, groups) = (self.organisation(), self.groups_with(role));
        let is_in = |person: &&organisation::Person| {
            person.groups.iter().any(|own| groups.iter().any(|one| own.as_str() == one))
        };
        let by_group = organisation.people.values().filter(is_in).map(|person| (person.id.clone(), "sign-in"));
        // One who has left is refused with any token.
        let here = |person: &PersonId| organisation.people.get(person).is_none_or(|person| person.active);
        for (person, by) in known.chain(by_token).chain(by_password).chain(by_group).filter(|(person, _)| here(person))
        {
            holders.entry(person).or_default().insert(by);
        }
        let complete = complete && holders.len() <= HOLDERS_MAX;
        let holders = holders.into_iter().take(HOLDERS_MAX).collect();
        Ok(RoleOfDesk { role, may: permission::rows_of(role).collect(), groups, holders, complete })
    }

    /// All that a tier of an app gives, with a role where one is named, how it is come by, and who has it. For agents, admins and
    /// the operator; for those who answer for the app.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Missing`] where the catalog has no such app, tier or role, and no one holds it from the time when it
    /// had; where the store cannot be read.
    pub async fn role_in_app(
        &self,
        actor: &Actor,
        (app, tier): (&AppId, &TierId),
        role: Option<&str>,
    ) -> Result<RoleInApp, Error> {
        let organisation = self.organisation();
        let (holders, complete) = self.holders_of_role(actor, (app, tier), role).await?;
        let missing = |what, name: &str| Error::Missing { what, name: name.to_owned() };
        let known = organisation.apps.get(app);
        let known_tier = known.and_then(|found| found.tier(tier.as_str())).map(|(_, found)| found);
        let has_role = |found: &Tier| role.is_none_or(|role| found.roles.iter().any(|one| one == role));
        let in_catalog = known.zip(known_tier).filter(|&(_, found)| has_role(found));
        if in_catalog.is_none() && holders.is_empty() && complete {
            return Err(match (known, known_tier) {
                (None, _) => missing("app", app.as_str()),
                (Some(_), None) => missing("tier", tier.as_str()),
                (Some(_), Some(_)) => missing("role", role.unwrap_or_default()),
            });
        }
        Ok(RoleInApp {
            catalog: in_catalog.map(|found| self.catalog_role(&organisation, found, role)),
            app: app.clone(),
            tier: tier.clone(),
            role: role.map(str::to_owned),
            holders,
            complete,
        })
    }

    /// All that the catalog and the live rules say of a tier, with a role.
    fn catalog_role(
        &self,
        organisation: &Organisation,
        (app, tier): (&organisation::App, &Tier),
        role: Option<&str>,
    ) -> CatalogRole {
        let may_ask = |person: &&organisation::Person| person.active && organisation.may_request(&person.id, app);
        let rules = self.rules.generation();
        let rules = rules.for_access().map(|rule| (rule.manifest.name.to_string(), rule.manifest.version.clone()));
        CatalogRole {
            connector: organisation.connector_of(&app.id).map(|connector| connector.kind.code()),
            gives: given(tier, role),
            may_ask: organisation.people.values().filter(may_ask).count(),
            rules: rules.collect(),
            approvers: organisation.defaults.access_approvers.clone(),
            incompatible: kept_apart(organisation, app, tier),
            app: app.clone(),
            tier: tier.clone(),
        }
    }

    /// The grants by which a tier is held now, and whether these are all.
    async fn holders_of_role(
        &self,
        actor: &Actor,
        (app, tier): (&AppId, &TierId),
        role: Option<&str>,
    ) -> Result<(Vec<Evidence>, bool), Error> {
        let (about, now) = (About::App(app.clone()), self.clock.now());
        let is_of = |found: &Evidence| {
            let has = |role: &str| found.stays.is_none() && found.grant.role.as_deref() == Some(role);
            found.tier() == tier && role.is_none_or(has)
        };
        let (mut holders, mut after): (Vec<Evidence>, Option<GrantId>) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let page = self.who_holds(actor, &about, now, after, PAGE).await?;
            holders.extend(page.items.into_iter().filter(is_of));
            after = page.next;
            if after.is_none() || holders.len() > HOLDERS_MAX {
                break;
            }
        }
        let complete = after.is_none() && holders.len() <= HOLDERS_MAX;
        holders.truncate(HOLDERS_MAX);
        Ok((holders, complete))
    }
}

/// All that a tier gives in its app, with a role.
fn given(tier: &Tier, role: Option<&str>) -> Vec<Entitlement> {
    let mut all = vec![Entitlement::Account, Entitlement::Tier(tier.id.clone())];
    all.extend(role.map(|role| Entitlement::Role(role.to_owned())));
    all.extend(tier.groups.iter().map(|group| Entitlement::Group(group.to_string())));
    all
}

/// The names of the pairs of access that may not be held together and of which it is one half.
fn kept_apart(organisation: &Organisation, app: &organisation::App, tier: &Tier) -> Vec<String> {
    let pairs = organisation.incompatible.iter();
    let with_it = pairs.filter(|pair| pair.one.iter().chain(&pair.other).any(|item| item.is(&app.id, &tier.id)));
    with_it.map(|pair| pair.name.clone()).collect()
}
