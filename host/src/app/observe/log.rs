//! What the log says of tickets: one line for each that was created, one for each rule that failed. The request's id joins
//! them, because the request's span is around both.

use std::time::Duration;

use crate::app::record::write::Sample;
use crate::desk::id::RunId;
use crate::desk::ticket::Ticket;
use crate::rules::text::shown;

/// A ticket was created.
pub fn created(ticket: &Ticket, run: RunId, rules_asked: usize, took: Duration) {
    tracing::info!(
        ticket = %ticket.number,
        %run,
        category = ticket.category.as_str(),
        priority = ticket.priority.as_str(),
        team = ticket.team.as_str(),
        rules = rules_asked,
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "ticket created"
    );
}

/// Rules failed in a run; what they failed at goes on without them.
pub fn faults(run: RunId, samples: &[Sample]) {
    for sample in samples {
        let Some(fault) = &sample.fault else { continue };
        tracing::warn!(
            %run,
            stage = sample.stage.name(),
            rule = sample.rule.name,
            version = sample.rule.version,
            digest = %sample.digest,
            mode = sample.role.code(),
            outcome = sample.outcome,
            fault = shown(fault),
            "a rule failed"
        );
    }
}
