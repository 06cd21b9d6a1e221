//! `taxonomy.toml`: what tickets can be about.
//!
//! - `tags`: those that may be put on a ticket; default none.
//! - `requester-tags`: those of them that requesters may put on their tickets themselves. Rules may go by a tag, so that without
//!   this key it is none.
//! - `[[category]]`: the categories; `hardware.laptop` lies below `hardware`, which has to be there too.

use std::collections::{BTreeMap, BTreeSet};

use crate::desk::id::{CategoryId, PriorityId, Tag};
use crate::desk::organisation::Category;
use crate::desk::organisation::service::Targets;

use super::duration;
use super::names::Names;
use super::read::{Keys, Node, distinct};
use super::wrong::Wrong;

/// The taxonomy of an organisation.
pub struct Taxonomy {
    pub categories: BTreeMap<CategoryId, Category>,
    pub tags: BTreeSet<Tag>,
    pub requester_tags: BTreeSet<Tag>,
}

/// Reads the categories and the tags.
pub fn read(keys: &mut Keys<'_>, names: &Names) -> Taxonomy {
    let tags: BTreeSet<Tag> = distinct(keys.list("tags"), Node::id).into_iter().collect();
    let requester_tags = distinct(keys.list("requester-tags"), |node| node.known(&names.tags)).into_iter().collect();
    let categories = keys.entries("category", |keys, id| category(keys, id, names));
    if categories.is_empty() {
        keys.report("category", Wrong::Missing);
    }
    let categories = categories.into_iter().map(|category| (category.id.clone(), category)).collect();
    Taxonomy { categories, tags, requester_tags }
}

/// One `[[category]]`.
///
/// - `id`: its place in the taxonomy, such as `hardware.laptop`.
/// - `name`.
/// - `team`: who takes such tickets where no rule has answered; absent is the parent's, else the desk's default.
/// - `priority`: the level of such tickets where no rule has answered; absent is the parent's, else the desk's default.
/// - `template`: the `[[canned-reply]]` that stands first where such tickets are answered; absent is the parent's, else none.
/// - `knowledge`: the category of the articles that come of such tickets; absent is the parent's, else their own.
/// - `[[category.promise]]`: what such tickets are promised in the place of what their priority promises: `priority`, its id, with
///   `first-response`, `resolution` and `next-update` as of a `[[priority]]`, by whose calendar it runs; absent is the parent's, else
///   the priority's.
/// - `catch-all`: whether it only says that none was found, so that no ticket is resolved in it; default false.
fn category(keys: &mut Keys<'_>, id: CategoryId, names: &Names) -> Category {
    if let Some((parent, _)) = id.as_str().rsplit_once('.')
        && !names.categories.has(parent)
    {
        keys.report("id", Wrong::NoParent { parent: parent.to_owned() });
    }
    Category {
        id,
        name: keys.required("name").and_then(|node| node.filled()).unwrap_or_default(),
        team: keys.optional("team").and_then(|node| node.known(&names.teams)),
        priority: keys.optional("priority").and_then(|node| node.known(&names.priorities)),
        template: keys.optional("template").and_then(|node| node.known(&names.canned_replies)),
        knowledge: keys.optional("knowledge").and_then(|node| node.known(&names.categories)),
        promises: promises(keys, names),
        catch_all: keys.optional("catch-all").and_then(|node| node.flag()).unwrap_or(false),
    }
}

/// The promises of a category, by priority.
fn promises(keys: &mut Keys<'_>, names: &Names) -> BTreeMap<PriorityId, Targets> {
    let mut seen = BTreeMap::new();
    let list = keys.list("promise");
    list.iter().filter_map(|node| node.keys(|keys| promise(keys, names, &mut seen)).flatten()).collect()
}

fn promise(keys: &mut Keys<'_>, names: &Names, seen: &mut BTreeMap<String, usize>) -> Option<(PriorityId, Targets)> {
    let priority = keys.required("priority").and_then(|node| {
        node.refuse_repeated(node.text()?, seen);
        node.known(&names.priorities)
    });
    let targets = duration::targets(keys);
    priority.map(|priority| (priority, targets))
}
