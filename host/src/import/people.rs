//! By what names files call people.

use std::collections::HashMap;

use super::mapping::slug;
use crate::desk::id::{NotAnId, PersonId};

/// The people that rows may name, by id and by mail address.
#[derive(Debug, Clone, Default)]
pub struct People {
    exact: HashMap<String, PersonId>,
    folded: HashMap<String, PersonId>,
}

impl People {
    /// The people with these ids and addresses; an address may be empty. Of two that differ in case only, neither is found
    /// in another case.
    pub fn new<'p>(people: impl IntoIterator<Item = (&'p PersonId, &'p str)>) -> People {
        let mut found = People::default();
        let mut alike: HashMap<String, Vec<PersonId>> = HashMap::new();
        for (id, address) in people {
            for name in [id.as_str(), address].into_iter().filter(|name| !name.is_empty()) {
                // An id stands above another person's address.
                let known = found.exact.entry(name.to_owned()).or_insert_with(|| id.clone());
                if name == id.as_str() {
                    known.clone_from(id);
                }
                let ids = alike.entry(name.to_lowercase()).or_default();
                if !ids.contains(id) {
                    ids.push(id.clone());
                }
            }
        }
        found.folded = alike
            .into_iter()
            .filter_map(|(name, ids)| match ids.as_slice() {
                [only] => Some((name, only.clone())),
                _ => None,
            })
            .collect();
        found
    }

    /// The person that a cell names: as it is written, then without regard to case, then by the id that the text makes.
    ///
    /// # Errors
    ///
    /// The text names no person and cannot be an id either.
    pub fn person(&self, text: &str) -> Result<PersonId, NotAnId> {
        let text = addressed(text).trim();
        let slug = slug(text);
        let known = self.exact.get(text).or_else(|| self.folded.get(&text.to_lowercase()));
        known.or_else(|| self.folded.get(&slug)).cloned().map_or_else(|| slug.parse(), Ok)
    }
}

/// The address in `Amara Okafor <amara@meridian.example>`; any other text as it is.
fn addressed(text: &str) -> &str {
    let inner = text.trim_end().strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    inner.map_or(text, |(_, address)| address)
}
