//! The stages, and what each lets a table see. It knows nothing of rows.

use ruledesk_sdk::access;
use ruledesk_sdk::intake;
use ruledesk_sdk::types::{Attachment, Moment, Person, SoFar, Ticket};

/// The stage that a table answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Intake,
    Categorization,
    Priority,
    Routing,
    Access,
}

impl Stage {
    pub const ALL: [Stage; 5] = [Stage::Intake, Stage::Categorization, Stage::Priority, Stage::Routing, Stage::Access];

    /// Its name in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Intake => "intake",
            Stage::Categorization => "categorization",
            Stage::Priority => "priority",
            Stage::Routing => "routing",
            Stage::Access => "access",
        }
    }
}

/// Where a field is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    Now,
    Ticket,
    Requester,
    SoFar,
    Input,
    Request,
    Item,
    Subject,
    History,
    Peers,
    /// The element of a list that is being looked at.
    Element,
}

/// A record of the input.
#[derive(Debug, Clone, Copy)]
pub enum Record<'a> {
    None,
    Now(&'a Moment),
    Ticket(&'a Ticket),
    Person(&'a Person),
    SoFar(&'a SoFar),
    Intake(&'a intake::Input),
    Access(&'a access::Input),
    Request(&'a access::Request),
    Item(&'a access::CatalogItem),
    History(&'a access::History),
    Peers(&'a access::Peers),
    Attachment(&'a Attachment),
    Recent(&'a intake::RecentTicket),
    Grant(&'a access::Grant),
}

/// All that a decision is asked about: the input of some stage.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub now: &'a Moment,
    pub ticket: &'a Ticket,
    pub requester: &'a Person,
    pub so_far: Option<&'a SoFar>,
    /// What only this stage has.
    pub input: Record<'a>,
    pub element: Record<'a>,
}

impl<'a> Facts<'a> {
    /// The record that a field is read from.
    pub fn record(&self, root: Root) -> Record<'a> {
        let access = |pick: fn(&'a access::Input) -> Record<'a>| match self.input {
            Record::Access(input) => pick(input),
            _ => Record::None,
        };
        match root {
            Root::Now => Record::Now(self.now),
            Root::Ticket => Record::Ticket(self.ticket),
            Root::Requester => Record::Person(self.requester),
            Root::SoFar => self.so_far.map_or(Record::None, Record::SoFar),
            Root::Input => self.input,
            Root::Request => access(|input| Record::Request(&input.request)),
            Root::Item => access(|input| Record::Item(&input.item)),
            Root::Subject => access(|input| Record::Person(&input.subject)),
            Root::History => access(|input| Record::History(&input.history)),
            Root::Peers => access(|input| Record::Peers(&input.peers)),
            Root::Element => self.element,
        }
    }
}
