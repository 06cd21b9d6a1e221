//! `ruledesk rules ...`: the rules of a desk in production, one file a command.

use clap::Subcommand;

use super::{Failure, desk};

mod dry_run;

/// What can be asked about a desk's rules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Says what would become of a submission, with the live rules or with others, and writes nothing.
    DryRun(Box<dry_run::DryRun>),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::DryRun(command) => desk::in_runtime(dry_run::run(*command)),
    }
}
