//! The things that a change of the configuration touches: open tickets, promises, rules.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::app::{Error, Office};
use crate::config::{self, Config, Webhook};
use crate::desk::organisation::difference::{Difference, Noun, OF_THE_DESK, Way, compare, differences};
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::organisation::{App, Organisation};
use crate::rules::live::catalog::Generation;
use crate::rules::run::manifest::Manifest;
use crate::store::jobs::webhooks::ComeAndGo;
use crate::store::people::configuration::OpenBy;

/// One difference, with what it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    pub difference: Difference,
    /// Tickets on which work is owed that have it.
    pub open_tickets: i64,
    /// Whether what is promised about them follows the change.
    pub promises_move: bool,
    /// Rules that name it.
    pub rules: Vec<String>,
    /// Of an app whose `default-tier` is new: the people who are here and for whom it orders nothing, because their last grant has ended
    /// before.
    pub out_before_default: usize,
    /// Of a webhook that is there already: how many deliveries wait for it, counted up to
    /// [`WAITING_MAX`](crate::app::jobs::webhooks::WAITING_MAX). They go where it says then, and nowhere where it is gone.
    pub waiting_deliveries: Option<i64>,
    /// Of a connector: the apps that are written to by it, before or afterwards.
    pub apps: Vec<String>,
}

impl Touched {
    /// Why it cannot be: a thing that open tickets have does not go. Tags do: the tickets keep them.
    pub(super) fn orphans(&self) -> Option<Problem> {
        let Difference { noun, id, way } = &self.difference;
        // A calendar goes only where nothing goes by it any more: the configuration is refused otherwise.
        if *way != Way::Removed || self.open_tickets == 0 || matches!(noun, Noun::Calendar | Noun::Tag) {
            return None;
        }
        let fault = match noun {
            Noun::Person => Fault::OrphanPerson,
            Noun::RequestType => Fault::OrphanRequestType,
            Noun::Team => Fault::OrphanTeam,
            Noun::Category => Fault::OrphanCategory,
            Noun::Priority => Fault::OrphanPriority,
            _ => Fault::OrphanOf,
        };
        Some(Problem::of("content", "in-use", fault, &[&self.open_tickets, id, &noun.code()]))
    }
}

/// A live rule, with the texts that stand in its settings.
struct Naming<'g> {
    manifest: &'g Manifest,
    texts: BTreeSet<String>,
}

/// The live rules, each read once.
fn naming(generation: Option<&Generation>) -> Vec<Naming<'_>> {
    let rules = generation.into_iter().flat_map(|generation| generation.rules());
    let read = rules.map(|rule| {
        let mut texts = BTreeSet::new();
        // A rule whose settings were not right would not be live.
        if let Ok(settings) = serde_json::from_str(&rule.manifest.settings) {
            texts_of(&settings, &mut texts);
        }
        Naming { manifest: &rule.manifest, texts }
    });
    read.collect()
}

