//! `[configuration]` of `desk.toml`: which files of the directory are only a beginning, because what they say is published by API.

use std::collections::BTreeSet;

use crate::config::read::{Keys, Node, distinct};

/// A part of the configuration that is one file of the directory, or some tables of `desk.toml`, and can be published by API instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    People,
    Teams,
    Taxonomy,
    RequestTypes,
    Apps,
    Calendars,
    Priorities,
    Promises,
    Macros,
    CannedReplies,
    Templates,
    Webhooks,
}

impl Document {
    /// Every one.
    pub const ALL: [Document; 12] = [
        Document::People,
        Document::Teams,
        Document::Taxonomy,
        Document::RequestTypes,
        Document::Apps,
        Document::Calendars,
        Document::Priorities,
        Document::Promises,
        Document::Macros,
        Document::CannedReplies,
        Document::Templates,
        Document::Webhooks,
    ];

    /// The stable word for programs, and its file in the directory.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Document::People => ("people", "people.toml"),
            Document::Teams => ("teams", "teams.toml"),
            Document::Taxonomy => ("taxonomy", "taxonomy.toml"),
            Document::RequestTypes => ("request-types", "request-types.toml"),
            Document::Apps => ("apps", "apps.toml"),
            Document::Calendars => ("calendars", "calendars.toml"),
            Document::Priorities => ("priorities", "priorities.toml"),
            Document::Promises => ("promises", "promises.toml"),
            Document::Macros => ("macros", "macros.toml"),
            Document::CannedReplies => ("canned-replies", "canned-replies.toml"),
            Document::Templates => ("templates", "templates.toml"),
            Document::Webhooks => ("webhooks", "webhooks.toml"),
        }
    }

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        self.words().0
    }

    /// The one with this word.
    pub fn from_code(code: &str) -> Option<Document> {
        Document::ALL.into_iter().find(|document| document.code() == code)
    }

    /// Its file in the directory.
    pub const fn file(self) -> &'static str {
        self.words().1
    }

    /// The keys of `desk.toml` that say the same where the directory has no file of its own for it.
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Document::Calendars => &["calendar", "other-calendar"],
            Document::Priorities => &["scales", "priority", "matrix"],
            Document::Promises => &["promises", "closing"],
            Document::Macros => &["macro"],
            Document::CannedReplies => &["canned-reply"],
            Document::Webhooks => &["webhook"],
            Document::People
            | Document::Teams
            | Document::Taxonomy
            | Document::RequestTypes
            | Document::Apps
            | Document::Templates => &[],
        }
    }

    /// Whether the directory may do without its file.
    pub const fn may_be_absent(self) -> bool {
        matches!(self, Document::Apps | Document::Templates) || !self.keys().is_empty()
    }
}

/// Reads the table, which may be absent.
///
/// - `by-api`: those of `people`, `teams`, `taxonomy`, `request-types`, `apps`, `calendars`, `priorities`, `promises`, `macros`,
///   `canned-replies`, `templates` and `webhooks` that are published by API. Their files in the directory hold until the first version is
///   published, and mean nothing from then on. All others are the directory's, and cannot be published. Default none.
///
/// `calendars.toml` has `[calendar]` and `[[other-calendar]]`; `priorities.toml` has `[scales]`, `[[priority]]` and `[[matrix]]`;
/// `promises.toml` has `[promises]` and `[closing]`; `macros.toml` has `[[macro]]`, `canned-replies.toml` has `[[canned-reply]]`, and
/// `webhooks.toml` has `[[webhook]]`. A directory has these tables in such a file or in `desk.toml`, never in both.
pub fn read(keys: &mut Keys<'_>) -> BTreeSet<Document> {
    let words = Document::ALL.map(|document| (document.code(), document));
    let list = keys.list("by-api");
    distinct(list, |node: &Node<'_>| node.one_of(&words)).into_iter().collect()
}
