//! `ruledesk init` and `ruledesk check`: a small configuration to start from, and whether one is right.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::configuration;
use crate::cli::which::counted;
use crate::cli::{Failure, Place};

/// The files of the configuration to start from.
const FILES: [(&str, &str); 5] = [
    ("desk.toml", include_str!("start/desk.toml")),
    ("people.toml", include_str!("start/people.toml")),
    ("teams.toml", include_str!("start/teams.toml")),
    ("taxonomy.toml", include_str!("start/taxonomy.toml")),
    ("request-types.toml", include_str!("start/request-types.toml")),
];

/// Writes a small configuration with comments, to start from.
#[derive(Debug, Args)]
pub struct Init {
    /// The directory, which is made where it is not there. No file in it is written over.
    directory: PathBuf,
}

/// Checks a configuration directory; ends with 1, and says all that is wrong, where it is not right.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    place: Place,
}

/// Writes the files, or none of them.
pub fn init(init: &Init) -> Result<(), Failure> {
    let directory = &init.directory;
    let wrong = |file: &Path, error: std::io::Error| format!("{} cannot be written: {error}", file.display());
    std::fs::create_dir_all(directory).map_err(|error| wrong(directory, error))?;
    let there = FILES.iter().find(|(name, _)| directory.join(name).exists());
    if let Some((name, _)) = there {
        return Err(format!("{} is there already: nothing was written", directory.join(name).display()).into());
    }
    for (name, text) in FILES {
        let path = directory.join(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| wrong(&path, error))?;
    }
    std::fs::create_dir_all(directory.join("rules")).map_err(|error| wrong(directory, error))?;
    let directory = directory.display();
    println!("{} files are in {directory}: change them, then", FILES.len());
    println!("  ruledesk check --config {directory}");
    println!("  ruledesk token password alex --roles admin --config {directory}");
    println!("  ruledesk serve --config {directory}");
    println!("The second gives alex a password to sign in with; `ruledesk config reference` has every key.");
    println!("Rules go into {directory}/rules; without any, each ticket gets the `[defaults]` of desk.toml.");
    Ok(())
}

/// Says that a configuration is right, with how much is in it.
pub fn check(check: &Check) -> Result<(), Failure> {
    let (config, source) = configuration(&check.place, None)?;
    let organisation = &config.organisation;
    let counts = [
        counted(organisation.people.len(), "person", "people"),
        counted(organisation.teams.len(), "team", "teams"),
        counted(organisation.categories.len(), "category", "categories"),
        counted(organisation.request_types.len(), "request type", "request types"),
        counted(organisation.apps.len(), "app", "apps"),
        counted(config.tables.len(), "reference table", "reference tables"),
    ];
    println!("the configuration in {} is right: {}", source.directory.display(), counts.join(", "));
    Ok(())
}
