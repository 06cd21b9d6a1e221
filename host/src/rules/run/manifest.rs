//! `rule.toml`: what a rule is called, when it is asked, what it may use, and examples of what it must answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use super::examples::example::Example;
use super::stage::Stage;
use crate::rules::digest::Digest;
use crate::rules::limits::{Asked, Limits, NotAllowed};

/// Examples of one manifest: each is asked whenever the rule is loaded.
const EXAMPLES_MAX: usize = 500;
/// Values of all examples of one manifest together: each takes some hundred bytes for as long as the rule is live.
const EXAMPLE_VALUES_MAX: usize = 50_000;
/// The longest name of a rule, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// The longest version and the longest description, in bytes.
const VERSION_BYTES_MAX: usize = 64;
const DESCRIPTION_BYTES_MAX: usize = 4 << 10;
/// The largest manifest that is read, in bytes: settings can be long lists.
pub const MANIFEST_BYTES_MAX: usize = 1 << 20;
/// The parts of the input that cost something, so that a rule gets them only when it asks.
const WANTS: [&str; 1] = ["recent-tickets"];

/// A checked manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    pub name: RuleName,
    pub version: String,
    pub description: String,
    /// The component that it is for, where it names one.
    pub component: Option<Digest>,
    pub stages: Vec<Stage>,
    /// Lower runs first; rules of the same order run by name.
    pub order: i32,
    pub mode: Mode,
    /// The canary's share, and what ends it.
    pub canary: Canary,
    /// What suspends the rule.
    pub suspend: Suspend,
    /// Priority only: its proposal stands above a higher one of another rule.
    pub overrides: bool,
    pub wants_recent_tickets: bool,
    /// The reference tables it may look things up in.
    pub tables: Vec<String>,
    pub matches: Match,
    pub limits: Limits,
    /// The `[settings]` table as JSON.
    pub settings: String,
    pub examples: Vec<Example>,
}

impl Manifest {
    /// Whether it has the rule asked at a stage.
    pub fn is_asked_at(&self, stage: Stage) -> bool {
        self.mode != Mode::Off && self.stages.contains(&stage)
    }
}

/// A rule's name: lower-case letters, digits and hyphens, up to [`NAME_BYTES_MAX`] of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleName(String);

impl RuleName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RuleName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a rule's answers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They count.
    Active,
    /// They are recorded, and have no effect.
    Shadow,
    /// They count for a share of the tickets; for the others the version before it does.
    Canary,
    /// It is not asked.
    Off,
}

impl Mode {
    /// The word for it in manifests, records and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Mode::Active => "active",
            Mode::Shadow => "shadow",
            Mode::Canary => "canary",
            Mode::Off => "off",
        }
    }
}

/// Which questions a version is there for, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Its manifest could not be read: it may be there for any.
    Unknown,
    /// It is switched off by its manifest.
    Off,
    /// It is asked at these stages, in the order of [`Stage::ALL`]; `tried` where its manifest offers it without effect.
    At { stages: [bool; Stage::ALL.len()], tried: bool },
}

impl Says {
    /// It is there for decisions about access.
    pub const ABOUT_ACCESS: Says = Says::At { stages: [false, false, false, false, true, false], tried: false };

    /// The words of a manifest.
    pub fn of(manifest: &Manifest) -> Self {
        match manifest.mode {
            Mode::Off => Says::Off,
            mode => Says::At {
                stages: Stage::ALL.map(|stage| manifest.stages.contains(&stage)),
                tried: mode == Mode::Shadow,
            },
        }
    }

    /// The words of a manifest that is not right elsewhere: its stages, where these can be read.
    pub fn guessed(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Stages {
            stages: Vec<Stage>,
        }
        match toml::from_str::<Stages>(text) {
            Ok(Stages { stages: named }) => {
                Says::At { stages: Stage::ALL.map(|stage| named.contains(&stage)), tried: false }
            }
            Err(_) => Says::Unknown,
        }
    }

