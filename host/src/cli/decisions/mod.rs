//! `ruledesk decisions`: about what the desk has recorded.

use clap::Subcommand;

use super::Failure;

mod chain;

/// What can be done with the records.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Checks the hash chains over all decision records and over the ledger of access.
    Chain(chain::Check),
}

/// Runs one of them.
pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Chain(check) => chain::run(check).await,
    }
}
