//! Work that comes again by the calendar: each occurrence is done once, however many hosts there are, and after an outage as well.
//!
//! An entry remembers how far it has come; a claim lets one host work on the next occurrence. A ticket is made under a key that
//! never ends, so that a claim which ran out makes no second one. A report that left and could not be written down leaves once more, with
//! the same id.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::digest;
use crate::app::jobs::LEASE;
use crate::app::jobs::messages::name_of;
use crate::app::observe::csv;
use crate::app::observe::reports::{Days, html};
use crate::app::{App, Error, Office};
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;
use crate::desk::organisation::Organisation;
use crate::desk::organisation::schedule::{MailedReport, RecurringTicket, Schedule, Work};
use crate::desk::sla::later;
use crate::desk::ticket::intake::Submission;
use crate::store;
use crate::store::jobs::Lease;
use crate::store::jobs::schedules::Run;

/// How often an occurrence is tried before the desk goes on without it.
const TRIES_MAX: i64 = 8;
/// The wait after a try that failed; it doubles with each.
const WAIT: SignedDuration = SignedDuration::from_secs(60);
/// The most that it is doubled.
const DOUBLINGS_MAX: u32 = 6;
/// The most occurrences of one entry that are made up for after an outage; of more, the oldest are left out.
const MISSED_MAX: usize = 60;
/// The channel of a ticket that comes again.
const CHANNEL: &str = "recurring";

/// An occurrence that this host has claimed.
#[derive(Debug, Clone)]
pub struct Occurrence {
    /// The name of its entry.
    pub name: String,
    pub at: Timestamp,
    fence: Uuid,
    tries: i64,
    work: Occurring,
}

/// The work of one occurrence.
#[derive(Debug, Clone)]
pub enum Occurring {
    Ticket(RecurringTicket),
    /// A report for one person.
    Report(MailedReport, PersonId),
}

/// A report in words, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLetter {
    /// Stable, however often it is tried.
    pub id: String,
    pub to_name: String,
    pub to_address: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub csv: String,
    /// The name of its files, without an ending.
    pub file: String,
    pub at: Timestamp,
}

impl Occurrence {
    /// The work.
    pub fn work(&self) -> &Occurring {
        &self.work
    }
}

/// The entries of a schedule that count by themselves: each person's report is one.
pub(super) fn entries(schedule: &Schedule) -> Vec<(String, Occurring)> {
    let id = &schedule.id;
    match &schedule.work {
        Work::Ticket(ticket) => vec![(format!("ticket:{id}"), Occurring::Ticket(ticket.clone()))],
        Work::Report(report) => {
            let one = |to: &PersonId| (format!("report:{id}:{to}"), Occurring::Report(report.clone(), to.clone()));
            report.to.iter().map(one).collect()
        }
    }
}

/// The first occurrence that is due after some time; where many were missed, the first of the last ones.
fn first_due(schedule: &Schedule, organisation: &Organisation, done: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let next = |after: Timestamp| schedule.rhythm.next_after(&organisation.calendar, after).filter(|at| *at <= now);
    let mut missed = std::collections::VecDeque::from([next(done)?]);
    while let Some(at) = missed.back().copied().and_then(next) {
        if missed.len() == MISSED_MAX {
            missed.pop_front();
        }
        missed.push_back(at);
    }
    missed.front().copied()
}

impl Office {
    /// Claims the next occurrence that is due of any entry; `None` where none is. Without a way for mail, reports wait.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read or written.
    pub async fn next_occurrence(&self, has_mail: bool) -> Result<Option<Occurrence>, Error> {
        let (organisation, now) = (self.organisation(), self.clock.now());
        for schedule in &organisation.schedules {
            for (name, work) in entries(schedule) {
                if matches!(work, Occurring::Report(..)) && !has_mail {
                    continue;
                }
                let progress = match self.store.schedule(&name, now).await {
                    // One that is damaged keeps no other waiting.
                    Err(error @ store::Error::Corrupt { .. }) => {
                        self.store.leave_out("schedules", &name, &error);
                        continue;
                    }
                    progress => progress?,
                };
                if progress.leased_until > now || progress.paused_at.is_some() {
                    continue;
                }
                let due = first_due(schedule, &organisation, progress.done_until, now);
                let before_its_time = || {
                    schedule.rhythm.next_after(&organisation.calendar, progress.done_until).filter(|_| progress.wanted)
                };
                let Some(at) = due.or_else(before_its_time) else { continue };
                let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
                let lease = Lease { fence: self.clock.new_id(), now, until };
                if self.store.claim_schedule(&name, progress.done_until, &lease).await? {
                    let tries = progress.attempts + 1;
                    return Ok(Some(Occurrence { name, at, fence: lease.fence, tries, work }));
                }
            }
        }
        Ok(None)
    }

