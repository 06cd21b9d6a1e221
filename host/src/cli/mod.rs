//! The command line: one file a command. Each translates its arguments, calls what does the work, and prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::rules::compiler::{self, Means};

mod decisions;
mod desk;
mod import;
mod rule;
mod rules;
mod serve;
mod token;

/// An IT service desk whose decisions are made by WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "ruledesk", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the desk.
    Serve(serve::Serve),
    /// Takes tickets from a CSV file through the whole pipeline and tells what became of them.
    Import(Box<import::Import>),
    /// Gives somebody a token, which is shown once, or takes one back.
    Token(token::Add),
    /// Makes, builds, checks, tests and measures rules, in any language.
    #[command(subcommand)]
    Rule(rule::Command),
    /// Shows the versions of the desk's rules.
    #[command(subcommand)]
    Rules(rules::Command),
    /// Checks what the desk has recorded.
    #[command(subcommand)]
    Decisions(decisions::Command),
    /// Prints the OpenAPI 3.1 document.
    Openapi,
    /// Compiles one rule from standard input to standard output, under limits: what the desk starts for each rule.
    #[command(hide = true)]
    CompileRule {
        #[arg(long)]
        memory_mib: u64,
        #[arg(long)]
        cpu_s: u64,
        /// Quickly instead of well: to be compared with what is compiled well.
        #[arg(long)]
        plainly: bool,
    },
}

/// Where a desk is: what every command needs that opens one.
#[derive(Debug, Clone, Args)]
struct Place {
    /// The configuration directory.
    #[arg(long, default_value = ".")]
    config: PathBuf,
    /// The rules directory; stands above the configuration's.
    #[arg(long)]
    rules: Option<PathBuf>,
    /// The data directory; stands above the configuration's.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The database, `sqlite:FILE` or `postgres://...`; stands above the configuration's.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

/// A sentence for whoever typed the command.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the program.
pub fn run() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::CompileRule { memory_mib, cpu_s, plainly } => {
            let means = if plainly { Means::Plain } else { Means::Usual };
            return compiler::run_child(memory_mib, cpu_s, means);
        }
        Command::Rule(command) => rule::run(command),
        Command::Rules(command) => desk::in_runtime(rules::run(command)),
        Command::Decisions(command) => desk::in_runtime(decisions::run(command)),
        Command::Openapi => openapi(),
        Command::Serve(serve) => desk::in_runtime(serve::run(serve)),
        Command::Import(import) => desk::in_runtime(import::run(*import)),
        Command::Token(add) => desk::in_runtime(token::run(add)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn openapi() -> Result<(), Failure> {
    println!("{}", crate::api::document().to_pretty_json()?);
    Ok(())
}
