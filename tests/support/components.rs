//! Real components: the example rules and the hostile one, built once by the program under test; and some that no
//! compiler makes, from their text.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use ruledesk::rules::load::compile::CompileLimits;
use ruledesk::rules::load::trust::Trust;
use ruledesk::rules::tables::Tables;
use ruledesk::rules::{Options, Rules};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_ruledesk");

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A directory of its own for one run of the tests, on the same disk as the build.
pub fn scratch() -> PathBuf {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&scratch).unwrap();
    scratch
}

/// Where compiled rules are kept by all desks and tests that have no reason to compile for themselves.
pub fn compiled() -> PathBuf {
    scratch().join("cache")
}

/// The rules directory with all example rules, built.
pub fn example_rules() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut folders: Vec<PathBuf> = std::fs::read_dir(root().join("example-rules"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("Cargo.toml").exists() && path.join("rule.toml").exists())
            .collect();
        folders.sort();
        build(&folders, "example-rules")
    })
}

/// The hostile component's bytes.
pub fn hostile() -> &'static [u8] {
    static BUILT: OnceLock<Vec<u8>> = OnceLock::new();
    BUILT.get_or_init(|| {
        let out = build(&[root().join("tests/guests/hostile")], "guests");
        std::fs::read(out.join("hostile/rule.wasm")).unwrap()
    })
}

/// The example of a connector, built.
pub fn seat_connector() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let out = scratch().join("seat-connector.wasm");
        let folder = root().join("example-rules/80-seat-connector");
        let built = Command::new(PROGRAM).args(["connector", "build"]).arg(folder).arg("--out").arg(&out).status();
        assert!(built.unwrap().success(), "`ruledesk connector build` failed");
        out
    })
}

/// The rules directory with the rule that looks assets up.
pub fn asset_owner() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build(&[root().join("tests/guests/asset-owner")], "asset-owner"))
}

fn build(folders: &[PathBuf], name: &str) -> PathBuf {
    let out = scratch().join(name);
    let status = Command::new(PROGRAM).args(["rule", "build", "--out"]).arg(&out).args(folders).status().unwrap();
    assert!(status.success(), "`ruledesk rule build` failed for {folders:?}");
    out
}

/// A manifest for the hostile component.
pub fn hostile_manifest(name: &str, stage: &str, does: &str, more: &str) -> String {
    format!(
        "name = \"{name}\"\nversion = \"1.0.0\"\nstages = [\"{stage}\"]\norder = 1\n{more}\n[settings]\ndoes = \"{does}\"\n"
    )
}

/// Puts a rule into a rules directory.
pub fn put(rules: &Path, folder: &str, manifest: &str, component: &[u8]) {
    let folder = rules.join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("rule.wasm"), component).unwrap();
    std::fs::write(folder.join("rule.toml"), manifest).unwrap();
}

/// How tests run rules: like the desk, with a cache that all tests share.
pub fn options(rules_dir: &Path) -> Options {
    Options {
        rules_dir: rules_dir.to_owned(),
        cache_dir: compiled(),
        compiler_program: PathBuf::from(PROGRAM),
        compile_limits: CompileLimits { timeout_s: 60, memory_mib: 2048 },
        component_bytes_max: 8 << 20,
        worker_threads: 4,
        waiting_max: 64,
        poll: Duration::from_millis(200),
        patience: Duration::from_secs(1),
        ticket_budget: Duration::from_millis(2_500),
        pooled: true,
        trust: Trust::default(),
        two_person_access: false,
        judge: None,
    }
}

/// The rules of a directory, running.
pub fn open(rules_dir: &Path) -> Rules {
    Rules::open(&options(rules_dir), Tables::default()).unwrap()
}

/// A component made from the text of a core module that has the shape which the contract's ABI asks for.
pub fn from_text(core: &str) -> Vec<u8> {
    ruledesk::rules::package::componentize(&wat::parse_str(core).unwrap()).unwrap()
}
