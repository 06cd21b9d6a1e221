//! The desk that a command is about: options stand above variables of the environment, and those above a file `ruledesk.toml`
//! (or `.ruledesk.toml`) in the working directory or the nearest one above it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::{Failure, Place};

/// The file that says which desk the commands below its directory are about: in plain sight, else hidden.
const FILES: [&str; 2] = ["ruledesk.toml", ".ruledesk.toml"];

/// The keys of the file; paths are relative to it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Context {
    /// As `--config`.
    config: Option<PathBuf>,
    /// As `--rules`.
    rules: Option<PathBuf>,
    /// As `--data`.
    data: Option<PathBuf>,
    /// As `--cache`.
    cache: Option<PathBuf>,
    /// As `--database-url`.
    database_url: Option<String>,
}

/// A place in which nothing is left to be found.
#[derive(Debug, Clone)]
pub struct Settled {
    pub config: PathBuf,
    pub rules: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub cache: Option<PathBuf>,
    pub database_url: Option<String>,
}

/// The place of a command, with what it leaves open as the nearest file has it.
///
/// # Errors
///
/// Where there is a file that cannot be read.
pub fn settle(place: &Place) -> Result<Settled, Failure> {
    // Who names a configuration means that desk, and no part of another.
    let found = match &place.config {
        Some(_) => Context::default(),
        None => std::env::current_dir().ok().map_or_else(|| Ok(Context::default()), |here| nearest(&here))?,
    };
    Ok(Settled {
        config: place.config.clone().or(found.config).unwrap_or_else(|| PathBuf::from(".")),
        rules: place.rules.clone().or(found.rules),
        data: place.data.clone().or(found.data),
        cache: place.cache.clone().or(found.cache),
        database_url: place.database_url.clone().or(found.database_url),
    })
}

/// The password of the mail relay, which stands above the one in a file.
#[expect(clippy::disallowed_methods, reason = "the command line passes the environment on")]
pub fn smtp_password() -> Option<String> {
    std::env::var("RULEDESK_SMTP_PASSWORD").ok()
}

fn nearest(here: &Path) -> Result<Context, Failure> {
    let mut files = here.ancestors().flat_map(|directory| FILES.map(|file| directory.join(file)));
    let Some(file) = files.find(|file| file.is_file()) else {
        return Ok(Context::default());
    };
    let text = std::fs::read_to_string(&file).map_err(|e| format!("{} cannot be read: {e}", file.display()))?;
    let context: Context = toml::from_str(&text).map_err(|e| format!("{} is not right: {e}", file.display()))?;
    let directory = file.parent().unwrap_or(Path::new("."));
    let from_there = |path: Option<PathBuf>| path.map(|path| directory.join(path));
    Ok(Context {
        config: from_there(context.config),
        rules: from_there(context.rules),
        data: from_there(context.data),
        cache: from_there(context.cache),
        database_url: context.database_url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_counts_and_its_paths_are_its_own() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        assert!(nearest(&below).unwrap().config.is_none());
        let [shown, hidden] = FILES;
        std::fs::write(root.path().join(hidden), "config = \"conf\"\ndata = \"/var/desk\"\n").unwrap();
        let found = nearest(&below).unwrap();
        assert_eq!(found.config, Some(root.path().join("conf")));
        assert_eq!(found.data, Some(PathBuf::from("/var/desk")));
        std::fs::write(root.path().join("a").join(shown), "rules = \"../r\"\n").unwrap();
        let found = nearest(&below).unwrap();
        assert_eq!((found.config, found.rules), (None, Some(root.path().join("a/../r"))));
        std::fs::write(below.join(hidden), "rules = \"hidden\"\n").unwrap();
        assert_eq!(nearest(&below).unwrap().rules, Some(below.join("hidden")));
        std::fs::write(below.join(shown), "colour = \"red\"\n").unwrap();
        assert!(nearest(&below).unwrap_err().to_string().contains("colour"));
    }
}