fn texts_of(settings: &Value, found: &mut BTreeSet<String>) {
    match settings {
        Value::String(text) => _ = found.insert(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts_of(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts_of(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The rules that name a thing: where it says what they are asked about, or anywhere in their settings.
fn named_by(rules: &[Naming<'_>], difference: &Difference) -> Vec<String> {
    let is_in = |list: &[String]| list.contains(&difference.id);
    let matched = |rule: &Naming<'_>| match difference.noun {
        Noun::Category => is_in(&rule.manifest.matches.categories),
        Noun::RequestType => is_in(&rule.manifest.matches.request_types),
        _ => false,
    };
    // The words for levels are words of every day, and stand in settings for other reasons.
    let may_be_set = matches!(
        difference.noun,
        Noun::Category | Noun::RequestType | Noun::Team | Noun::Person | Noun::App | Noun::Tag
    );
    let naming = rules.iter().filter(|rule| matched(rule) || (may_be_set && rule.texts.contains(&difference.id)));
    let found: BTreeSet<String> = naming.map(|rule| rule.manifest.name.to_string()).collect();
    found.into_iter().collect()
}

/// Whether a difference is one of what is promised about tickets.
fn moves_promises(before: &Organisation, after: &Organisation, Difference { noun, id, way }: &Difference) -> bool {
    let team =
        |of: &Organisation| of.teams.get(id.as_str()).map(|team| (team.resolution_minutes, team.calendar.clone()));
    let form = |of: &Organisation| {
        let closing = &of.request_types.get(id.as_str())?.closing;
        Some((closing.confirm_minutes, closing.answer_minutes))
    };
    let level = |of: &Organisation| {
        let level = of.priorities.iter().find(|level| level.id.as_str() == id)?;
        let minutes = (level.first_response_minutes, level.resolution_minutes, level.update_minutes);
        Some((minutes, level.calendar.clone()))
    };
    let category = |of: &Organisation| of.categories.get(id.as_str()).map(|category| category.promises.clone());
    match noun {
        Noun::Category => category(before).zip(category(after)).is_some_and(|(before, after)| before != after),
        Noun::Team => team(before).zip(team(after)).is_some_and(|(before, after)| before != after),
        Noun::RequestType => form(before).zip(form(after)).is_some_and(|(before, after)| before != after),
        Noun::Priority => level(before).zip(level(after)).is_some_and(|(before, after)| before != after),
        Noun::Calendar => *way == Way::Changed,
        Noun::Promises => before.watch != after.watch,
        _ => false,
    }
}

/// The apps that are written to by a connector, by one organisation or the other.
fn written_to(before: &Organisation, after: &Organisation, Difference { noun, id, .. }: &Difference) -> Vec<String> {
    let apps = before.apps.values().chain(after.apps.values());
    let by_it = |app: &&App| app.connector.as_ref().is_some_and(|connector| connector.as_str() == id);
    let found: BTreeSet<String> = match noun {
        Noun::Connector => apps.filter(by_it).map(|app| app.id.to_string()).collect(),
        _ => BTreeSet::new(),
    };
    found.into_iter().collect()
}

/// The endpoints of webhooks that come and go with these differences.
pub(super) fn come_and_go(touched: &[Touched]) -> ComeAndGo {
    let ids = |way: Way| {
        let differences = touched.iter().map(|touched| &touched.difference);
        let these = differences.filter(|difference| difference.noun == Noun::Webhook && difference.way == way);
        these.map(|difference| difference.id.clone()).collect()
    };
    ComeAndGo { begun: ids(Way::Added), ended: ids(Way::Removed) }
}

/// The endpoints of webhooks, by their ids.
fn webhooks(config: &Config) -> BTreeMap<&str, &Webhook> {
    config.outgoing.webhooks.iter().map(|webhook| (webhook.id.as_str(), webhook)).collect()
}

impl Office {
    /// All that differs between two configurations, with what each difference touches.
    pub(super) async fn touched(
        &self,
        before: &Config,
        after: &Config,
        generation: Option<&Generation>,
    ) -> Result<Vec<Touched>, Error> {
        let mut differences = differences(&before.organisation, &after.organisation);
        let (own_before, own_after) = (config::own_templates(&before.files), config::own_templates(&after.files));
        compare(Noun::Template, &own_before, &own_after, &mut differences);
        compare(Noun::Webhook, &webhooks(before), &webhooks(after), &mut differences);
        let waiting = self.waiting_deliveries(&differences).await?;
        let (before, after) = (&before.organisation, &after.organisation);
        let mut counts: BTreeMap<Noun, BTreeMap<String, i64>> = BTreeMap::new();
        let nouns: BTreeSet<Noun> = differences.iter().map(|difference| difference.noun).collect();
        for noun in nouns {
            counts.insert(noun, self.open_tickets_with(noun, before).await?);
        }
        let mut out = self.out_before_default(before, after).await?;
        let rules = naming(generation);
        let mut out_of = |Difference { noun, id, .. }: &Difference| match noun {
            Noun::App => out.remove(id).unwrap_or(0),
            _ => 0,
        };
        let touched = |difference: Difference| Touched {
            out_before_default: out_of(&difference),
            waiting_deliveries: waiting.get(&difference.id).copied().filter(|_| difference.noun == Noun::Webhook),
            open_tickets: counts
                .get(&difference.noun)
                .and_then(|by_id| by_id.get(&difference.id))
                .copied()
                .unwrap_or(0),
            promises_move: moves_promises(before, after, &difference),
            rules: named_by(&rules, &difference),
            apps: written_to(before, after, &difference),
            difference,
        };
        Ok(differences.into_iter().map(touched).collect())
    }

    /// By webhook that changes or goes, how many deliveries wait for it.
    async fn waiting_deliveries(&self, differences: &[Difference]) -> Result<BTreeMap<String, i64>, Error> {
        let mut counts = BTreeMap::new();
        let there = |difference: &&Difference| difference.noun == Noun::Webhook && difference.way != Way::Added;
        for Difference { id, .. } in differences.iter().filter(there) {
            counts.insert(id.clone(), self.store.waiting_deliveries(id).await?);
        }
        Ok(counts)
    }

    /// By app whose `default-tier` is new, how many people who are here have been taken out of it already: none is brought back in.
    async fn out_before_default(
        &self,
        before: &Organisation,
        after: &Organisation,
    ) -> Result<BTreeMap<String, usize>, Error> {
        let had = |app: &App| before.apps.get(&app.id).is_some_and(|before| before.default_tier.is_some());
        let mut counts = BTreeMap::new();
        for app in after.apps.values().filter(|app| app.default_tier.is_some() && !had(app)) {
            let people = self.store.were_in(&app.id, self.clock.now()).await?;
            let here = people.iter().filter(|id| after.is_active(id)).count();
            counts.insert(app.id.to_string(), here);
        }
        Ok(counts)
    }

    async fn open_tickets_with(&self, noun: Noun, before: &Organisation) -> Result<BTreeMap<String, i64>, Error> {
        let by = match noun {
            Noun::Team => OpenBy::Team,
            Noun::Category => OpenBy::Category,
            Noun::RequestType => OpenBy::RequestType,
            Noun::Person => OpenBy::Requester,
            Noun::Priority => OpenBy::Priority,
            Noun::Impact => OpenBy::Impact,
            Noun::Urgency => OpenBy::Urgency,
            Noun::Tag => OpenBy::Tag,
            Noun::Calendar => return self.open_tickets_by_calendar(before).await,
            Noun::Promises => {
                let open: i64 = self.store.open_tickets_by(OpenBy::Priority).await?.values().sum();
                return Ok(BTreeMap::from([(OF_THE_DESK.to_owned(), open)]));
            }
            // Access keeps the app's id in its ledger, and goes on without the catalog; the others are read where they are used.
            Noun::App
            | Noun::DepartmentReaders
            | Noun::Matrix
            | Noun::Routing
            | Noun::Devices
            | Noun::Macro
            | Noun::CannedReply
            | Noun::Template
            | Noun::Webhook
            | Noun::Connector
            | Noun::Incompatible => return Ok(BTreeMap::new()),
        };
        let mut counts = self.store.open_tickets_by(by).await?;
        if noun == Noun::Person {
            for (person, count) in self.store.open_tickets_by(OpenBy::Assignee).await? {
                *counts.entry(person).or_default() += count;
            }
        }
        Ok(counts)
    }

    /// How many open tickets have promises that run by each calendar, those of their team's among them.
    async fn open_tickets_by_calendar(&self, before: &Organisation) -> Result<BTreeMap<String, i64>, Error> {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for ((priority, team), count) in self.store.open_tickets_by_priority_and_team().await? {
            let level = before.priorities.iter().find(|level| level.id.as_str() == priority);
            let team = before.teams.get(team.as_str()).filter(|team| team.resolution_minutes.is_some());
            let of_level = Some(level.and_then(|level| level.calendar.as_ref()));
            let calendars = [of_level, team.map(|team| team.calendar.as_ref())];
            let name =
                |id: Option<&crate::desk::id::CalendarId>| id.map_or(OF_THE_DESK.to_owned(), ToString::to_string);
            let names: BTreeSet<String> = calendars.into_iter().flatten().map(name).collect();
            names.into_iter().for_each(|name| *counts.entry(name).or_default() += count);
        }
        Ok(counts)
    }
}