    /// Writes down that an occurrence is done, or that it was tried: then it is tried again, and at last left out.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn occurrence_ended(&self, occurrence: &Occurrence, came: Result<(), String>) -> Result<(), Error> {
        let Occurrence { name, at, fence, tries, .. } = occurrence;
        let ended = |left_out: String| Run { at: *at, done_at: self.clock.now(), left_out };
        match came {
            Ok(()) => drop(self.store.schedule_done(name, *fence, &ended(String::new())).await?),
            Err(why) if *tries >= TRIES_MAX => {
                tracing::error!(name, %at, why, "what comes again by the calendar is left out this time");
                let why = format!("{at} was left out: {why}");
                self.store.schedule_done(name, *fence, &ended(why)).await?;
            }
            Err(why) => {
                tracing::warn!(name, %at, why, tries, "what comes again by the calendar has failed: tried again");
                let doublings = u32::try_from(tries - 1).unwrap_or(DOUBLINGS_MAX).min(DOUBLINGS_MAX);
                let again = later(self.clock.now(), WAIT * 2_i32.pow(doublings));
                self.store.schedule_failed(name, *fence, again, &why).await?;
            }
        }
        Ok(())
    }

    /// A report for one person; `None` where the person is not here any more.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn report_letter(
        &self,
        occurrence: &Occurrence,
        (mailed, to): (&MailedReport, &PersonId),
    ) -> Result<Option<ReportLetter>, Error> {
        let organisation = self.organisation();
        let Some(person) = organisation.people.get(to).filter(|person| person.active) else { return Ok(None) };
        let day = organisation.calendar.zone.to_datetime(occurrence.at).date();
        let Some((from, to_day)) = mailed.over.before(day) else { return Ok(None) };
        let (report, days) = (mailed.report, Days { from, to: to_day });
        let table = self.report(&Actor::System, report, days, mailed.by).await?.per(mailed.per);
        let code = report.code();
        let locale = self.locale_of(person, &self.preference_of(to).await?);
        let (title, name) = (html::title(report, days, &locale), name_of(&organisation, to));
        let words = html::letter(&title, &organisation.name, table.rows.len(), &locale);
        let text = format!("{name},\n\n{words}\n");
        Ok(Some(ReportLetter {
            id: format!("r.{}", digest(format!("{} {}", occurrence.name, occurrence.at).as_bytes()).replace(':', "-")),
            to_name: name,
            to_address: person.email.clone(),
            subject: format!("[{}] {title}", organisation.name),
            text,
            html: html::page(report, days, &table, &locale),
            csv: csv::report(&table),
            file: format!("{code}-{from}-{to_day}"),
            at: occurrence.at,
        }))
    }
}

impl App {
    /// Opens the ticket of an occurrence. Done again, it opens no second one.
    ///
    /// # Errors
    ///
    /// As [`App::create_ticket`].
    pub async fn open_recurring(
        self: &Arc<Self>,
        occurrence: &Occurrence,
        ticket: &RecurringTicket,
    ) -> Result<(), Error> {
        let day = self.organisation().calendar.zone.to_datetime(occurrence.at).date().to_string();
        let text = |pattern: &str| pattern.replace("{date}", &day);
        let submission = Submission {
            request_type: ticket.request_type.to_string(),
            channel: CHANNEL.to_owned(),
            subject: text(&ticket.subject),
            body: text(&ticket.body),
            fields: ticket.fields.clone(),
            ..Submission::default()
        };
        let key = format!("{} {}", occurrence.name, occurrence.at);
        let requester = Some(ticket.requester.clone());
        self.create_ticket(&Actor::System, requester, submission, Some((key.clone(), key))).await.map(drop)
    }
}
