//! `ruledesk import`: tickets from a file, through the very pipeline that serves requests.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;

use super::{Failure, Found, Place, desk};
use crate::app::tickets::submit::{self, CreatedTicket};
use crate::app::{App, Error};
use crate::desk::actor::Actor;
use crate::desk::id::PersonId;
use crate::desk::organisation::form::Raw;
use crate::desk::ticket::history::log::LogEvent;
use crate::desk::ticket::history::{Past, PastComment};
use crate::desk::ticket::intake::Submission;
use crate::desk::ticket::timeline::Visibility;
use crate::import::{
    Comment, HeldBack, ImportedTicket, LabelKind, Labels, Outcome, Preset, Row, RowWrong, Summary, Tickets,
};
use crate::rows::{Encoding, Separator};
use crate::rules::digest::Digest;
use crate::rules::text::{in_json, shown};

mod file;
mod log;
mod plan;

use file::Given;
use log::Logged;

/// Tickets on their way at once: enough to fill a batch of the writer.
const IN_FLIGHT_MAX: usize = 64;
/// How long a ticket waits before it tries again where the desk has too much to do.
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// How often it tries before the import gives up.
const BUSY_TRIES_MAX: u32 = 1_500;

/// Takes tickets from a file of rows through the whole pipeline and sums up the outcome.
///
/// Ends with 0 where every row is a ticket, with 3 where rows were refused (the summary says which and why; all others are
/// imported), with 1 where the file or the desk stopped the import.
#[derive(Debug, Args)]
pub struct Import {
    #[command(flatten)]
    place: Place,
    /// The file, or `-` for standard input; what gzip has packed is unpacked on the way. One that ends with `.json`, `.jsonl` or
    /// `.ndjson` has objects, in a list or one a line: then a column is a field, or the way to one, such as `requester.email`.
    file: PathBuf,
    /// The meaning of a column: `subject=title`, `body=Document`, `field.service=cmdb_ci`, `requester=caller` (an id or a mail
    /// address), `label.category=Topic_group` (also `label.priority`, `label.team`); with `--history` also `created-at`,
    /// `resolved-at`, `closed-at`, `state`, `assignee` and `comments` (a JSON list, or `TIME;AUTHOR;TEXT`, in one column or in several of one
    /// name): those that do not say that they are public become private notes; with `public-comments` it is the other way round.
    #[arg(long, required_unless_present = "preset")]
    map: Vec<String>,
    /// The export of another desk, whose columns and values are known: `zendesk`, `servicenow`, `jira`, `zammad`, `glpi`, `otrs` or
    /// `freshservice`. What is mapped besides stands in place of what the preset says.
    #[arg(long)]
    preset: Option<Preset>,
    /// The meaning of a text in a column: `label.category:HR Support=hr`.
    #[arg(long)]
    map_value: Vec<String>,
    /// The request type of all tickets.
    #[arg(long)]
    request_type: String,
    /// The person who submits tickets whose row names no one.
    #[arg(long)]
    requester: PersonId,
    /// Keep only rows whose key hashes into a share: `sha256:51` keeps about 20 %, `sha256:51:number` by that column.
    #[arg(long)]
    only_held_back: Option<HeldBack>,
    /// Keep only the first row of each text in this column.
    #[arg(long)]
    first_by: Option<String>,
    /// A cell that stands for no value, such as `?`.
    #[arg(long)]
    missing: Option<String>,
    /// How times are written, as in strptime, such as `%d.%m.%Y %H:%M`, or `excel` for the numbers of spreadsheets; RFC 3339 where
    /// nothing is said.
    #[arg(long)]
    time_format: Option<String>,
    /// The separator of two cells, such as `;` or `tab`; found out where nothing is said.
    #[arg(long)]
    delimiter: Option<Separator>,
    /// The encoding, such as `windows-1252` or `utf-16le`; found out where nothing is said.
    #[arg(long)]
    encoding: Option<Encoding>,
    /// The column that tells the rows apart, such as the number in the old desk: no row becomes a ticket twice, also
    /// where the rest of the file changes.
    #[arg(long)]
    key: Option<String>,
    /// Takes the tickets over as they stood: no rule is asked, no message is sent, no access is granted, and no promise
    /// begins. Labels are what was decided; times, states and assignees are kept; requesters may have left.
    #[arg(long)]
    history: bool,
    /// Each row is an event of a ticket, which `--key` names: `created-at` is when it happened, `state` and `label.team` where the ticket
    /// stood from then on. Its life is gone through again, with the promises that it would have had; a jump that no ticket can make
    /// is named with its line, and its ticket left out.
    #[arg(long, requires_all = ["history", "key"])]
    log: bool,
    /// The channel that tickets name.
    #[arg(long, default_value = "import", value_parser = plan::channel)]
    channel: String,
    /// Gives tickets their numbers in the order of the rows, which takes longer: one is made after the other.
    #[arg(long)]
    in_order: bool,
    /// Stop after so many tickets.
    #[arg(long)]
    limit: Option<u64>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// Imports a file and prints the summary. A row that the form or the rules refuse is that row's problem: the others go on.
pub async fn run(import: Import) -> Result<(), Failure> {
    let (config, source) = desk::configuration(&import.place, None)?;
    let zone = config.organisation.calendar.zone.clone();
    let plan = plan::plan(&import, zone, &config.organisation)?;
    let actor = desk::actor(&config, None)?;
    let app = desk::open(config, source).await?;
    let file = Given::open(&import.file)?;
    let tickets = match file.json(import.encoding)? {
        Some(text) => Tickets::of_json(&text, plan),
        None => Tickets::open(file.reader()?, plan),
    };
    let mut tickets = tickets.map_err(|error| plan::not_opened(error, import.preset.is_some()))?;
    let mut flight = Flight {
        app: Arc::clone(&app),
        actor,
        file: file.digest()?,
        request_type: import.request_type.clone(),
        channel: import.channel.clone(),
        history: import.history,
        at_once: if import.in_order { 1 } else { IN_FLIGHT_MAX },
        running: JoinSet::new(),
        keys: HashMap::new(),
        twice: HashMap::new(),
        summary: Summary::default(),
        bar: bar(import.json),
    };
    #[expect(clippy::disallowed_methods, reason = "measures the import")]
    let start = Instant::now();
    let read = flight.take_off(&mut tickets, import.log).await;
    let mut summary = flight.land().await?;
    summary.skipped = tickets.skipped();
    summary.unmet_values = tickets.unmet_values();
    summary.elapsed = start.elapsed();
    app.close().await;
    if import.json {
        println!("{}", in_json(&format!("{:#}", summary.json())));
    } else {
        println!("{}", summary.text(shown));
    }
    // The tickets above the place where it stopped are there, and the summary has said how many.
    read?;
    match summary.rejected() {
        0 => Ok(()),
        refused => {
            // Without a key, a changed file is another file, all of whose rows are new.
            let told = match import.key {
                Some(_) => "the summary says which and why; correct them in the file and import it again",
                None => "the summary says which and why; import those that you correct as a file of their own",
            };
            Err(Found(format!("{refused} row(s) were refused: {told}")).into())
        }
    }
}

/// The ticket that a row asks for.
enum Wanted {
    New { requester: PersonId, submission: Box<Submission> },
    TakenOver(Box<Past>),
    Logged(Box<(Past, Vec<LogEvent>)>),
}

/// The key under which a row is taken in, with the digest of all that it is made of.
struct Claim {
    now: (String, String),
    /// The same with the key as earlier versions read it, where they read another.
    earlier: Option<(String, String)>,
}

impl Claim {
    /// A key of the source may be long and of any letters.
    fn of(kind: &str, ticket: &ImportedTicket, digest: &str) -> Option<Self> {
        let named = |key: &String| (format!("{kind}-{}", Digest::of(key.as_bytes())), digest.to_owned());
        Some(Self { now: ticket.key.as_ref().map(named)?, earlier: ticket.earlier_key.as_ref().map(named) })
    }
}

/// Makes a ticket, and tries again while the desk has too much to do.
async fn make(
    app: &Arc<App>,
    actor: &Actor,
    wanted: &Wanted,
    Claim { now: claim, earlier }: &Claim,
) -> Result<CreatedTicket, Error> {
    if let Some(earlier) = earlier
        && let Some(made) = app.imported_before(actor, earlier.clone()).await?
    {
        return Ok(made);
    }
    let mut tries = 0;
    loop {
        let made = match wanted {
            Wanted::New { requester, submission } => {
                let (requester, submission) = (Some(requester.clone()), Submission::clone(submission));
                app.create_ticket(actor, requester, submission, Some(claim.clone())).await
            }
            Wanted::Logged(logged) => {
                let (past, events) = logged.as_ref();
                app.take_over_log(actor, past.clone(), events, claim.clone()).await
            }
            Wanted::TakenOver(past) => app.take_over_ticket(actor, Past::clone(past), claim.clone()).await,
        };
        tries += 1;
        match made {
            Err(Error::Busy(_)) if tries < BUSY_TRIES_MAX => pause().await,
            other => return other,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the desk does not say when it has less to do")]
async fn pause() {
    tokio::time::sleep(BUSY_PAUSE).await;
}

fn bar(hidden: bool) -> ProgressBar {
    if hidden {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {pos} tickets, {per_sec}, {elapsed}");
    let bar = ProgressBar::new_spinner();
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The labels by field, as they are kept.
fn kept(labels: &Labels) -> Vec<(&'static str, String)> {
    let label = |kind: LabelKind| Some((kind.code(), labels.get(kind)?.to_owned()));
    LabelKind::ALL.into_iter().filter_map(label).collect()
}

fn comment(comment: Comment) -> PastComment {
    let visibility = if comment.is_public { Visibility::Public } else { Visibility::Internal };
    PastComment { at: comment.at, author: comment.author, body: comment.body, visibility }
}

fn texts(fields: Vec<(String, String)>) -> Vec<(String, Raw)> {
    fields.into_iter().map(|(name, text)| (name, Raw::Text(text))).collect()
}

/// The outcome of a row.
struct Landed {
    line: u64,
    /// Whether the row has a key of its own in its source.
    keyed: bool,
    made: Result<CreatedTicket, Error>,
    labels: Labels,
}

/// The tickets that are on their way.
struct Flight {
    app: Arc<App>,
    actor: Actor,
    /// The file's digest: with a row's line the idempotency key, so that an import which was cut off can be run again.
    file: Digest,
    request_type: String,
    channel: String,
    history: bool,
    /// Rows that are on their way together.
    at_once: usize,
    running: JoinSet<Landed>,
    /// The lines of the keys that rows have had, by their idempotency keys.
    keys: HashMap<String, u64>,
    /// The lines whose key a line above had, with that line.
    twice: HashMap<u64, u64>,
    summary: Summary,
    bar: ProgressBar,
}

impl Flight {
    /// Takes the rows on their way until the file ends or nothing goes on.
    async fn take_off(&mut self, tickets: &mut Tickets<'_>, log: bool) -> Result<(), Failure> {
        if log {
            log::take_over(self, tickets).await?;
        }
        while let Some(row) = tickets.next_row()? {
            match row {
                Row::Ticket(ticket) => self.submit(*ticket).await?,
                Row::Problem(problem) => self.refuse(problem.line, &problem.wrong),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, wrong: &RowWrong) {
        self.summary.reject(line, wrong.reason(), wrong.to_string());
    }

    async fn submit(&mut self, ticket: ImportedTicket) -> Result<(), Failure> {
        while self.running.len() >= self.at_once {
            self.land_one().await?;
        }
        let digest = submit::digest(&self.request(&ticket));
        let by_line = || (format!("import-{}-{}", self.file, ticket.line), digest.clone());
        let claim = Claim::of("import-key", &ticket, &digest);
        let claim = claim.unwrap_or_else(|| Claim { now: by_line(), earlier: None });
        let (line, keyed) = (ticket.line, ticket.key.is_some());
        if keyed && let Some(above) = self.keys.insert(claim.now.0.clone(), line) {
            // The row above is the ticket, whichever would be faster.
            self.twice.insert(line, above);
            while !self.running.is_empty() {
                self.land_one().await?;
            }
        }
        let labels = if self.history { Labels::default() } else { ticket.labels.clone() };
        let wanted = if self.history {
            let Some(past) = self.past(ticket) else {
                self.refuse(line, &RowWrong::NoTime);
                return Ok(());
            };
            Wanted::TakenOver(Box::new(past))
        } else {
            self.wanted(ticket)
        };
        self.start((line, keyed, labels), wanted, claim);
        Ok(())
    }

    /// Takes a ticket over with its log.
    async fn take_over(&mut self, logged: Logged) -> Result<(), Failure> {
        while self.running.len() >= IN_FLIGHT_MAX {
            self.land_one().await?;
        }
        let Logged { past, line, events, claim } = logged;
        self.start((line, true, Labels::default()), Wanted::Logged(Box::new((past, events))), claim);
        Ok(())
    }

    fn start(&mut self, (line, keyed, labels): (u64, bool, Labels), wanted: Wanted, claim: Claim) {
        let (app, actor) = (Arc::clone(&self.app), self.actor.clone());
        self.running.spawn(async move {
            let made = match make(&app, &actor, &wanted, &claim).await {
                Ok(created) => app.keep_labels(&actor, created.ticket.number, kept(&labels)).await.map(|()| created),
                refused => refused,
            };
            Landed { line, keyed, made, labels }
        });
    }

    fn wanted(&self, ticket: ImportedTicket) -> Wanted {
        let submission = Submission {
            request_type: self.request_type.clone(),
            channel: self.channel.clone(),
            subject: ticket.subject,
            body: ticket.body,
            fields: texts(ticket.fields),
            ..Submission::default()
        };
        Wanted::New { requester: ticket.requester, submission: Box::new(submission) }
    }

    /// A ticket as it stood; `None` where it does not say when it was created.
    fn past(&self, ticket: ImportedTicket) -> Option<Past> {
        let ImportedTicket { subject, body, fields, requester, past, labels, .. } = ticket;
        let created_at = past.created_at?;
        Some(Past {
            request_type: self.request_type.clone(),
            channel: self.channel.clone(),
            requester,
            subject,
            body,
            fields: texts(fields),
            created_at,
            resolved_at: past.resolved_at,
            closed_at: past.closed_at,
            state: past.state,
            assignee: past.assignee,
            category: labels.category,
            priority: labels.priority,
            team: labels.team,
            comments: past.comments.into_iter().map(comment).collect(),
        })
    }

    /// All that makes the ticket what it is, each part apart from the next.
    fn request(&self, ticket: &ImportedTicket) -> Vec<u8> {
        let ImportedTicket { subject, body, fields, requester, past, .. } = ticket;
        let parts = (&self.request_type, &self.channel, requester.as_str(), subject, body, fields);
        let comment =
            |c: &Comment| (c.at.to_string(), c.author.as_ref().map(ToString::to_string), c.body.clone(), c.is_public);
        let thread: Vec<_> = past.comments.iter().map(comment).collect();
        // Without a thread, it is what an earlier program made of it.
        let whole = if thread.is_empty() { serde_json::json!(parts) } else { serde_json::json!([parts, thread]) };
        whole.to_string().into_bytes()
    }

    async fn land(mut self) -> Result<Summary, Failure> {
        while !self.running.is_empty() {
            self.land_one().await?;
        }
        self.bar.finish_and_clear();
        Ok(self.summary)
    }

    async fn land_one(&mut self) -> Result<(), Failure> {
        let Some(landed) = self.running.join_next().await else { return Ok(()) };
        let Landed { line, keyed, made, labels } = landed?;
        self.bar.inc(1);
        match made {
            Ok(CreatedTicket { new: false, .. }) => {
                self.summary.found_before();
                Ok(())
            }
            Ok(CreatedTicket { ticket, rules_asked, .. }) => {
                let outcome = Outcome {
                    category: ticket.category.as_str(),
                    priority: ticket.priority.as_str(),
                    team: ticket.team.as_str(),
                    decisions: u64::try_from(rules_asked).unwrap_or(u64::MAX),
                };
                self.summary.accept(&outcome, &labels);
                Ok(())
            }
            Err(Error::Rejected { problems }) if problems.iter().any(|p| log::line_of(&p.field).is_some()) => {
                for problem in problems {
                    let at = log::line_of(&problem.field).unwrap_or(line);
                    self.summary.reject(at, &problem.code, problem.message);
                }
                Ok(())
            }
            Err(Error::Rejected { problems }) => {
                let reasons: BTreeSet<String> =
                    problems.iter().map(|problem| format!("{}: {}", problem.field, problem.code)).collect();
                let wrong: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.field, p.message)).collect();
                self.summary.reject(line, &Vec::from_iter(reasons).join(", "), wrong.join("; "));
                Ok(())
            }
            // Whatever is refused about a row, it stops no other.
            Err(error @ Error::Refused(_)) => {
                self.summary.reject(line, "not allowed", error.to_string());
                Ok(())
            }
            Err(Error::KeyReused) if keyed => {
                match self.twice.get(&line).copied() {
                    Some(above) => self.refuse(line, &RowWrong::KeyTwice { above }),
                    None => self.summary.changed_since(),
                }
                Ok(())
            }
            Err(Error::KeyReused) => {
                let wrong = "this row was imported before as another ticket, by other arguments".to_owned();
                self.summary.reject(line, "imported before otherwise", wrong);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
