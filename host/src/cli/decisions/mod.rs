//! `ruledesk decisions ...`: what the desk has recorded about its decisions, held to account.

use clap::Subcommand;

use super::{Failure, desk};

mod verify;

/// What can be done with recorded decisions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Asks the rules that decided again and proves that they give the recorded answers.
    Verify(verify::Verify),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Verify(verify) => desk::in_runtime(verify::run(verify)),
    }
}
