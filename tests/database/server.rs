//! A PostgreSQL of one test's own, which may be killed and started again.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::postgres::{server_programs, unprivileged};
use crate::support::wait::until;

/// Makes a cluster and prints its folder. Processes are killed, no machine loses power: so nothing has to reach the disk.
const MAKE: &str = r#"
dir=$(mktemp -d "${TMPDIR:-/tmp}/ruledesk-pg-own.XXXXXX") || exit 1
"$1/initdb" -D "$dir/data" -U postgres --auth=trust --no-sync --encoding=UTF8 --locale=C.UTF-8 >/dev/null 2>&1 || exit 1
echo "$dir"
"#;
const START: &str = r#"
exec "$1/pg_ctl" -w -D "$2/data" -l "$2/log" -o "-k $2 -c listen_addresses='' -c fsync=off" start >/dev/null 2>&1
"#;
const KILL: &str = r#"kill -9 "$(head -1 "$2/data/postmaster.pid")""#;
const END: &str = r#""$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null 2>&1; rm -rf "$2""#;

/// A cluster; it is ended and removed when this is dropped.
pub struct Server {
    bin: PathBuf,
    dir: PathBuf,
}

impl Server {
    /// Makes a cluster and starts its server.
    pub fn start() -> Server {
        let bin = server_programs();
        let made = unprivileged("sh".as_ref()).args(["-c", MAKE, "sh"]).arg(&bin).current_dir("/").output().unwrap();
        let dir = PathBuf::from(String::from_utf8(made.stdout).unwrap().trim_end());
        assert!(made.status.success() && dir.is_absolute(), "no cluster was made");
        let server = Server { bin, dir };
        server.start_again();
        server
    }

    fn script(&self, script: &str) -> Command {
        let mut command = unprivileged("sh".as_ref());
        command.args(["-c", script, "sh"]).arg(&self.bin).arg(&self.dir).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.dir.display())
    }

    /// Kills it (SIGKILL).
    pub fn kill(&self) {
        assert!(self.script(KILL).status().unwrap().success());
    }

    /// Starts it again; what a killed one has left running must be gone before.
    pub fn start_again(&self) {
        until("PostgreSQL to start", || self.script(START).status().unwrap().success().then_some(()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.script(END).status();
    }
}
