//! The rights that a child process takes from itself before it reads a stranger's component: new privileges, the network,
//! other programs, other processes, and writing to files. It reads from its pipe, computes, and answers.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};

/// System calls that it has no use for: each gives "not permitted".
const FORBIDDEN: [libc::c_long; 24] = [
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kill,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
];

/// Older forms of the same, which only this processor has.
#[cfg(target_arch = "x86_64")]
const FORBIDDEN_HERE: [libc::c_long; 9] = [
    libc::SYS_open,
    libc::SYS_creat,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_link,
    libc::SYS_accept,
];
#[cfg(not(target_arch = "x86_64"))]
const FORBIDDEN_HERE: [libc::c_long; 0] = [];

/// The argument of `openat` that says what a file is opened for.
const OPENAT_FLAGS: u8 = 2;

/// Confines this process for the rest of its life: it gains no privileges any more, and is under the filter. Where the system has
/// no filters of system calls, it goes on without one.
pub fn confine_self() {
    if let Some(program) = filter() {
        // It gives up new privileges first; a kernel that was built without filters says so then.
        let _ = apply_filter_all_threads(&program);
    }
}

/// The filter; `None` on a processor for which there is none.
fn filter() -> Option<BpfProgram> {
    let arch = std::env::consts::ARCH.try_into().ok()?;
    let mut rules: std::collections::BTreeMap<i64, Vec<SeccompRule>> =
        FORBIDDEN.into_iter().chain(FORBIDDEN_HERE).map(|call| (call, Vec::new())).collect();
    let flags = [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT];
    let writes = flags.into_iter().map(|flag| {
        let bits = u64::from(flag.unsigned_abs());
        let same = SeccompCmpOp::MaskedEq(bits);
        let condition = SeccompCondition::new(OPENAT_FLAGS, SeccompCmpArgLen::Dword, same, bits).ok()?;
        SeccompRule::new(vec![condition]).ok()
    });
    rules.insert(libc::SYS_openat, writes.collect::<Option<_>>()?);
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, denied, arch).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_filter_for_the_processors_that_we_build_for() {
        assert!(filter().is_some_and(|program| program.len() > FORBIDDEN.len()));
    }

    /// The body of the confined process; by itself it would confine all other tests.
    #[test]
    #[ignore = "runs within a process of its own"]
    fn inside() {
        use std::io::ErrorKind::PermissionDenied;
        let dir = std::env::temp_dir();
        let file = dir.join(format!("ruledesk-confined-{}", std::process::id()));
        std::fs::write(&file, "before").unwrap();
        confine_self();
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        assert!(status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"), "{status}");
        let refused = |what: &str, error: std::io::Error| assert_eq!(error.kind(), PermissionDenied, "{what}: {error}");
        refused("a socket", std::net::TcpStream::connect("127.0.0.1:9").unwrap_err());
        refused("a socket of the machine", std::os::unix::net::UnixStream::pair().unwrap_err());
        refused("a program", std::process::Command::new("/bin/true").spawn().map(drop).unwrap_err());
        refused("a new file", std::fs::File::create(dir.join("new")).unwrap_err());
        refused("a file to be written", std::fs::OpenOptions::new().append(true).open(&file).unwrap_err());
        refused("removing a file", std::fs::remove_file(&file).unwrap_err());
        refused("renaming a file", std::fs::rename(&file, dir.join("other")).unwrap_err());
        // A thread of its own is confined as well, and what it is there for goes on.
        let thread = std::thread::spawn(|| std::net::UdpSocket::bind("127.0.0.1:0").map(drop).unwrap_err().kind());
        assert_eq!(thread.join().unwrap(), PermissionDenied);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
        println!("confined {}", file.display());
    }

    #[test]
    fn a_confined_process_reads_and_computes_and_does_nothing_else() {
        let name = "rules::load::confinement::tests::inside";
        let program = std::env::current_exe().unwrap();
        let inside = std::process::Command::new(program).args(["--exact", name, "--ignored", "--nocapture"]).output();
        let inside = inside.unwrap();
        let said = String::from_utf8_lossy(&inside.stdout).into_owned();
        assert!(inside.status.success(), "{said}{}", String::from_utf8_lossy(&inside.stderr));
        let file = said.lines().find_map(|line| line.strip_prefix("confined "));
        std::fs::remove_file(file.unwrap_or_else(|| panic!("{said}"))).unwrap();
    }
}
