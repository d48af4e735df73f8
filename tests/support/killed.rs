//! A program that is killed at one of its writes, as by `kill -9` or a power cut.
//!
//! The kernel stops it (ptrace) before each of its system calls. Those that change a file or a directory are counted, and
//! instead of the one that was asked for it is killed: that one is not done any more, all before it are. What it has
//! started - an editor - is not stopped.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{self, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// System calls that change a directory or what is said of a file.
const CHANGES: [i64; 21] = [
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    libc::SYS_rmdir,
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
    libc::SYS_link,
    libc::SYS_linkat,
    libc::SYS_symlink,
    libc::SYS_symlinkat,
    libc::SYS_chmod,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_flock,
];

/// Those that change what is in an open file.
const WRITES: [i64; 5] =
    [libc::SYS_write, libc::SYS_pwrite64, libc::SYS_writev, libc::SYS_pwritev, libc::SYS_copy_file_range];

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was killed at this system call.
    Killed(String),
    /// It has fewer writes, and ended with this code.
    Itself(i32),
}

/// Runs a program - with its own arguments, directory and environment, and no others - and kills it at its `n`-th write,
/// counted from 0. `input` is what it reads from stdin; what it says is not read.
#[allow(clippy::zombie_processes, reason = "`follow` waits for it and for its threads")]
pub fn at_write(n: usize, command: &Command, input: &str) -> Ended {
    let mut waiting = Command::new("/bin/sh");
    waiting.args(["-c", "read go; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    waiting.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    waiting.current_dir(command.get_current_dir().expect("a directory"));
    waiting.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = waiting.spawn().expect("a shell");
    let pid = Pid::from_raw(child.id().cast_signed());
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(pid, options).expect("the kernel lets us trace our own child");
    ptrace::interrupt(pid).expect("it runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(format!("go\n{input}").as_bytes()).expect("it waits for it");
    drop(stdin);
    follow(pid, n)
}

fn follow(pid: Pid, n: usize) -> Ended {
    let (mut seen, mut killed, mut code) = (0, None, None);
    // Of this thread's own children alone: other tests have theirs.
    let ours = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
    loop {
        let (thread, signal) = match waitpid(None, Some(ours)) {
            Err(Errno::ECHILD) => break,
            Err(Errno::EINTR) => continue,
            Err(error) => panic!("cannot wait for it: {error}"),
            Ok(WaitStatus::PtraceSyscall(thread)) => {
                if let (None, Some(change)) = (&killed, change(thread)) {
                    if seen == n {
                        killed = Some(change);
                        signal::kill(pid, Signal::SIGKILL).expect("it is there");
                        continue;
                    }
                    seen += 1;
                }
                (thread, None)
            }
            Ok(WaitStatus::PtraceEvent(thread, ..)) => (thread, None),
            Ok(WaitStatus::Stopped(thread, signal)) => (thread, Some(signal)),
            Ok(WaitStatus::Exited(thread, status)) => {
                code = code.or((thread == pid).then_some(status));
                continue;
            }
            Ok(_) => continue,
        };
        // A thread that is being killed cannot be let go any more.
        let _ = ptrace::syscall(thread, signal);
    }
    match (killed, code) {
        (Some(at), _) => Ended::Killed(at),
        (None, code) => Ended::Itself(code.expect("it ends by itself")),
    }
}

/// The change that a thread is about to make, if it is one.
fn change(thread: Pid) -> Option<String> {
    let info = ptrace::syscall_info(thread).ok()?;
    if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return None;
    }
    let text = std::fs::read_to_string(format!("/proc/{thread}/syscall")).ok()?;
    let mut words = text.split_whitespace();
    let number: i64 = words.next()?.parse().ok()?;
    let mut arguments = words.map(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16).unwrap_or(u64::MAX));
    let (first, _, third) = (arguments.next()?, arguments.next()?, arguments.next()?);
    if number == libc::SYS_openat {
        let flags = i32::try_from(third & 0x7fff_ffff).ok()?;
        let writes = flags & (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC) != 0;
        return writes.then(|| format!("openat with {flags:#x}"));
    }
    if WRITES.contains(&number) {
        let file = std::fs::read_link(format!("/proc/{thread}/fd/{first}")).ok()?;
        let is_file = first > 2 && file.is_absolute() && !file.starts_with("/dev/null") && !file.starts_with("/proc");
        return is_file.then(|| format!("write to {}", file.display()));
    }
    CHANGES.contains(&number).then(|| format!("system call {number}"))
}

/// Every file below these directories that holds one of these texts.
pub fn files_with(directories: &[PathBuf], texts: &[&str]) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = directories.to_vec();
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                let holds = |text: &&str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
                if texts.iter().any(holds) {
                    found.insert(path);
                }
            }
        }
    }
    found
}
