//! `ruledesk rules ...`: the rules of a desk in production, beside the desk; one file a command.

use clap::Subcommand;

use super::{Failure, Place, desk};

mod backtest;
mod stats;

/// What can be done with a desk's rules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tells what recorded decisions would have been under other rules or settings.
    Backtest(Box<backtest::Backtest>),
    /// Sums up what a rule did over the last hour, day or week.
    Stats(stats::Stats),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Backtest(backtest) => desk::in_runtime(backtest::run(*backtest)),
        Command::Stats(stats) => desk::in_runtime(stats::run(stats)),
    }
}