    /// Whether it is certainly asked at a stage.
    pub fn is_at(self, stage: Stage) -> bool {
        match self {
            Says::Unknown | Says::Off => false,
            Says::At { stages, .. } => Stage::ALL.into_iter().zip(stages).any(|(other, at)| other == stage && at),
        }
    }

    /// Whether it may be asked at a stage.
    pub fn may_be_at(self, stage: Stage) -> bool {
        self == Says::Unknown || self.is_at(stage)
    }

    /// Whether it is offered without effect.
    pub fn is_tried(self) -> bool {
        matches!(self, Says::At { tried: true, .. })
    }
}

/// The canary's share and its limits: past one of them it goes back to being loaded, by itself. A limit is of a window of
/// the canary's last `after-calls` calls, not of seconds, so that a quiet night and a busy morning judge alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Canary {
    /// Of the tickets, 1 to 99.
    pub percent: u8,
    /// How many calls make a judgement.
    pub after_calls: u32,
    pub failures_max_percent: u8,
    pub disagreement_max_percent: Option<u8>,
    /// Of the mean over the window: the slow calls weigh in it, and one of them alone does not decide.
    pub latency_max_us: Option<u64>,
}

impl Default for Canary {
    fn default() -> Self {
        Self {
            percent: 10,
            after_calls: 50,
            failures_max_percent: 5,
            disagreement_max_percent: None,
            latency_max_us: None,
        }
    }
}

/// When a rule that counts has failed too often: so many of its last calls. Calls, not seconds, for the reason above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Suspend {
    pub failures: u32,
    pub within_calls: u32,
}

impl Default for Suspend {
    /// A fifth: a rule that fails on odd tickets stays, one that fails on a kind of ticket does not.
    fn default() -> Self {
        Self { failures: 20, within_calls: 100 }
    }
}

/// The longest window of calls that is kept for a rule.
const WINDOW_MAX: u32 = 10_000;

/// Which tickets a rule is asked about; an empty list means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Match {
    #[serde(default)]
    pub request_types: Vec<String>,
    /// A category matches what lies below it too. While a ticket has no category, a rule that names some is not asked.
    #[serde(default)]
    pub categories: Vec<String>,
}

impl Match {
    /// Whether a rule with this filter is asked about such tickets, in some category at least.
    pub fn is_about(&self, request_type: &str) -> bool {
        self.request_types.is_empty() || self.request_types.iter().any(|t| t == request_type)
    }

    /// Whether a rule with this filter is asked.
    pub fn admits(&self, request_type: &str, category: Option<&str>) -> bool {
        let below = |category: &str, parent: &str| {
            category.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.is_about(request_type)
            && (self.categories.is_empty() || category.is_some_and(|c| self.categories.iter().any(|p| below(c, p))))
    }
}

/// What is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    #[error("{file}: cannot be read: {message}", file = file.display())]
    Unreadable { file: PathBuf, message: String },
    #[error("{file}: it is larger than {MANIFEST_BYTES_MAX} bytes", file = file.display())]
    TooLarge { file: PathBuf },
    #[error("{file}:{line}: {message}", file = file.display())]
    Syntax { file: PathBuf, line: usize, message: String },
    #[error("{file}: `{key}` {message}", file = file.display())]
    Value { file: PathBuf, key: &'static str, message: String },
    #[error("{file}: {source}", file = file.display())]
    Limit { file: PathBuf, source: NotAllowed },
}

/// The manifest as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    name: String,
    version: String,
    #[serde(default)]
    description: String,
    component: Option<String>,
    stages: Vec<Stage>,
    order: i32,
    #[serde(default = "active")]
    mode: Mode,
    #[serde(default)]
    canary: Canary,
    #[serde(default)]
    suspend: Suspend,
    #[serde(default, rename = "override")]
    overrides: bool,
    #[serde(default)]
    wants: Vec<String>,
    #[serde(default)]
    tables: Vec<String>,
    #[serde(default, rename = "match")]
    matches: Match,
    #[serde(default)]
    limits: Asked,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default, rename = "example")]
    examples: Vec<Example>,
}

