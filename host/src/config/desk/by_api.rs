//! `[configuration]` of `desk.toml`: which files of the directory are only a beginning, because what they say is published by API.

use std::collections::BTreeSet;

use crate::config::read::{Keys, Node, distinct};

/// A part of the configuration that is one file of the directory, and can be published by API instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    People,
    Teams,
    Taxonomy,
    RequestTypes,
    Apps,
}

impl Document {
    /// Every one.
    pub const ALL: [Document; 5] =
        [Document::People, Document::Teams, Document::Taxonomy, Document::RequestTypes, Document::Apps];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Document::People => "people",
            Document::Teams => "teams",
            Document::Taxonomy => "taxonomy",
            Document::RequestTypes => "request-types",
            Document::Apps => "apps",
        }
    }

    /// The one with this word.
    pub fn from_code(code: &str) -> Option<Document> {
        Document::ALL.into_iter().find(|document| document.code() == code)
    }

    /// Its file in the directory.
    pub const fn file(self) -> &'static str {
        match self {
            Document::People => "people.toml",
            Document::Teams => "teams.toml",
            Document::Taxonomy => "taxonomy.toml",
            Document::RequestTypes => "request-types.toml",
            Document::Apps => "apps.toml",
        }
    }
}

/// Reads the table, which may be absent.
///
/// - `by-api`: those of `people`, `teams`, `taxonomy`, `request-types` and `apps` that are published by API. Their files in the
///   directory hold until the first version is published, and mean nothing from then on. All others are the directory's, and
///   cannot be published. Default none.
pub fn read(keys: &mut Keys<'_>) -> BTreeSet<Document> {
    let words = Document::ALL.map(|document| (document.code(), document));
    let list = keys.list("by-api");
    distinct(list, |node: &Node<'_>| node.one_of(&words)).into_iter().collect()
}
