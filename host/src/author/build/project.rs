//! What builders share that run a language's own tools: the hidden folder that a project gets, and running a program in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{fs, io};

use super::BuildError;
use crate::rules::contract::{PACKAGE, VERSION};
use crate::rules::load::MANIFEST_FILE;
use crate::rules::package::CONTRACT;
use crate::rules::run::manifest;
use crate::rules::run::stage::Stage;

/// Where a project has the SDK, the contract and what is made on the way; nothing in it is the author's.
pub const HIDDEN: &str = ".ruledesk";
/// The world of a laid-out contract that exports just the project's stages.
pub const WORLD: &str = "this-rule";

/// The stages that the project's manifest names.
///
/// # Errors
///
/// If there is no manifest, or a bad one.
pub fn stages(directory: &Path) -> Result<Vec<Stage>, BuildError> {
    let file = directory.join(MANIFEST_FILE);
    let text = fs::read_to_string(&file).map_err(|source| BuildError::File { path: file.clone(), source })?;
    let manifest = manifest::parse(&file, &text)
        .map_err(|e| BuildError::Source { directory: directory.to_owned(), message: e.to_string() })?;
    if let Some(stage) = manifest.stages.iter().find(|stage| stage.since() != VERSION) {
        let since = stage.since();
        let message = format!("its manifest names `{stage}`, which this language's SDK has not: it came with {since}");
        return Err(BuildError::Source { directory: directory.to_owned(), message });
    }
    Ok(manifest.stages)
}

/// Writes files below the hidden folder, those only that are new or other than before.
///
/// # Errors
///
/// If one cannot be written.
pub fn lay_out(directory: &Path, folder: &str, files: &[(&str, &str)]) -> Result<(), BuildError> {
    for (name, text) in files {
        write(&directory.join(HIDDEN).join(folder).join(name), text)?;
    }
    Ok(())
}

/// Writes the contract, with a world that exports these stages.
///
/// # Errors
///
/// If a file cannot be written.
pub fn lay_out_contract(directory: &Path, stages: &[Stage]) -> Result<(), BuildError> {
    lay_out(directory, "wit", &CONTRACT)?;
    let includes: String = stages.iter().map(|stage| format!("    include {}-rule;\n", stage.name())).collect();
    let world = format!("package {};\n\nworld {WORLD} {{\n{includes}}}\n", package_of_contract());
    lay_out(directory, "wit", &[("this-rule.wit", &world)])
}

fn package_of_contract() -> String {
    format!("{PACKAGE}@{VERSION}")
}

fn write(file: &Path, text: &str) -> Result<(), BuildError> {
    if fs::read(file).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, text))
        .map_err(|source| BuildError::File { path: file.to_owned(), source })
}

/// A command in the project's folder whose output people see, on standard error: standard output is for our own.
pub fn command(directory: &Path, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).stdin(Stdio::null()).stdout(io::stderr()).stderr(Stdio::inherit());
    command
}

/// Runs a program and takes what it prints.
pub fn output(directory: &Path, program: impl AsRef<OsStr>, arguments: &[&str]) -> io::Result<Output> {
    Command::new(program).args(arguments).current_dir(directory).stdin(Stdio::null()).output()
}

/// The first two numbers of a version, such as `v20.11.1` or `Python 3.12.4`.
pub fn version(text: &str) -> Option<(u32, u32)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let mut numbers = text.get(start..)?.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The file's bytes.
///
/// # Errors
///
/// If it cannot be read.
pub fn read(path: PathBuf) -> Result<Vec<u8>, BuildError> {
    fs::read(&path).map_err(|source| BuildError::File { path, source })
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_found_in_what_tools_print() {
        assert_eq!(version("v20.11.1\n"), Some((20, 11)));
        assert_eq!(version("Python 3.12.4"), Some((3, 12)));
        assert_eq!(version("no number"), None);
    }
}
