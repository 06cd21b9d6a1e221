//! `ruledesk rules`: about the desk's rules in production. (`ruledesk rule` is for whoever writes one.)

use clap::Subcommand;

use super::{Failure, desk};

mod archive;
mod backtest;

/// What can be done with the desk's rules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the versions of a rule that have decided, the newest first.
    Versions(archive::Versions),
    /// Shows how two versions of a rule differ: settings by key, and the manifest's lines.
    Diff(archive::Diff),
    /// Writes a version's manifest and component into a folder, as they were shipped.
    Download(archive::Download),
    /// Tells what recorded decisions would have been under other rules or settings.
    Backtest(Box<backtest::Backtest>),
}

/// Runs one of them.
pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Versions(versions) => archive::versions(versions).await,
        Command::Diff(diff) => archive::diff(diff).await,
        Command::Download(download) => archive::download(download).await,
        Command::Backtest(backtest) => backtest::run(*backtest).await,
    }
}
