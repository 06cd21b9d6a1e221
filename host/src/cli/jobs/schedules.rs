//! `ruledesk jobs schedules`: what comes again by the calendar.

use clap::{Args, Subcommand};

use crate::app::tickets::submit::schedule_acts::{ScheduleStatus, ScheduleStep};
use crate::app::{Error, Office};
use crate::desk::actor::Actor;
use crate::rules::text::shown;

/// Tickets and reports that come again.
#[derive(Debug, Args)]
pub struct Schedules {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists them, with when each comes next.
    List,
    /// Lists the last occurrences of one that ended, the latest first.
    History {
        /// As `jobs schedules list` shows it.
        name: String,
    },
    /// Lets nothing of one come until it is resumed.
    Pause(Step),
    /// Lets one come again; what would have come meanwhile is left out.
    Resume(Step),
    /// Has the next occurrence done within seconds, and not again at its time.
    RunNext(Step),
}

/// The entry and the reason.
#[derive(Debug, Args)]
struct Step {
    /// As `jobs schedules list` shows it.
    name: String,
    /// Kept in the audit.
    #[arg(long)]
    why: String,
}

/// Does it.
pub async fn run(office: &Office, actor: &Actor, arguments: Schedules) -> Result<(), Error> {
    match arguments.command {
        Command::List => {
            let schedules = office.schedules(actor).await?;
            if schedules.is_empty() {
                eprintln!(
                    "nothing comes again: the configuration has no `[[recurring-ticket]]` and no `[[report-by-mail]]`"
                );
            }
            schedules.iter().for_each(print);
        }
        Command::History { name } => {
            for run in office.schedule_runs(actor, &name).await? {
                let came = if run.left_out.is_empty() { "done".to_owned() } else { shown(&run.left_out) };
                println!("{}  {}  {came}", run.at, run.done_at);
            }
        }
        Command::Pause(step) => take(office, actor, ScheduleStep::Pause, &step).await?,
        Command::Resume(step) => take(office, actor, ScheduleStep::Resume, &step).await?,
        Command::RunNext(step) => take(office, actor, ScheduleStep::RunNext, &step).await?,
    }
    Ok(())
}

async fn take(office: &Office, actor: &Actor, step: ScheduleStep, Step { name, why }: &Step) -> Result<(), Error> {
    print(&office.step_schedule(actor, name, step, why).await?);
    Ok(())
}

fn print(ScheduleStatus { name, next_at, progress }: &ScheduleStatus) {
    let paused = progress.as_ref().and_then(|progress| progress.paused_at);
    let next = match (paused, progress.as_ref().is_some_and(|progress| progress.wanted), next_at) {
        (Some(at), ..) => format!("paused since {at}"),
        (None, true, _) => "next at once".to_owned(),
        (None, false, Some(at)) => format!("next {at}"),
        (None, false, None) => "never".to_owned(),
    };
    let failed = progress.as_ref().filter(|progress| !progress.last_error.is_empty());
    let failed = failed.map(|progress| format!("; {}", shown(&progress.last_error))).unwrap_or_default();
    println!("{:<32} {next}{failed}", shown(name));
}
