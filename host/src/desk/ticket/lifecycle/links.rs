//! Links between tickets. A link belongs to the ticket that depends on the other: the child, the duplicate, the one that waits;
//! a change of that ticket makes it, so that a version guards it.

use jiff::Timestamp;

use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::timer::{TimerKind, TimerWrite};
use crate::desk::id::TicketNumber;
use crate::desk::permission::MayEdit;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::timeline::{Entry, Event, Visibility};
use crate::desk::ticket::{Ticket, changed};

/// The kind of a link, from the ticket that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKind {
    /// It is a part of the other.
    Child,
    /// It is about the same as the other, and is resolved with it.
    Duplicate,
    /// It cannot be resolved before the other is.
    BlockedBy,
    /// It takes up the other, which is over.
    FollowUp,
    /// It was split off the other.
    SplitFrom,
    /// It went up in the other, which takes its later words.
    MergedInto,
    Related,
}

// The words are said of the ticket that the link belongs to.
codes! {
    LinkKind {
        Child => "child-of",
        Duplicate => "duplicate-of",
        BlockedBy => "blocked-by",
        FollowUp => "follow-up-of",
        SplitFrom => "split-from",
        MergedInto => "merged-into",
        Related => "related-to",
    }
}

impl LinkKind {
    /// The kinds that people make and take away; the others come with what they stand for.
    pub const BY_HAND: [LinkKind; 4] = [LinkKind::Child, LinkKind::Duplicate, LinkKind::BlockedBy, LinkKind::Related];

    /// The word that is said of the other ticket.
    pub const fn reverse(self) -> &'static str {
        match self {
            LinkKind::Child => "parent-of",
            LinkKind::Duplicate => "duplicated-by",
            LinkKind::BlockedBy => "blocks",
            LinkKind::FollowUp => "followed-up-by",
            LinkKind::SplitFrom => "split-into",
            LinkKind::MergedInto => "merged-from",
            LinkKind::Related => "related-to",
        }
    }
}

/// The ticket that a new one comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub kind: LinkKind,
    pub of: TicketNumber,
}

/// A link as a change leaves it, from the change's own ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkWrite {
    Add { kind: LinkKind, other: TicketNumber, by: Author },
    Remove { kind: LinkKind, other: TicketNumber },
}

/// The tickets around one, as far as its resolution depends on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// Those that have to be resolved before it, and are not.
    pub blockers: Vec<TicketNumber>,
    /// How many of its own tasks are open.
    pub open_tasks: usize,
    /// Whether others are resolved with it: its duplicates, and where it is an outage its children.
    pub has_duplicates: bool,
}

/// Lets the tickets that are linked with one follow this change of it, once it is written: its duplicates, its parts, those that hear
/// its words.
pub(in crate::desk) fn linked_follow(change: &mut Change, at: &At<'_>) {
    let ticket = change.after().id;
    change.timers.push(TimerWrite::Set { kind: TimerKind::LinkedTickets, ticket, due_at: at.now });
}

/// Where a ticket may reach by links of one kind: what a link must not close to a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Whether the other ticket leads back to this one by the same kind of link.
    pub leads_back: bool,
    /// Whether the link is there already.
    pub exists: bool,
}

/// Links a ticket with another, on which it then depends; `None` where it is so linked already.
///
/// # Errors
/// [`Refusal::LinkedToItself`]; [`Refusal::LinkCircle`].
pub fn link(
    ticket: &Ticket,
    (kind, other): (LinkKind, TicketNumber),
    reach: Reach,
    permit: &MayEdit,
    at: &At<'_>,
) -> Result<Option<Change>, Refusal> {
    let author = permit.on(ticket)?;
    if other == ticket.number {
        return Err(Refusal::LinkedToItself);
    }
    if reach.exists {
        return Ok(None);
    }
    if reach.leads_back && kind != LinkKind::Related {
        return Err(Refusal::LinkCircle { other });
    }
    let mut after = changed(ticket, at.now);
    if kind == LinkKind::Duplicate {
        after.duplicate_of = Some(other);
    }
    let mut change = Change::update(ticket, after, Vec::new());
    add(&mut change, (kind, other), author.clone(), at);
    Ok(Some(change))
}

/// Takes a link away; `None` where there is none, and the ticket does not seem to duplicate the other either.
///
/// # Errors
/// [`Refusal::Forbidden`] where the permit is for another ticket.
pub fn unlink(
    ticket: &Ticket,
    (kind, other): (LinkKind, TicketNumber),
    exists: bool,
    permit: &MayEdit,
    at: &At<'_>,
) -> Result<Option<Change>, Refusal> {
    let author = permit.on(ticket)?;
    // A rule may have proposed that the ticket repeats another: taking the link away says that it does not.
    let proposed = kind == LinkKind::Duplicate && ticket.duplicate_of == Some(other);
    if !exists && !proposed {
        return Ok(None);
    }
    let mut after = changed(ticket, at.now);
    if proposed {
        after.duplicate_of = None;
    }
    let event = Event::Unlinked { link: kind.code().to_owned(), other };
    let entry = at.internal(author.clone(), event);
    let mut change = Change::update(ticket, after, vec![entry]);
    change.links.push(LinkWrite::Remove { kind, other });
    Ok(Some(change))
}

/// Adds a link to the change of the ticket that it belongs to.
pub(in crate::desk) fn add(change: &mut Change, (kind, other): (LinkKind, TicketNumber), by: Author, at: &At<'_>) {
    change.entries.push(entry((kind, other), by.clone(), at.now));
    change.links.push(LinkWrite::Add { kind, other, by });
}

/// The entry about a link, on the timeline of the ticket that it belongs to.
pub fn entry((kind, other): (LinkKind, TicketNumber), author: Author, at: Timestamp) -> Entry {
    let event = Event::Linked { link: kind.code().to_owned(), other };
    Entry { at, author, visibility: Visibility::Internal, event }
}

/// Says on the other ticket's timeline that a link leads to it.
pub fn noted(ticket: &Ticket, (kind, from): (LinkKind, TicketNumber), at: &At<'_>) -> Change {
    let event = Event::Linked { link: kind.reverse().to_owned(), other: from };
    let entry = at.internal(Author::System, event);
    Change::next(ticket, at, vec![entry])
}
