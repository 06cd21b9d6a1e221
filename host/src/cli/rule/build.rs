//! `ruledesk rule build`: from source to a component that a desk takes.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::Failure;
use crate::author::build;
use crate::rules::inspect::inspect;
use crate::rules::load::{COMPONENT_FILE, MANIFEST_FILE};
use crate::rules::manifest;

/// The largest component that `build` accepts, in bytes; a desk may be stricter.
const COMPONENT_BYTES_MAX: usize = 64 << 20;

/// Builds each directory's rule into a component, beside its manifest or into a rules directory.
#[derive(Debug, Args)]
pub struct Build {
    /// Folders of rules.
    #[arg(default_value = ".")]
    directories: Vec<PathBuf>,
    /// The rules directory: gets one folder a rule, with its manifest and its component.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Settings to write into the manifest instead of its own; its examples, which are about its own, are left out.
    #[arg(long, requires = "out")]
    settings: Option<PathBuf>,
}

/// Builds each directory's rule and puts it where a desk finds it.
pub fn run(build: &Build) -> Result<(), Failure> {
    build_all(&build.directories, build.out.as_deref(), build.settings.as_deref())
}

fn build_all(directories: &[PathBuf], out: Option<&Path>, settings: Option<&Path>) -> Result<(), Failure> {
    for directory in directories {
        let manifest_file = directory.join(MANIFEST_FILE);
        let manifest_text = fs::read_to_string(&manifest_file)
            .map_err(|e| format!("{} cannot be read: {e}", manifest_file.display()))?;
        let manifest_text = match settings {
            Some(settings) => with_settings(&manifest_text, settings)?,
            None => manifest_text,
        };
        let manifest = manifest::parse(&manifest_file, &manifest_text)?;
        let component = build::component(directory)?;
        let inspection =
            inspect(&component, COMPONENT_BYTES_MAX).map_err(|e| format!("{}: {e}", directory.display()))?;
        let target = match (out, directory.file_name()) {
            (Some(out), Some(name)) => out.join(name),
            (Some(_), None) => return Err(format!("{}: name the directory itself", directory.display()).into()),
            (None, _) => directory.clone(),
        };
        // The manifest last: what watches the folder sees the component first, and the pair settles together.
        fs::create_dir_all(&target)?;
        replace(&target.join(COMPONENT_FILE), &component)?;
        if out.is_some() {
            replace(&target.join(MANIFEST_FILE), manifest_text.as_bytes())?;
        }
        println!(
            "{} {}: {} KiB, exports {}, imports {} -> {}",
            manifest.name,
            manifest.version,
            component.len().div_ceil(1024),
            inspection.stages.iter().map(|s| s.name()).collect::<Vec<_>>().join(", "),
            if inspection.imports.is_empty() { "nothing".to_owned() } else { inspection.imports.join(", ") },
            target.display()
        );
    }
    Ok(())
}

/// A manifest with other settings, and without the examples that were about its own.
fn with_settings(manifest: &str, settings: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(settings).map_err(|e| format!("{} cannot be read: {e}", settings.display()))?;
    let mut given: toml::Table = toml::from_str(&text).map_err(|e| format!("{}: {e}", settings.display()))?;
    let own = given.remove("settings").unwrap_or(toml::Value::Table(given));
    let mut manifest: toml::Table = toml::from_str(manifest)?;
    manifest.insert("settings".to_owned(), own);
    manifest.remove("example");
    Ok(toml::to_string(&manifest)?)
}

/// Writes a file so that nobody ever sees half of it.
fn replace(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let temporary = file.with_extension("new");
    fs::write(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, file))
        .map_err(|e| format!("{} cannot be written: {e}", file.display()).into())
}
