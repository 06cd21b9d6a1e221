//! `ruledesk rules ...`: the rules of a desk in production, from a process of their own; one file a command.

use clap::Subcommand;

use super::{Failure, Place, desk};
use crate::app::rollout::steps::{Command as Order, Part};
use steps::{Approve, Events, List, Meant, Move, One};

mod archive;
mod backtest;
mod deploy;
mod dry_run;
mod stats;
mod steps;

/// The commands about a desk's rules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows every rule's versions and parts.
    List(List),
    /// Says what would become of a submission, with the live rules or with others, and writes nothing.
    DryRun(Box<dry_run::DryRun>),
    /// Shows what recorded decisions would have been under other rules or settings.
    Backtest(Box<backtest::Backtest>),
    /// Checks a rule's folder as a desk does and deploys it, without the rules directory.
    Deploy(deploy::Deploy),
    /// Lets the candidate play a higher part: shadow, canary or active.
    Promote(Move),
    /// Lets the candidate step back: to loaded, shadow or a smaller canary.
    Demote(Move),
    /// Agrees, as a second person (--as), that a proposed version becomes active, or that a rule be retired.
    Approve(Approve),
    /// Returns to the version before, whatever the directory holds.
    Rollback(One),
    /// Takes the active version out; the version before takes over.
    Suspend(Meant),
    /// Puts a suspended version back.
    Resume(One),
    /// Ends a rule: none of its versions is asked any more.
    Retire(One),
    /// Shows what happened to a rule's versions, the latest first.
    Events(Events),
    /// Sums up what a rule did over the last hour, day or week.
    Stats(stats::Stats),
    /// Lists the versions of a rule that have decided, the newest first.
    Versions(archive::Versions),
    /// Shows how two versions of a rule differ: settings by key, and the manifest's lines.
    Diff(archive::Diff),
    /// Writes a version's manifest and component into a folder, as they were shipped.
    Download(archive::Download),
}

/// Does it.
pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(List { place }) => steps::list(&place).await,
        Command::DryRun(command) => dry_run::run(*command).await,
        Command::Backtest(backtest) => backtest::run(*backtest).await,
        Command::Deploy(deploy) => deploy::run(deploy).await,
        Command::Promote(to) => {
            let part = to.part();
            steps::act(to.meant.one, Order::Promote { part, version: to.meant.version }).await
        }
        Command::Demote(to) => match to.part() {
            Part::Trial(trial) => steps::act(to.meant.one, Order::Demote { trial, version: to.meant.version }).await,
            Part::Active => Err("nothing is demoted to `active`: use promote".into()),
        },
        Command::Approve(Approve { one, version }) => steps::act(one, Order::Approve { version }).await,
        Command::Rollback(one) => steps::act(one, Order::RollBack).await,
        Command::Suspend(Meant { one, version }) => steps::act(one, Order::Suspend { version }).await,
        Command::Resume(one) => steps::act(one, Order::Resume).await,
        Command::Retire(one) => steps::act(one, Order::Retire).await,
        Command::Events(Events { place, name }) => steps::events(&place, &name).await,
        Command::Stats(stats) => stats::run(stats).await,
        Command::Versions(versions) => archive::versions(versions).await,
        Command::Diff(diff) => archive::diff(diff).await,
        Command::Download(download) => archive::download(download).await,
    }
}
