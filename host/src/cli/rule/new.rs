//! `ruledesk rule new`.

use std::path::PathBuf;

use clap::Args;

use crate::author::language::Language;
use crate::author::new::{Project, create};
use crate::cli::Failure;
use crate::rules::run::stage::Stage;

/// Makes the folder of a new rule.
#[derive(Debug, Args)]
pub struct New {
    /// The name of the rule and its folder: lower-case words with hyphens between them.
    name: String,
    /// `rust`, `javascript`, `typescript`, `python`, `go` or `c`.
    #[arg(long = "lang", value_name = "LANGUAGE", value_parser = language)]
    language: Language,
    /// Where it is asked: `intake`, `categorization`, `priority`, `routing`, `access`, `closing`; several separated by commas.
    #[arg(long = "stage", value_name = "STAGE", value_delimiter = ',', required = true)]
    stages: Vec<Stage>,
    /// The folder to make the new one in.
    #[arg(long = "in", value_name = "DIR", default_value = ".")]
    parent: PathBuf,
}

fn language(name: &str) -> Result<Language, String> {
    Language::named(name).ok_or_else(|| "use rust, javascript, typescript, python, go or c".to_owned())
}

/// Makes the folder and says what to do next.
pub fn run(new: &New) -> Result<(), Failure> {
    let project = Project::new(&new.name, &new.stages)?;
    let directory = create(&new.parent, &project, new.language)?;
    let shown = directory.strip_prefix(".").unwrap_or(&directory).display();
    println!("{shown} is a rule in {} now. Next:", new.language);
    println!("  cd {shown}");
    println!("  ruledesk rule build   # makes rule.wasm");
    println!("  ruledesk rule test    # asks it the manifest's examples and the cases");
    println!("README.md has the rest.");
    Ok(())
}
