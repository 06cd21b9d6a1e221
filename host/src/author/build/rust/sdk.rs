//! The Rust SDK as part of the program: a rule in a folder of its own finds it there, without a registry.

use std::path::Path;

use toml::{Table, Value};

use crate::author::build::BuildError;
use crate::author::embed::{FOLDER, embedded, lay_out};
use crate::rules::contract::NEWEST;
use crate::rules::package::CONTRACT_NEWEST;

const SOURCES: [(&str, &str); 25] = embedded!("sdk/src/":
    "access.rs", "alloc.rs", "categorization.rs", "closing.rs", "glue.rs", "index.rs", "intake.rs", "json.rs", "lib.rs",
    "log.rs", "priority.rs", "routing.rs", "settings.rs", "settings/wrong.rs", "tables.rs", "testing/build.rs",
    "testing/examples.rs", "testing/mod.rs", "testing/moment.rs", "testing/sketch.rs", "testing/sparse.rs",
    "testing/spoken.rs", "testing/world.rs", "text.rs", "types.rs");

const WORKSPACE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
const PACKAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/Cargo.toml"));
const GUIDE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/README.md"));

/// Writes the SDK below a rule's folder, if its `Cargo.toml` looks for it there.
///
/// # Errors
///
/// The file that cannot be read or written.
pub fn prepare(directory: &Path) -> Result<(), BuildError> {
    let manifest = directory.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).map_err(|source| BuildError::File { path: manifest, source })?;
    if !text.contains(".ruledesk/sdk") {
        return Ok(());
    }
    let package = package();
    let sources = SOURCES.iter().map(|(path, text)| (format!("src/{path}"), *text));
    let contract = CONTRACT_NEWEST.iter().map(|(path, text)| (format!("wit/{NEWEST}/{path}"), *text));
    let files: Vec<(String, &str)> = sources
        .chain(contract)
        .chain([("README.md".to_owned(), GUIDE), ("Cargo.toml".to_owned(), package.as_str())])
        .collect();
    let sdk = directory.join(FOLDER).join("sdk");
    lay_out(&sdk, files.iter().map(|(path, text)| (path.as_str(), *text)))
        .map_err(|(path, source)| BuildError::File { path, source })
}

/// The SDK's manifest outside of its workspace: what it inherits is written out.
fn package() -> String {
    let read = |text: &str| toml::from_str::<Table>(text).unwrap_or_default();
    let (workspace, mut package) = (read(WORKSPACE), read(PACKAGE));
    let inherited = |table: &str, key: &str| workspace.get("workspace")?.get(table)?.get(key).cloned();
    // The lints of this repository are not those of the rule's author.
    package.remove("lints");
    for (table, source) in [("package", "package"), ("dependencies", "dependencies")] {
        if let Some(Value::Table(table)) = package.get_mut(table) {
            write_out(table, |key| inherited(source, key));
        }
    }
    if let Some(Value::Table(targets)) = package.get_mut("target") {
        for (_, target) in targets.iter_mut() {
            if let Some(Value::Table(table)) = target.get_mut("dependencies") {
                write_out(table, |key| inherited("dependencies", key));
            }
        }
    }
    toml::to_string(&package).unwrap_or_default()
}

fn write_out(table: &mut Table, inherited: impl Fn(&str) -> Option<Value>) {
    for (key, value) in table.iter_mut() {
        if value.get("workspace").is_some()
            && let Some(written) = inherited(key)
        {
            *value = written;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_sdk_is_part_of_the_program() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/src");
        let mut found = Vec::new();
        let mut folders = vec![folder.clone()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&folder).unwrap().display().to_string());
                }
            }
        }
        found.sort();
        let mut listed: Vec<&str> = SOURCES.iter().map(|(path, _)| *path).collect();
        listed.sort_unstable();
        assert_eq!(found, listed);
    }

    #[test]
    fn its_manifest_inherits_nothing() {
        let package = package();
        assert!(!package.contains("workspace"), "{package}");
        assert!(package.contains("edition = \"2024\"") && package.contains("[dependencies.serde]"), "{package}");
    }
}
