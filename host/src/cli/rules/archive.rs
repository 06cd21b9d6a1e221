//! `ruledesk rules versions`, `diff` and `download`: the archive of rules.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::api::rules::versions::{DifferenceView, VersionView};
use crate::app::Error;
use crate::app::rollout::archive::Version;
use crate::cli::desk::remote::{part, word};
use crate::cli::desk::{self, Shell};
use crate::cli::{Failure, Place};
use crate::rules::live::rollout::VersionId;
use crate::rules::load::trust::SIGNATURE_FILE;
use crate::rules::load::{COMPONENT_FILE, MANIFEST_FILE};
use crate::rules::text::{shown, shown_lines};

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
    let found = match asked.place.remote()? {
        Some(elsewhere) => elsewhere.pages(&format!("/rules/{}/versions", part(&asked.name)))?,
        None => {
            let Shell { office, actor } = desk::shell(&asked.place, None).await?;
            let found = office.rule_versions(&actor, &asked.name, 0, usize::MAX).await;
            office.close().await;
            let views = found?.items.into_iter().map(VersionView::from);
            views.map(serde_json::to_value).collect::<Result<_, _>>()?
        }
    };
    for version in &found {
        let stages = version.get("stages").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let damage = version.get("damage").filter(|damage| !damage.is_null());
        println!(
            "{}  {}  {:>9} bytes  {}  {}{}",
            short_of(version),
            word(version, "version"),
            version.get("component_bytes").and_then(Value::as_u64).unwrap_or_default(),
            word(version, "first_seen"),
            shown(&stages.collect::<Vec<_>>().join(", ")),
            damage.map_or_else(String::new, |_| format!("  DAMAGED: {}", word(version, "damage"))),
        );
    }
    Ok(())
}

fn short(version: &Version) -> String {
    version.id().map_or_else(|damage| shown(&damage.to_string()), |id| id.short())
}

/// A version as the interface has it, in short.
fn short_of(version: &Value) -> String {
    let id = format!("{}/{}", word(version, "digest"), word(version, "manifest_digest"));
    id.parse::<VersionId>().map_or(id, |id| id.short())
}

/// Prints what differs, settings first.
pub async fn diff(asked: Diff) -> Result<(), Failure> {
    let found = match asked.place.remote()? {
        Some(elsewhere) => {
            let (name, from, to) = (part(&asked.name), part(&asked.from), part(&asked.to));
            elsewhere.get(&format!("/rules/{name}/versions/diff?from={from}&to={to}"))?
        }
        None => {
            let Shell { office, actor } = desk::shell(&asked.place, None).await?;
            let found = office.rule_difference(&actor, &asked.name, &asked.from, &asked.to).await;
            office.close().await;
            serde_json::to_value(DifferenceView::from(found?))?
        }
    };
    let side = |key: &str| found.get(key).map(short_of).unwrap_or_default();
    let another = found.get("component_changed").and_then(Value::as_bool).unwrap_or_default();
    println!("{}: {} -> {}", shown(&asked.name), side("from"), side("to"));
    println!("component: {}", if another { "another" } else { "the same" });
    for change in found.get("changes").and_then(Value::as_array).into_iter().flatten() {
        let value = |key: &str| change.get(key).map_or_else(|| "-".to_owned(), |value| shown(&value.to_string()));
        println!("{}: {} -> {}", word(change, "key"), value("from"), value("to"));
    }
    let lines = found.get("lines").and_then(Value::as_str).unwrap_or_default();
    if !lines.is_empty() {
        println!("\n{}", shown_lines(lines.trim_end()));
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
    println!("{} {} ({}) -> {}", shown(&asked.name), shown(&version.version), short(&version), asked.out.display());
    Ok(())
}
