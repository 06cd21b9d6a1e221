//! `ruledesk rules versions`, `diff` and `download`: the archive of rules.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use crate::app::Error;
use crate::app::rollout::archive::Version;
use crate::cli::desk::{self, Shell};
use crate::cli::{Failure, Place};
use crate::rules::load::trust::SIGNATURE_FILE;
use crate::rules::load::{COMPONENT_FILE, MANIFEST_FILE};

/// Lists the versions of a rule that have decided, the newest first.
#[derive(Debug, Args)]
pub struct Versions {
    /// The rule's name.
    name: String,
    #[command(flatten)]
    place: Place,
}

/// Shows how two versions of a rule differ.
#[derive(Debug, Args)]
pub struct Diff {
    /// The rule's name.
    name: String,
    /// The beginning of a version's digest: of its component, of its manifest, or of both with a hyphen between them.
    from: String,
    /// The other version's.
    to: String,
    #[command(flatten)]
    place: Place,
}

/// Writes a version's manifest and component into a folder, and its signature where it has one.
#[derive(Debug, Args)]
pub struct Download {
    /// The rule's name.
    name: String,
    /// The beginning of the version's digest: of its component, of its manifest, or of both with a hyphen between them.
    digest: String,
    /// The folder, which is made; it can be put into a rules directory as it is.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Prints a line a version.
pub async fn versions(asked: Versions) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&asked.place, None).await?;
    let found = office.rule_versions(&actor, &asked.name, 0, usize::MAX).await;
    office.close().await;
    for version in found?.items {
        let stages: Vec<&str> = version.stages.iter().map(|stage| stage.name()).collect();
        let damage = version.damage.as_ref().map_or_else(String::new, |damage| format!("  DAMAGED: {damage}"));
        println!(
            "{}  {}  {:>9} bytes  {}  {}{damage}",
            short(&version),
            version.version,
            version.component_bytes,
            version.first_seen,
            stages.join(", ")
        );
    }
    Ok(())
}

fn short(version: &Version) -> String {
    version.id().map_or_else(|damage| damage.to_string(), |id| id.short())
}

/// Prints what differs, settings first.
pub async fn diff(asked: Diff) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&asked.place, None).await?;
    let found = office.rule_difference(&actor, &asked.name, &asked.from, &asked.to).await;
    office.close().await;
    let found = found?;
    let same = found.from.component_digest == found.to.component_digest;
    println!("{}: {} -> {}", asked.name, short(&found.from), short(&found.to));
    println!("component: {}", if same { "the same" } else { "another" });
    for change in &found.changes {
        let shown =
            |value: &Option<serde_json::Value>| value.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        println!("{}: {} -> {}", change.key, shown(&change.from), shown(&change.to));
    }
    if !found.lines.is_empty() {
        println!("\n{}", found.lines.trim_end());
    }
    Ok(())
}

/// Writes the files.
pub async fn download(asked: Download) -> Result<(), Failure> {
    let Shell { office, actor } = desk::shell(&asked.place, None).await?;
    let found = async {
        let (version, kept) = office.rule_version(&actor, &asked.name, &asked.digest).await?;
        let signature = office.rule_signature(&actor, &version).await?;
        Ok::<_, Error>((version, kept, signature))
    };
    let found = found.await;
    office.close().await;
    let (version, kept, signature) = found?;
    let failed = |error: std::io::Error| format!("{} cannot be written: {error}", asked.out.display());
    fs::create_dir_all(&asked.out).map_err(failed)?;
    fs::write(asked.out.join(COMPONENT_FILE), kept.component).map_err(failed)?;
    fs::write(asked.out.join(MANIFEST_FILE), kept.manifest).map_err(failed)?;
    let beside = asked.out.join(SIGNATURE_FILE);
    match signature {
        Some(signature) => fs::write(beside, signature).map_err(failed)?,
        // One that is there from another version is not this one's.
        None if beside.exists() => fs::remove_file(beside).map_err(failed)?,
        None => {}
    }
    println!("{} {} ({}) -> {}", asked.name, version.version, short(&version), asked.out.display());
    Ok(())
}
