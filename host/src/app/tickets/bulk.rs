//! Several changes in one step: of one ticket, or of many, each with its own outcome; macros and canned replies; tasks.

use std::sync::Arc;

use super::change::{Changed, Key, idempotency};
use super::submit::outages::passes_on;
use crate::app::error::Busy;
use crate::app::{App, Error, Office};
use crate::desk::access::AccessCase;
use crate::desk::actor::Actor;
use crate::desk::change::at::At;
use crate::desk::change::condition::{Condition, Tags};
use crate::desk::id::{CategoryId, MacroId, TaskId, TicketNumber};
use crate::desk::organisation::Organisation;
use crate::desk::permission;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::edit::{EditTicket, Found};
use crate::desk::ticket::intake::outage;
use crate::desk::ticket::lifecycle::commands::{self, Command};
use crate::desk::ticket::lifecycle::links::Around;
use crate::desk::ticket::lifecycle::tasks::{self, Task, TaskStep};
use crate::desk::ticket::timeline::Visibility;
use crate::store::{self, Commit, PackedRun};

/// The most tickets of one bulk change.
pub const BULK_MAX: usize = 100;

/// The commands of one step.
#[derive(Debug, Clone)]
pub enum Step {
    Commands(Vec<Command>),
    Macro(MacroId),
}

/// A canned reply with its variables filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledReply {
    pub id: MacroId,
    pub name: String,
    pub body: String,
    /// Whether it is the template of the ticket's category.
    pub of_category: bool,
}

impl Step {
    /// The first edit that it does.
    pub(super) fn edit(&self, actor: &Actor, organisation: &Organisation) -> Option<EditTicket> {
        match self {
            Step::Commands(commands) => commands.iter().find_map(|command| match command {
                Command::Edit(wanted) => Some(wanted.clone()),
                Command::Comment { .. } | Command::Move(_) => None,
            }),
            Step::Macro(id) => commands::edit_of_macro(organisation.macros.get(id)?, actor.person()),
        }
    }
}

/// The rules' word on a ticket as the first edit of a step leaves it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The category that it has then.
    pub category: CategoryId,
    pub found: Found,
    pub run: Option<PackedRun>,
}

impl App {
    /// Does all of a step on one ticket or none of it, if the ticket is still at the version that the actor has seen. The rules are asked
    /// about it as they are where its edit is done by hand.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for the ticket or the macro; [`Error::TooMuch`]; [`Error::Stale`]; what the first command that is refused is
    /// refused for.
    pub async fn run_step(
        self: &Arc<Self>,
        actor: &Actor,
        number: TicketNumber,
        condition: &Condition,
        step: &Step,
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        self.count_step(actor, step)?;
        let asked = match self.ask_about_step(actor, number, step).await {
            // Rules that have too much to do keep no person from changing a ticket.
            Err(Error::Busy(Busy::Workers(_))) => None,
            asked => asked?,
        };
        self.do_step((actor, number), condition, (step, asked.as_ref()), key).await
    }

    /// Does a step on each of some tickets, as they are now: each as a whole or not at all; none depends on another. One that is
    /// named more than once is changed once and has one outcome.
    pub async fn run_on_each(
        self: &Arc<Self>,
        actor: &Actor,
        tickets: &[TicketNumber],
        step: &Step,
        key: Option<Key>,
    ) -> Vec<(TicketNumber, Result<Changed, Error>)> {
        let any = Condition { matches: Some(Tags::Any), none_matches: None };
        let mut outcomes: Vec<(TicketNumber, Result<Changed, Error>)> = Vec::with_capacity(tickets.len());
        for number in tickets {
            if outcomes.iter().any(|(done, _)| done == number) {
                continue;
            }
            let key = key.clone().map(|(key, digest)| (format!("{key} {number}"), digest));
            outcomes.push((*number, self.run_step(actor, *number, &any, step, key).await));
        }
        outcomes
    }
}

impl Office {
    /// Counts what a person does by a step as if each came by itself. Macros are for those who work on tickets.
    fn count_step(&self, actor: &Actor, step: &Step) -> Result<(), Error> {
        let Step::Commands(commands) = step else {
            return Ok(permission::list_internally(actor).map(drop)?);
        };
        for command in commands {
            match command {
                Command::Comment { body, .. } => self.count_comment(actor, body.len())?,
                Command::Edit(_) | Command::Move(_) => self.count_change(actor)?,
            }
        }
        Ok(())
    }

