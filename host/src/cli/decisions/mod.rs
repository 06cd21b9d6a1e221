//! `ruledesk decisions`: about what the desk has recorded.

use clap::Subcommand;

use super::{Failure, desk};

mod chain;
mod verify;

/// What can be done with the records.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Checks the hash chains over all decision records and over the ledger of access.
    Chain(chain::Check),
    /// Asks the rules that decided again and proves that they give the recorded answers.
    Verify(verify::Verify),
}

/// Runs one of them.
pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Chain(check) => chain::run(check).await,
        Command::Verify(verify) => verify::run(verify).await,
    }
}
