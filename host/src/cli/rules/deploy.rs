//! `ruledesk rules deploy`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use crate::api::rules::deploy::DeployedView;
use crate::app::rollout::deploy::Upload;
use crate::cli::desk::remote::{Remote, word};
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
    /// Waits until the desk at `--url` says that it has this version, for so many seconds at most, and fails if it does not.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "60")]
    wait: Option<u16>,
}

/// How often a desk is asked while a command waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Deploys, and says what became of it: here, or by a desk elsewhere, which answers once it serves the rule.
pub async fn run(args: Deploy) -> Result<(), Failure> {
    let upload = Upload {
        manifest: read(&args.directory, MANIFEST_FILE)?,
        component: read(&args.directory, COMPONENT_FILE)?,
        signature: signature(&args.directory)?,
        why: args.why.clone(),
    };
    let deployed = match args.place.remote()? {
        Some(elsewhere) => send(&elsewhere, &upload)?,
        None => keep(&args, upload).await?,
    };
    let revision = deployed.get("revision").and_then(Value::as_i64).unwrap_or_default();
    let (name, version) = (word(&deployed, "name"), word(&deployed, "version"));
    println!("{name} {version}: {} since revision {revision}", word(&deployed, "state"));
    match args.wait {
        Some(seconds) => wait(&args.place, &deployed, Duration::from_secs(seconds.into())),
        None => Ok(()),
    }
}

/// Writes it into the database: desks that run follow.
async fn keep(args: &Deploy, upload: Upload) -> Result<Value, Failure> {
    let (config, source) = desk::configuration(&args.place, None)?;
    let actor = desk::actor(&config, args.person.as_ref())?;
    let app = desk::open(config, source).await?;
    let deployed = async {
        let uploading = app.begin_upload(&actor)?;
        app.deploy_rule(&actor, uploading, upload).await
    };
    let deployed = deployed.await;
    app.close().await;
    Ok(serde_json::to_value(DeployedView::from(deployed.map_err(desk::told)?))?)
}

fn send(elsewhere: &Remote, upload: &Upload) -> Result<Value, Failure> {
    let mut parts = vec![
        ("manifest", Some(MANIFEST_FILE), upload.manifest.as_slice()),
        ("component", Some(COMPONENT_FILE), upload.component.as_slice()),
        ("why", None, upload.why.as_bytes()),
    ];
    parts.extend(upload.signature.as_deref().map(|text| ("signature", Some(SIGNATURE_FILE), text.as_bytes())));
    elsewhere.post_form("/rules", &parts)
}

/// Waits until the desk at an address has the version, and says its state there.
#[expect(clippy::disallowed_methods, reason = "a command waits in real time")]
fn wait(place: &Place, deployed: &Value, patience: Duration) -> Result<(), Failure> {
    let elsewhere = place.remote()?.ok_or("--wait asks a desk that runs: say which with --url URL")?;
    let (begun, name) = (Instant::now(), word(deployed, "name"));
    let id = format!("{}/{}", word(deployed, "digest"), word(deployed, "manifest_digest"));
    loop {
        let rules = elsewhere.get("/rules")?;
        let rules = rules.get("rules").and_then(Value::as_array).into_iter().flatten();
        let state = rules.filter(|rule| word(rule, "name") == name).find_map(|rule| state_of(rule, &id));
        if let Some(state) = state {
            println!("{name}: the desk says {state}");
            return Ok(());
        }
        if begun.elapsed() >= patience {
            let seconds = patience.as_secs();
            return Err(format!("{name}: after {seconds} s the desk does not have this version yet").into());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The part that a rule's version plays by the list of a desk, if it plays any.
fn state_of(rule: &Value, id: &str) -> Option<String> {
    let is_it = |has: &&Value| has.get("id").and_then(Value::as_str) == Some(id);
    let candidate = rule.get("candidate").filter(is_it).map(|candidate| word(candidate, "state"));
    candidate.or_else(|| rule.get("active").filter(is_it).map(|_| "active".to_owned()))
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
