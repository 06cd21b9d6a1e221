//! `ruledesk rules ...`: the rules of a desk in production, beside the desk; one file a command.

use clap::Subcommand;

use super::{Failure, Place, desk};

mod archive;
mod backtest;
mod dry_run;
mod stats;

/// What can be done with a desk's rules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Says what would become of a submission, with the live rules or with others, and writes nothing.
    DryRun(Box<dry_run::DryRun>),
    /// Tells what recorded decisions would have been under other rules or settings.
    Backtest(Box<backtest::Backtest>),
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
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::DryRun(command) => desk::in_runtime(dry_run::run(*command)),
        Command::Backtest(backtest) => desk::in_runtime(backtest::run(*backtest)),
        Command::Stats(stats) => desk::in_runtime(stats::run(stats)),
        Command::Versions(versions) => desk::in_runtime(archive::versions(versions)),
        Command::Diff(diff) => desk::in_runtime(archive::diff(diff)),
        Command::Download(download) => desk::in_runtime(archive::download(download)),
    }
}
