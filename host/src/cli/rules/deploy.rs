//! `ruledesk rules deploy`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::app::rollout::deploy::Upload;
use crate::cli::{Failure, Place, desk};
use crate::desk::id::PersonId;
use crate::rules::load::trust::SIGNATURE_FILE;
use crate::rules::load::{COMPONENT_FILE, MANIFEST_FILE};

/// Checks a rule's folder as a desk does and deploys it, without the rules directory.
#[derive(Debug, Args)]
pub struct Deploy {
    #[command(flatten)]
    place: Place,
    /// The folder of a built rule: its manifest, its component, its signature if it has one.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The reason; it stays in the audit.
    #[arg(long)]
    why: String,
    /// The person in whose name you act; the audit names you as well.
    #[arg(long = "as")]
    person: Option<PersonId>,
}

/// Deploys, and says what became of it.
pub async fn run(args: Deploy) -> Result<(), Failure> {
    let upload = Upload {
        manifest: read(&args.directory, MANIFEST_FILE)?,
        component: read(&args.directory, COMPONENT_FILE)?,
        signature: signature(&args.directory)?,
        why: args.why,
    };
    let (config, source) = desk::configuration(&args.place, None)?;
    let actor = desk::actor(&config, args.person.as_ref())?;
    let app = desk::open(config, source).await?;
    let deployed = async {
        let uploading = app.begin_upload(&actor)?;
        app.deploy_rule(&actor, uploading, upload).await
    };
    let deployed = deployed.await;
    app.close().await;
    let deployed = deployed.map_err(desk::told)?;
    let manifest = &deployed.rule.manifest;
    println!("{} {}: {} since revision {}", manifest.name, manifest.version, deployed.state, deployed.revision);
    Ok(())
}

fn read(directory: &Path, file: &str) -> Result<Vec<u8>, Failure> {
    let file = directory.join(file);
    Ok(fs::read(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?)
}

fn signature(directory: &Path) -> Result<Option<String>, Failure> {
    let file = directory.join(SIGNATURE_FILE);
    match fs::read_to_string(&file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{} cannot be read: {error}", file.display()).into()),
    }
}
