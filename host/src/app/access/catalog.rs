//! The catalog as the person sees it who looks for access: what there is, what they hold, and what is left.

use std::collections::BTreeSet;

use crate::app::{Error, Office};
use crate::desk::access::Grant;
use crate::desk::actor::Actor;
use crate::desk::id::{PersonId, TierId};
use crate::desk::organisation::App;
use crate::desk::permission;

/// The most words of a search that count.
const WORDS_MAX: usize = 10;

/// An app with how the person stands to each of its tiers, lowest first.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogItem {
    pub app: App,
    /// How access gets there: the word of the connector's kind; `None` where the desk only keeps who may have it.
    pub connector: Option<&'static str>,
    pub tiers: Vec<Standing>,
}

/// How a person stands to a tier.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// The grant by which they hold it, the longest.
    pub held: Option<Grant>,
    /// Whether a request of theirs waits for approval.
    pub requested: bool,
    /// Seats that are left; `None` where they are not counted.
    pub seats_left: Option<u32>,
}

/// The catalog, and the currency of its costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    pub currency: String,
    pub items: Vec<CatalogItem>,
}

impl Office {
    /// The apps that the actor may ask for, by name; with a search, those that have all its words.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; where the store cannot be read.
    pub async fn catalog(&self, actor: &Actor, search: &str) -> Result<Catalog, Error> {
        permission::read_configuration(actor)?;
        let organisation = self.organisation();
        let now = self.clock.now();
        let (held, open) = match actor.person() {
            Some(person) => (self.store.held(person, now).await?, self.store.open_requests(person).await?),
            None => (Vec::new(), Vec::new()),
        };
        let words: Vec<String> = search.split_whitespace().take(WORDS_MAX).map(str::to_lowercase).collect();
        let visible = |app: &&App| {
            let may = actor.person().is_none_or(|person| organisation.may_request(person, app));
            (may || permission::works_on_tickets(actor)) && has(app, &words)
        };
        let mut items = Vec::new();
        for app in organisation.apps.values().filter(visible) {
            let holders = self.store.holders(&app.id, &app.seated(), now).await?;
            let standing = |tier: &crate::desk::organisation::Tier| {
                let of = |grant: &&Grant| grant.app == app.id && grant.tier == tier.id;
                Standing {
                    held: held.iter().filter(of).max_by_key(|grant| grant.expires_at).cloned(),
                    requested: open.iter().any(|open| open.app == app.id && open.tier == tier.id),
                    seats_left: tier.seats.map(|seats| seats.saturating_sub(taken(&holders, &tier.id))),
                }
            };
            let connector = organisation.connector_of(&app.id).map(|connector| connector.kind.code());
            items.push(CatalogItem { tiers: app.tiers.iter().map(standing).collect(), connector, app: app.clone() });
        }
        items.sort_by(|a, b| (&a.app.name, &a.app.id).cmp(&(&b.app.name, &b.app.id)));
        Ok(Catalog { currency: organisation.currency.clone(), items })
    }
}

/// The seats of a tier that are taken, also by those who have left: the app has them until their access has ended.
fn taken(holders: &[(PersonId, TierId)], tier: &TierId) -> u32 {
    let of = holders.iter().filter(|(_, held)| held == tier).map(|(person, _)| person);
    u32::try_from(of.collect::<BTreeSet<_>>().len()).unwrap_or(u32::MAX)
}

/// Whether all words stand somewhere in what the catalog says of an app.
fn has(app: &App, words: &[String]) -> bool {
    let tiers = app.tiers.iter().flat_map(|tier| [tier.id.as_str(), tier.name.as_str()]);
    let texts = [app.id.as_str(), &app.name, &app.description].into_iter();
    let texts: Vec<String> =
        texts.chain(app.keywords.iter().map(String::as_str)).chain(tiers).map(str::to_lowercase).collect();
    words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
}
