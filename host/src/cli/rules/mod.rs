//! `ruledesk rules ...`: a desk's rules in production, one file a command.

use clap::Subcommand;

use super::{Failure, Place, desk};

mod stats;

/// What can be done about a desk's rules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sums up what a rule did over the last hour, day or week.
    Stats(stats::Stats),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Stats(stats) => desk::in_runtime(stats::run(stats)),
    }
}
