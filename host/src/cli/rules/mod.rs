//! `ruledesk rules ...`: the rules of a desk in production, beside the desk.

use clap::Subcommand;

use super::{Failure, desk};

mod backtest;

/// What can be done with a desk's rules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tells what recorded decisions would have been under other rules or settings.
    Backtest(Box<backtest::Backtest>),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Backtest(backtest) => desk::in_runtime(backtest::run(*backtest)),
    }
}
