//! `ruledesk rules backtest`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use super::{Failure, desk};
use crate::app::replay::access::AccessReport;
use crate::app::replay::backtest::{Candidates, backtest};
use crate::app::replay::manifest::differences as differs_from;
use crate::app::replay::report::{Limits, Most, Report};
use crate::app::replay::tally::Tally;
use crate::app::{App, Error};
use crate::author::ship::with_settings;
use crate::cli::which::{Which, bar};
use crate::cli::{Found, Place};
use crate::desk::actor::Actor;
use crate::rules::digest::Digest;
use crate::rules::load::{COMPONENT_FILE, MANIFEST_FILE};
use crate::rules::run::rule::Rule;
use crate::rules::text::in_json;

mod html;
mod plot;
mod text;

/// Shows what recorded decisions would have been under other rules or settings, and whether that agrees better with what
/// people did later. Each stage is judged over its own recorded input. Exits with 3 where a limit is exceeded.
#[derive(Debug, Args)]
pub struct Backtest {
    #[command(flatten)]
    place: Place,
    /// A candidate: a folder with `rule.toml` and `rule.wasm`. It stands for the rule of its name, or joins. A folder of such
    /// folders is a whole set: then all rules are asked again.
    #[arg(value_name = "CANDIDATE")]
    candidates: Vec<PathBuf>,
    /// A whole set of rules, in a folder of folders.
    #[arg(long, value_name = "DIR", conflicts_with = "candidates")]
    rules_dir: Option<PathBuf>,
    /// Other settings, as TOML: for the one candidate, or, without any, for the rule that `--rule` names.
    #[arg(long, value_name = "FILE", conflicts_with = "rules_dir")]
    settings: Option<PathBuf>,
    /// Takes a rule out; may be given several times.
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    #[command(flatten)]
    which: Which,
    /// How many decisions may change: `20`, or `2%`.
    #[arg(long, value_name = "BOUND")]
    max_changed: Option<Most>,
    /// How many new failures there may be.
    #[arg(long, value_name = "N")]
    max_failures: Option<u64>,
    /// How much longer a candidate's median call may take than the version that it replaces, such as `2`.
    #[arg(long, value_name = "RATIO")]
    max_latency_ratio: Option<f64>,
    /// Writes the result as JSON; `-` prints it instead of the text.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes a page with plots that needs nothing beside it.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Tries, tells, and holds it against the limits.
pub async fn run(args: Backtest) -> Result<(), Failure> {
    let (config, source) = desk::configuration(&args.place, None)?;
    let zone = config.organisation.calendar.zone.clone();
    let actor = desk::actor(&config, None)?;
    let app = desk::open_to_read(config, source).await?;
    let filter = args.which.filter(&zone, app.clock.now())?;
    let (candidates, tried) = candidates(&app, &actor, &args).await?;
    let mut differs = Vec::new();
    for rule in &candidates.rules {
        differs.extend(differences(&app, &actor, rule).await);
    }
    let bar = bar("decisions");
    #[expect(clippy::disallowed_methods, reason = "measures the backtest")]
    let start = Instant::now();
    let tally = backtest(&app, &actor, filter, candidates, |decisions| bar.inc(decisions)).await;
    let took = start.elapsed();
    bar.finish_and_clear();
    let effect = access_of(&app, &tally).await;
    app.close().await;
    let limits =
        Limits { changed: args.max_changed, failures: args.max_failures, latency_ratio: args.max_latency_ratio };
    let report = Report { access: effect?, differs, ..Report::of(tally?, tried, &limits, took) };
    write(&args, &report)?;
    if report.decisions == 0 {
        return Err(
            "there is no recorded decision in which the candidates would have a part: nothing was compared".into()
        );
    }
    match report.limits.iter().find(|limit| !limit.holds) {
        None => Ok(()),
        Some(beyond) => {
            Err(Found(format!("{}: {} allowed, {} found", beyond.limit, beyond.allowed, beyond.found)).into())
        }
    }
}

/// The effect on access; none where there is no tally.
async fn access_of(app: &App, tally: &Result<Tally, Error>) -> Result<Option<AccessReport>, Error> {
    match tally {
        Ok(tally) => tally.access_report(app).await,
        Err(_) => Ok(None),
    }
}

fn write(args: &Backtest, report: &Report) -> Result<(), Failure> {
    let to_file = |file: &Path, text: &str| {
        fs::write(file, text).map_err(|e| Failure::from(format!("{} cannot be written: {e}", file.display())))
    };
    if let Some(file) = &args.html {
        to_file(file, &html::page(report))?;
    }
    match &args.json {
        Some(file) if file == Path::new("-") => println!("{}", in_json(&serde_json::to_string_pretty(report)?)),
        Some(file) => {
            to_file(file, &serde_json::to_string_pretty(report)?)?;
            print!("{}", text::text(report));
        }
        None => print!("{}", text::text(report)),
    }
    Ok(())
}

/// The candidates, ready to be asked, and in words.
async fn candidates(app: &Arc<App>, actor: &Actor, args: &Backtest) -> Result<(Candidates, Vec<String>), Failure> {
    let (folders, whole) = folders(args)?;
    let mut rules = Vec::new();
    let mut tried = Vec::new();
    match (&args.settings, &args.which.rule, folders.as_slice()) {
        (None, _, []) if args.without.is_empty() => {
            return Err("nothing is tried: name a candidate's folder, --settings with --rule, or --without".into());
        }
        (Some(settings), Some(name), []) => {
            let (text, wasm) = recorded(app, actor, name).await?;
            let text = with_settings(Path::new(MANIFEST_FILE), &text, settings)?;
            rules.push(prepare(app, settings.clone(), text, wasm).await?);
        }
        (Some(_), None, []) => return Err("--settings needs a candidate, or the rule's name with --rule".into()),
        (Some(_), _, [_, _, ..]) => return Err("--settings is for one candidate".into()),
        (settings, _, folders) => {
            for folder in folders {
                rules.push(from_folder(app, folder, settings.as_deref()).await?);
            }
        }
    }
    for rule in &rules {
        let settings = args.settings.as_ref().map(|file| format!(" with the settings of {}", file.display()));
        let (name, version) = (&rule.manifest.name, &rule.manifest.version);
        tried.push(format!("{name} {version}{}", settings.unwrap_or_default()));
    }
    tried.extend(args.without.iter().map(|name| format!("without {name}")));
    let without: BTreeSet<String> = args.without.iter().cloned().collect();
    Ok((Candidates { rules: rules.into_iter().map(Arc::new).collect(), whole, without }, tried))
}

/// In what a candidate differs from the version of its rule that is live; nothing where there is none.
async fn differences(app: &Arc<App>, actor: &Actor, rule: &Rule) -> Vec<String> {
    let Ok((text, wasm)) = recorded(app, actor, rule.manifest.name.as_str()).await else { return Vec::new() };
    differs_from(&text, &Digest::of(&wasm), rule)
}

/// The folders of all candidates, and whether they are a whole set.
fn folders(args: &Backtest) -> Result<(Vec<PathBuf>, bool), Failure> {
    let is_rule = |folder: &Path| folder.join(MANIFEST_FILE).is_file();
    match (&args.rules_dir, args.candidates.as_slice()) {
        (Some(set), _) => Ok((rules_in(set)?, true)),
        (None, [set]) if !is_rule(set) => Ok((rules_in(set)?, true)),
        (None, candidates) => match candidates.iter().find(|folder| !is_rule(folder)) {
            None => Ok((candidates.to_vec(), false)),
            Some(other) => Err(format!("{} has no {MANIFEST_FILE}", other.display()).into()),
        },
    }
}

fn rules_in(set: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(set).map_err(|e| format!("{} cannot be read: {e}", set.display()))?;
    let folders = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    let mut folders: Vec<PathBuf> = folders.into_iter().filter(|f| f.join(MANIFEST_FILE).is_file()).collect();
    folders.sort();
    if folders.is_empty() {
        return Err(format!("{} holds neither a {MANIFEST_FILE} nor folders that do", set.display()).into());
    }
    Ok(folders)
}

async fn from_folder(app: &Arc<App>, folder: &Path, settings: Option<&Path>) -> Result<Rule, Failure> {
    let unreadable = |file: &Path, error: std::io::Error| format!("{} cannot be read: {error}", file.display());
    let (manifest, component) = (folder.join(MANIFEST_FILE), folder.join(COMPONENT_FILE));
    let mut text = fs::read_to_string(&manifest).map_err(|e| unreadable(&manifest, e))?;
    if let Some(settings) = settings {
        text = with_settings(&manifest, &text, settings)?;
    }
    let wasm = fs::read(&component).map_err(|e| unreadable(&component, e))?;
    prepare(app, folder.to_owned(), text, wasm).await
}

/// Compiling takes a while, and keeps nothing else waiting.
async fn prepare(app: &Arc<App>, from: PathBuf, text: String, wasm: Vec<u8>) -> Result<Rule, Failure> {
    let app = Arc::clone(app);
    Ok(tokio::task::spawn_blocking(move || app.rules.prepare(&from, &text, &wasm)).await??)
}

/// Manifest and component of a rule: those that are live, else those that were first seen last.
async fn recorded(app: &Arc<App>, actor: &Actor, name: &str) -> Result<(String, Vec<u8>), Failure> {
    let generation = app.rules.generation();
    if let Some(rule) = generation.named(name) {
        return Ok((rule.manifest_text.to_string(), rule.component.read()?));
    }
    let gone = || format!("no rule `{name}` is live or was ever recorded");
    let newest = match app.rule_versions(actor, name, 0, 1).await {
        Err(Error::Missing { .. }) => return Err(gone().into()),
        versions => versions?.items.into_iter().next().ok_or_else(gone)?,
    };
    let (_, version) = app.rule_version(actor, name, &newest.id()?.to_string()).await?;
    Ok((version.manifest, version.component))
}
