//! The address of a list: which tickets, in which order, and from which place on.

use serde::Deserialize;

use crate::app::tickets::work::{DuePlace, Filter, QueuePlace, Start, UpdatedPlace};
use crate::desk::ticket::State;
use crate::web::frame::form::{Form, address};

/// An order of the list, as a heading has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By priority, then by when they are due.
    #[default]
    Priority,
    /// By number: the oldest first.
    Key,
    /// By when they are due alone.
    Due,
    /// By the last change: what has been left longest first.
    Changed,
}

impl Sort {
    /// The word for it in an address; empty for the queue's own order.
    pub const fn code(self) -> &'static str {
        match self {
            Sort::Priority => "",
            Sort::Key => "key",
            Sort::Due => "due",
            Sort::Changed => "changed",
        }
    }

    /// The key of the text that says the order.
    pub const fn words(self) -> &'static str {
        match self {
            Sort::Priority => "queue.sorted",
            Sort::Key => "queue.sorted-key",
            Sort::Due => "queue.sorted-due",
            Sort::Changed => "queue.sorted-changed",
        }
    }

    fn from_code(code: &str) -> Sort {
        match code {
            "key" => Sort::Key,
            "due" => Sort::Due,
            "changed" => Sort::Changed,
            _ => Sort::Priority,
        }
    }
}

/// Which tickets, as the address says it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// A list that is kept: then it says which tickets, and the rest of these do not.
    pub view: String,
    pub team: String,
    pub assignee: String,
    pub state: String,
    pub priority: String,
    pub category: String,
    pub requester: String,
    pub request_type: String,
    pub tag: String,
    pub sort: String,
    pub after: String,
    /// Whether nothing waited when the next ticket was asked for.
    pub none: String,
    /// The act that led here.
    pub done: String,
    /// `csv` for a file.
    pub format: String,
}

impl Asked {
    /// The list that a form names.
    pub fn of_form(form: &Form) -> Asked {
        let text = |name: &str| form.text(name);
        Asked {
            view: text("view"),
            team: text("team"),
            assignee: text("assignee"),
            state: text("state"),
            priority: text("priority"),
            category: text("category"),
            requester: text("requester"),
            request_type: text("request_type"),
            tag: text("tag"),
            sort: text("sort"),
            ..Asked::default()
        }
    }

    /// The parts that say which tickets, with their names in an address.
    pub fn parts(&self) -> [(&'static str, &str); 8] {
        [
            ("team", &self.team),
            ("assignee", &self.assignee),
            ("state", &self.state),
            ("priority", &self.priority),
            ("category", &self.category),
            ("requester", &self.requester),
            ("request_type", &self.request_type),
            ("tag", &self.tag),
        ]
    }

    /// The filter: where no state is named, all in which work is owed.
    pub fn filter(&self) -> Filter {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let states = match self.state.as_str() {
            "" => State::ALL.into_iter().filter(|state| state.is_unfinished()).collect(),
            "all" => Vec::new(),
            code => State::from_code(code).into_iter().collect(),
        };
        Filter {
            states,
            team: given(&self.team),
            assignee: given(&self.assignee),
            requester: given(&self.requester),
            requesters: Vec::new(),
            priority: given(&self.priority),
            category: given(&self.category),
            request_type: given(&self.request_type),
            tag: given(&self.tag),
            only: None,
        }
    }

    /// The order that is asked for.
    pub fn sort(&self) -> Sort {
        Sort::from_code(&self.sort)
    }

    /// The order and the place in it from which on tickets are shown.
    pub fn start(&self) -> Start {
        let parts: Option<Vec<i64>> = self.after.split('.').map(|part| part.parse().ok()).collect();
        let parts = parts.unwrap_or_default();
        match (self.sort(), parts.as_slice()) {
            (Sort::Priority, [finished, rank, due, number]) => {
                Start::Queue(Some(QueuePlace { finished: *finished != 0, rank: *rank, due: *due, number: *number }))
            }
            (Sort::Priority, _) => Start::Queue(None),
            (Sort::Key, [number]) => Start::Number(Some(*number)),
            (Sort::Key, _) => Start::Number(None),
            (Sort::Due, [due, number]) => Start::Due(Some(DuePlace { due: *due, number: *number })),
            (Sort::Due, _) => Start::Due(None),
            (Sort::Changed, [updated, number]) => {
                Start::Updated(Some(UpdatedPlace { updated: *updated, number: *number }))
            }
            (Sort::Changed, _) => Start::Updated(None),
        }
    }

    /// The address of the same list from another place on.
    pub fn address(&self, after: &str) -> String {
        self.with(("after", after))
    }

    /// The address of all of it as a file.
    pub fn file(&self) -> String {
        self.with(("format", "csv"))
    }

    fn with(&self, more: (&str, &str)) -> String {
        let mut pairs = vec![("view", self.view.as_str())];
        pairs.extend(self.parts());
        pairs.extend([("sort", self.sort().code()), more]);
        address("/queue", pairs)
    }

    /// The address of the same list in an order.
    pub fn sorted(&self, sort: Sort) -> String {
        Asked { sort: sort.code().to_owned(), ..self.clone() }.address("")
    }

    /// Whether more than a team or a person narrows it.
    pub fn is_narrowed(&self) -> bool {
        self.parts().into_iter().any(|(name, text)| !text.is_empty() && !matches!(name, "team" | "assignee"))
    }
}

/// A place as it stands in an address.
pub fn place(start: Start) -> Option<String> {
    Some(match start {
        Start::Queue(place) => {
            let QueuePlace { finished, rank, due, number } = place?;
            format!("{}.{rank}.{due}.{number}", i32::from(finished))
        }
        Start::Number(number) => number?.to_string(),
        Start::Newest => return None,
        Start::Updated(place) => {
            let UpdatedPlace { updated, number } = place?;
            format!("{updated}.{number}")
        }
        Start::Due(place) => {
            let DuePlace { due, number } = place?;
            format!("{due}.{number}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_not_in_another_order() {
        for (sort, start) in [
            ("", Start::Queue(Some(QueuePlace { finished: false, rank: 2, due: -3, number: 4 }))),
            ("key", Start::Number(Some(7))),
            ("due", Start::Due(Some(DuePlace { due: 9, number: 4 }))),
            ("changed", Start::Updated(Some(UpdatedPlace { updated: 1, number: 2 }))),
        ] {
            let after = place(start).unwrap();
            let asked = Asked { sort: sort.to_owned(), after: after.clone(), ..Asked::default() };
            assert_eq!(asked.start(), start);
            let other = Asked { after: format!("{after}.1"), ..asked };
            assert_eq!(place(other.start()), None, "{sort}");
        }
    }
}