fn active() -> Mode {
    Mode::Active
}

/// Reads and checks the text of a manifest; `file` is named in errors.
///
/// # Errors
///
/// The first thing that is wrong: file, line or key, and what is allowed.
pub fn parse(file: &Path, text: &str) -> Result<Manifest, ManifestError> {
    let written: Written = toml::from_str(text).map_err(|error| ManifestError::Syntax {
        file: file.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let wrong = |key, message: String| ManifestError::Value { file: file.to_owned(), key, message };
    let name = check_name(&written.name).map_err(|message| wrong("name", message))?;
    check_version(&written.version).map_err(|message| wrong("version", message))?;
    if written.description.len() > DESCRIPTION_BYTES_MAX {
        return Err(wrong("description", format!("is longer than {DESCRIPTION_BYTES_MAX} bytes")));
    }
    check_stages(&written).map_err(|(key, message)| wrong(key, message))?;
    check_life(&written).map_err(|(key, message)| wrong(key, message))?;
    if let Some(want) = written.wants.iter().find(|want| !WANTS.contains(&want.as_str())) {
        return Err(wrong("wants", format!("names `{want}`: allowed is {}", WANTS.join(", "))));
    }
    let component = written.component.as_deref().map(str::parse::<Digest>).transpose();
    let component = component.map_err(|why| wrong("component", format!("is no digest of a component: {why}")))?;
    let limits = written.limits.resolve().map_err(|source| ManifestError::Limit { file: file.to_owned(), source })?;
    let settings = serde_json::to_string(&written.settings)
        .map_err(|error| wrong("settings", format!("cannot be written as JSON: {error}")))?;
    Ok(Manifest {
        name,
        version: written.version,
        description: written.description,
        component,
        stages: written.stages,
        order: written.order,
        mode: written.mode,
        canary: written.canary,
        suspend: written.suspend,
        overrides: written.overrides,
        wants_recent_tickets: !written.wants.is_empty(),
        tables: written.tables,
        matches: written.matches,
        limits,
        settings,
        examples: written.examples,
    })
}

fn check_name(name: &str) -> Result<RuleName, String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(plain) {
        return Err(format!(
            "is `{}`: use 1 to {NAME_BYTES_MAX} lower-case letters, digits and hyphens",
            name.chars().take(80).collect::<String>()
        ));
    }
    Ok(RuleName(name.to_owned()))
}

fn check_version(version: &str) -> Result<(), String> {
    if version.len() > VERSION_BYTES_MAX {
        return Err(format!("is longer than {VERSION_BYTES_MAX} characters"));
    }
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+');
    if version.bytes().all(plain) && numbers.len() == 3 && numbers.iter().all(|n| n.parse::<u32>().is_ok()) {
        return Ok(());
    }
    Err(format!("is `{version}`: use three numbers, such as `1.0.0` (semver.org)"))
}

fn check_stages(written: &Written) -> Result<(), (&'static str, String)> {
    if written.stages.is_empty() {
        return Err(("stages", "is empty: name at least one stage".to_owned()));
    }
    let twice =
        written.stages.iter().enumerate().find(|(at, stage)| written.stages.iter().take(*at).any(|s| s == *stage));
    if let Some((_, stage)) = twice {
        return Err(("stages", format!("names `{stage}` twice")));
    }
    let values: usize = written.examples.iter().map(Example::values).sum();
    if values > EXAMPLE_VALUES_MAX {
        return Err(("example", format!("has {values} values in all: at most {EXAMPLE_VALUES_MAX}")));
    }
    if let Some((example, table)) = table_of_no_rule(written) {
        return Err((
            "example",
            format!("\"{example}\" has rows of the table `{table}`, which `tables` does not name"),
        ));
    }
    if written.overrides && !written.stages.contains(&Stage::Priority) {
        return Err(("override", "is for rules of the stage `priority`".to_owned()));
    }
    if written.examples.len() > EXAMPLES_MAX {
        return Err(("example", format!("has {} of them: at most {EXAMPLES_MAX}", written.examples.len())));
    }
    let strange = written.examples.iter().find(|e| !written.stages.contains(&e.stage));
    match strange {
        Some(example) => {
            Err(("example", format!("\"{}\" is for `{}`, which `stages` does not name", example.name, example.stage)))
        }
        None => Ok(()),
    }
}

/// An example with rows of a table that the rule may not look into.
fn table_of_no_rule(written: &Written) -> Option<(&str, &str)> {
    written.examples.iter().find_map(|example| {
        let tables = example.tables.iter().flat_map(BTreeMap::keys);
        let table = tables.into_iter().find(|table| !written.tables.contains(table))?;
        Some((example.name.as_str(), table.as_str()))
    })
}

fn check_life(written: &Written) -> Result<(), (&'static str, String)> {
    let (canary, suspend) = (written.canary, written.suspend);
    if !(1..=99).contains(&canary.percent) {
        return Err(("canary.percent", format!("is {}: allowed is 1 to 99", canary.percent)));
    }
    if !(1..=WINDOW_MAX).contains(&canary.after_calls) {
        return Err(("canary.after-calls", format!("is {}: allowed is 1 to {WINDOW_MAX}", canary.after_calls)));
    }
    if canary.failures_max_percent > 100 || canary.disagreement_max_percent.is_some_and(|percent| percent > 100) {
        return Err(("canary", "has a limit above 100 percent".to_owned()));
    }
    if !(1..=WINDOW_MAX).contains(&suspend.within_calls) || !(1..=suspend.within_calls).contains(&suspend.failures) {
        let message = format!("needs `failures` of 1 to `within-calls`, and that of at most {WINDOW_MAX}");
        return Err(("suspend", message));
    }
    Ok(())
}

/// The line, counted from 1, that a byte of a text is on.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = \"a\"\nversion = \"1.0.0\"\nstages = [\"priority\"]\norder = 1\n";

    fn error(more: &str) -> String {
        parse(Path::new("rule.toml"), &format!("{GOOD}{more}")).unwrap_err().to_string()
    }

    #[test]
    fn errors_name_file_line_and_what_is_allowed() {
        assert_eq!(
            error("modes = 1"),
            "rule.toml:5: unknown field `modes`, expected one of `name`, `version`, `description`, `component`, `stages`, \
             `order`, `mode`, `canary`, `suspend`, `override`, `wants`, `tables`, `match`, `limits`, `settings`, `example`"
        );
        assert_eq!(
            error("mode = \"on\""),
            "rule.toml:5: unknown variant `on`, expected one of `active`, `shadow`, `canary`, `off`"
        );
        assert_eq!(error("[limits]\nfuel = 0"), "rule.toml: `limits.fuel` is 0: allowed is 1 to 2000000000");
        assert_eq!(error("wants = [\"all\"]"), "rule.toml: `wants` names `all`: allowed is recent-tickets");
        assert!(error("[[example]]\nname = \"x\"\nstage = \"intake\"\nexpect = {}").contains("stages"));
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let manifest = parse(Path::new("rule.toml"), GOOD).unwrap();
        assert_eq!(manifest.mode, Mode::Active);
        assert_eq!(manifest.limits, Limits::DEFAULT);
        assert_eq!(manifest.settings, "{}");
    }

    #[test]
    fn a_filter_admits_what_lies_below() {
        let filter = Match { request_types: vec!["hardware".into()], categories: vec!["network".into()] };
        assert!(filter.admits("hardware", Some("network.vpn")));
        assert!(!filter.admits("hardware", Some("networking")));
        assert!(!filter.admits("hardware", None));
        assert!(!filter.admits("access", Some("network")));
        assert!(Match::default().admits("anything", None));
    }
}
