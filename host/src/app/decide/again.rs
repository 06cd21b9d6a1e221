//! A ticket that is there already, as rules are shown it when they are asked again.

use std::sync::Arc;

use jiff::Timestamp;

use super::pipeline::Case;
use super::translate;
use crate::app::App;
use crate::app::record::write::beginnings;
use crate::desk::id::{RunId, TicketId};
use crate::desk::organisation::Organisation;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::intake::NewTicket;
use crate::rules::contract;
use crate::rules::live::catalog::Generation;

/// A ticket as it was submitted, with what intake made of it.
pub fn submitted(ticket: &Ticket) -> NewTicket {
    let submitted = &ticket.submitted;
    NewTicket {
        request_type: submitted.request_type.clone(),
        channel: submitted.channel.clone(),
        requester: submitted.requester.clone(),
        submitted_by: submitted.submitted_by.clone(),
        subject: submitted.subject.clone(),
        body: submitted.body.clone(),
        fields: submitted.fields.clone(),
        tags: ticket.tags.iter().map(ToString::to_string).collect(),
        attachments: submitted.attachments.clone(),
        uploads: Vec::new(),
        headers: Vec::new(),
        origin: None,
        place: Default::default(),
    }
}

/// The same as rules see it.
pub fn shown(ticket: &Ticket) -> contract::Ticket {
    let mut shown = translate::ticket(&submitted(ticket), ticket.submitted.at);
    shown.signals.clone_from(&ticket.submitted.signals);
    shown
}

/// All that was decided about a ticket, by rules or by people.
pub fn so_far(ticket: &Ticket) -> contract::SoFar {
    contract::SoFar {
        impact: ticket.impact.as_ref().map(ToString::to_string),
        urgency: ticket.urgency.as_ref().map(ToString::to_string),
        priority: Some(ticket.priority.to_string()),
        team: Some(ticket.team.to_string()),
        assignee: ticket.assignee.as_ref().map(ToString::to_string),
        ..classified(ticket)
    }
}

/// All that is known of a ticket before its priority is decided.
pub fn classified(ticket: &Ticket) -> contract::SoFar {
    contract::SoFar {
        category: Some(ticket.category.to_string()),
        tags: ticket.tags.iter().map(ToString::to_string).collect(),
        kind: ticket.kind.code().to_owned(),
        ..contract::SoFar::default()
    }
}

impl App {
    /// The case of a question to rules of some stages alone, which look at no other tickets.
    pub(in crate::app) fn question(
        &self,
        (organisation, generation): (Arc<Organisation>, Arc<Generation>),
        new: NewTicket,
        (ticket, now): (TicketId, Timestamp),
    ) -> Case {
        Case {
            tables: self.rules.tables(),
            dictionary: self.store.dictionary(&beginnings(generation.rules())),
            organisation,
            former: self.former(),
            generation,
            new,
            recent: Vec::new(),
            now,
            run: RunId(self.clock.new_id()),
            ticket,
            budget: self.rules.ticket_budget,
        }
    }
}
