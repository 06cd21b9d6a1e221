//! A throw-away PostgreSQL: one cluster for the test process, a fresh database for each test.
//!
//! It stands alone, so that any test target can take it by `#[path]`. Text is sorted as a customer's server sorts it, not
//! byte by byte, so that a statement which relies on the order of bytes fails here first.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Starts a cluster, prints its folder, and ends it when standard input does: so it dies with the test process, however
/// that dies. Nothing in it needs to outlive a power cut, and none of its hundreds of databases lives long enough to be cleaned
/// up. A file of settings, unlike the command line, is what `alter system` may change.
const SCRIPT: &str = r#"
bin=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/ruledesk-pg.XXXXXX") || exit 1
fail() { cat "$dir/log" >&2; rm -rf "$dir"; exit 1; }
"$bin/initdb" -D "$dir/data" -U postgres --auth=trust --no-sync --encoding=UTF8 --locale=C.UTF-8 \
    --locale-provider=icu --icu-locale=en-US-u-ka-shifted >"$dir/log" 2>&1 || fail
cat >>"$dir/data/postgresql.conf" <<END
listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_connections = 300
END
"$bin/pg_ctl" -w -D "$dir/data" -l "$dir/log" -o "-k $dir" start >/dev/null 2>&1 || fail
echo "$dir"
cat >/dev/null
"$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1
rm -rf "$dir"
"#;

struct Cluster {
    /// Its socket is here.
    dir: PathBuf,
    bin: PathBuf,
    /// The cluster lives for as long as this is open.
    _alive: ChildStdin,
    _script: Child,
}

/// Makes an empty database and returns its URL.
///
/// # Panics
///
/// Where PostgreSQL's server programs are not installed, or do not start.
pub fn fresh_database() -> String {
    url(&make(&[]))
}

/// Makes a database as `prepare` leaves an empty one, which it is given once, and returns its URL: a copy takes a fraction of the
/// time that migrations take.
///
/// # Panics
///
/// As for an empty one, and where something is still connected to the one that is copied.
#[allow(dead_code, reason = "the benchmark of a million tickets fills one database only")]
pub fn prepared_database(prepare: impl FnOnce(&str)) -> String {
    static PREPARED: OnceLock<String> = OnceLock::new();
    let template = PREPARED.get_or_init(|| {
        let name = make(&[]);
        prepare(&url(&name));
        name
    });
    let version = cluster().bin.parent().and_then(|folder| folder.file_name()?.to_str()?.parse::<u32>().ok());
    // Before version 15, all copies are made file by file, and there is no option for that.
    let by_files: &[&str] = if version >= Some(15) { &["--strategy=file_copy"] } else { &[] };
    url(&make(&[&["--template", template.as_str()][..], by_files].concat()))
}

/// Makes a database; its name.
fn make(options: &[&str]) -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let (cluster, name) = (cluster(), format!("test_{}", MADE.fetch_add(1, Ordering::Relaxed)));
    let made = Command::new(cluster.bin.join("createdb"))
        .args(options)
        .args(["-U", "postgres", "-h"])
        .args([cluster.dir.as_os_str(), name.as_ref()])
        .status()
        .expect("createdb runs");
    assert!(made.success(), "createdb {name}: {made}");
    name
}

fn url(name: &str) -> String {
    format!("postgres://postgres@localhost/{name}?host={}", cluster().dir.display())
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(start)
}

/// A program that refuses to run as root, as the server and PgBouncer do.
pub fn unprivileged(program: &std::ffi::OsStr) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn start() -> Cluster {
    let bin = server_programs();
    let mut script = unprivileged("sh".as_ref())
        .args(["-c", SCRIPT, "postgres"])
        .arg(&bin)
        .current_dir("/")
        // What ends the tests' whole process group must not end the script before it has cleaned up.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell starts");
    let alive = script.stdin.take().expect("it was piped");
    let mut output = BufReader::new(script.stdout.take().expect("it was piped"));
    let mut dir = String::new();
    output.read_line(&mut dir).expect("the script prints text");
    assert!(!dir.is_empty(), "PostgreSQL did not start; its log is above");
    Cluster { dir: PathBuf::from(dir.trim_end()), bin, _alive: alive, _script: script }
}

/// The newest installed version's folder: distributions keep server programs out of the search path.
pub fn server_programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest =
        versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path()))).max();
    newest
        .map(|(_, path)| path.join("bin"))
        .expect("install PostgreSQL's server (Debian: postgresql) to run these tests")
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout == b"0\n"
}
