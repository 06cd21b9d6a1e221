//! `ruledesk rule ...`: the tools of whoever writes rules, one file a command. What they do is in `author`; here it is said.

use clap::Subcommand;

use super::Failure;

mod build;
mod new;

/// What can be done with a rule.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes the folder of a new rule: complete, buildable, commented.
    New(new::New),
    /// Builds each folder's rule into a component, beside its manifest or into a rules directory.
    Build(build::Build),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::New(new) => new::run(&new),
        Command::Build(build) => build::run(&build),
    }
}
