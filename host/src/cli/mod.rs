//! The command line: one file a command. Each translates its arguments, calls what does the work, and prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::rules::compiler;

mod rule;

/// An IT service desk whose decisions are made by WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "ruledesk", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Builds rules.
    #[command(subcommand)]
    Rule(RuleCommand),
    /// Compiles one rule from standard input to standard output, under limits: what the desk starts for each rule.
    #[command(hide = true)]
    CompileRule {
        #[arg(long)]
        memory_mib: u64,
        #[arg(long)]
        cpu_s: u64,
    },
}

#[derive(Debug, Subcommand)]
enum RuleCommand {
    /// Builds each directory's rule into a component, beside its manifest or into a rules directory.
    Build {
        /// Directories with a Cargo.toml and a rule.toml.
        #[arg(required = true)]
        directories: Vec<PathBuf>,
        /// The rules directory: gets one folder a rule, with its manifest and its component.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// A sentence for whoever typed the command.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the program.
pub fn run() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::CompileRule { memory_mib, cpu_s } => return compiler::run_child(memory_mib, cpu_s),
        Command::Rule(RuleCommand::Build { directories, out }) => {
            rule::build(&directories, out.as_deref())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