    async fn do_step(
        &self,
        (actor, number): (&Actor, TicketNumber),
        condition: &Condition,
        (step, asked): (&Step, Option<&Asked>),
        key: Option<Key>,
    ) -> Result<Changed, Error> {
        let organisation = self.organisation();
        if let Step::Macro(id) = step
            && !organisation.macros.contains_key(id)
        {
            return Err(Error::Missing { what: "macro", name: id.to_string() });
        }
        let (key, facts) = (idempotency(actor, key), || self.around_outage(number));
        let passes_on = passes_on(actor, Visibility::Public);
        let may = |ticket: &Ticket| Ok(permission::transition(actor, ticket).map(drop)?);
        let make = |facts: &(Around, bool), ticket: &Ticket, case: Option<&AccessCase>, at: &At<'_>| {
            let (around, is_outage) = facts;
            let edit = asked.and_then(|_| step.edit(actor, at.organisation));
            let category = edit.map(|wanted| wanted.category_on(ticket, at.organisation));
            if category != asked.map(|asked| asked.category.clone()) {
                return Err(Busy::Ticket.into());
            }
            let named =
                |step: &Step| match step {
                    Step::Commands(commands) => commands.clone(),
                    Step::Macro(id) => at.organisation.macros.get(id).map_or_else(Vec::new, |step| {
                        commands::of_macro(step, ticket, actor.person(), at.organisation)
                    }),
                };
            let found = asked.map(|asked| &asked.found);
            let commands = named(step);
            let made = commands::run(ticket, case, (commands.as_slice(), found), around, actor, at)?;
            let made = match passes_on.as_ref().filter(|_| *is_outage) {
                Some(by) => made.map(|made| outage::pass_on(made, by, at)),
                None => made,
            };
            let run = asked.and_then(|asked| asked.run.clone());
            Ok(made.map(|made| Commit { run, ..Commit::from(made) }))
        };
        let (changed, facts) = self.commit_if_by((actor, number), condition, key, may, facts, make).await?;
        if facts.is_some_and(|(around, is_outage)| around.has_duplicates || is_outage && passes_on.is_some()) {
            self.jobs.wake();
        }
        Ok(changed)
    }

    /// The tickets around one, and whether it is or was an outage.
    async fn around_outage(&self, number: TicketNumber) -> Result<(Around, bool), store::Error> {
        Ok((self.store.around(number).await?, self.store.is_outage(number).await?))
    }

    /// The canned replies, filled in for a ticket: first the template of its category.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`] for those who do not work on tickets.
    pub async fn canned_replies(&self, actor: &Actor, number: TicketNumber) -> Result<Vec<FilledReply>, Error> {
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::list_internally(actor)?;
        let organisation = self.organisation();
        let template = organisation.of_category(&ticket.category, |category| category.template.clone());
        let filled = organisation.canned_replies.iter().map(|reply| FilledReply {
            of_category: template.as_ref() == Some(&reply.id),
            id: reply.id.clone(),
            name: reply.name.clone(),
            body: commands::fill(&reply.body, &ticket, actor.person(), &organisation),
        });
        let mut filled: Vec<FilledReply> = filled.collect();
        filled.sort_by_key(|reply| !reply.of_category);
        Ok(filled)
    }

    /// The macros that there are, by id and name.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for those who do not work on tickets.
    pub fn macros(&self, actor: &Actor) -> Result<Vec<(MacroId, String)>, Error> {
        permission::list_internally(actor)?;
        let organisation = self.organisation();
        Ok(organisation.macros.iter().map(|(id, step)| (id.clone(), step.name.clone())).collect())
    }

    /// The tasks of a ticket. They are for those who work on tickets.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`].
    pub async fn tasks(&self, actor: &Actor, number: TicketNumber) -> Result<Vec<Task>, Error> {
        let (ticket, _) = self.ticket(actor, number).await?;
        permission::list_internally(actor)?;
        Ok(self.store.tasks(ticket.number).await?)
    }

    /// Adds a task to a ticket, which is not resolved before it is done.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; [`Error::Refused`]; [`Error::Rejected`].
    pub async fn add_task(
        &self,
        actor: &Actor,
        number: TicketNumber,
        text: &str,
        key: Option<Key>,
    ) -> Result<Vec<Task>, Error> {
        let known = || self.store.tasks(number);
        let added = self.change_by((actor, number), key, known, |known: &Vec<Task>, ticket, _, at| {
            Ok(Some(tasks::add(ticket, text, known.len(), &permission::edit(actor, ticket)?, at)?))
        });
        added.await?;
        self.tasks(actor, number).await
    }

    /// Marks a task done or open, or takes it away.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for the ticket or the task; [`Error::Refused`].
    pub async fn mark_task(
        &self,
        actor: &Actor,
        number: TicketNumber,
        (id, step): (TaskId, TaskStep),
        key: Option<Key>,
    ) -> Result<Vec<Task>, Error> {
        let known = || self.store.tasks(number);
        let marked = self.change_by((actor, number), key, known, |known: &Vec<Task>, ticket, _, at| {
            let permit = permission::edit(actor, ticket)?;
            let task = known.iter().find(|task| task.id == id);
            let task = task.ok_or_else(|| Error::Missing { what: "task", name: id.to_string() })?;
            Ok(tasks::mark(ticket, task, step, &permit, at)?)
        });
        marked.await?;
        self.tasks(actor, number).await
    }
}
