//! However it ends, the terminal is as it was found and no process stays.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::process::Signal;

use super::shop::shop;
use crate::support::wait::deadline;

#[test]
fn q_leaves_the_screen_as_it_was() {
    let console = shop().console().open();
    console.press("3").sees("3 PARAMETERS").press("q").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
    console.is_restored();
    assert!(!console.text().contains("petshop"), "{}", console.text());
}

#[test]
fn a_signal_ends_it_and_gives_the_terminal_back() {
    for (signal, name, code) in
        [(Signal::TERM, "SIGTERM", 143), (Signal::HUP, "SIGHUP", 129), (Signal::INT, "SIGINT", 130)]
    {
        let console = shop().console().begin();
        console.sees("1 OVERVIEW").signal(signal);
        assert_eq!(console.exit_code(), code, "{name}");
        console.is_restored();
        assert!(console.text().contains(&format!("ended by {name}")), "{}", console.text());
    }
}

#[test]
fn ctrl_z_goes_back_to_the_shell_and_fg_to_the_page() {
    let console = shop().console().with(crate::support::terminal::Program::with_job_control).open();
    console.press("3").sees("pool_size").press("^z").sees("[stopped]");
    assert!(console.is_cooked());
    console.press("<Enter>").sees("3 PARAMETERS").sees("pool_size").press("j").sees("len 5");
    console.quit();
}

/// Starts this in a terminal, waits until it has drawn a page, takes the terminal away, and waits for its end.
fn hang_up(mut command: CommandBuilder) -> u32 {
    let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    command.env("TERM", "xterm-256color");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut killer = child.clone_killer();
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    while !seen.windows(8).any(|bytes| bytes == b"OVERVIEW") {
        let read = reader.read(&mut buffer).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..read]);
    }
    drop((reader, pair.master));
    let (sender, ended) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait().unwrap().exit_code()));
    ended.recv_timeout(deadline()).unwrap_or_else(|_| {
        killer.kill().unwrap();
        panic!("it goes on without a terminal");
    })
}

#[test]
fn it_ends_when_its_terminal_is_closed() {
    let (command, _home) = shop().console().command();
    assert_eq!(hang_up(command), 129);
}

#[test]
fn it_ends_with_its_terminal_though_no_signal_says_so() {
    // The signal goes to the leader of the session alone, which here is a shell that does not mind.
    let (mut command, home) = shop().console().command();
    let code = home.path().join("code");
    let argv = command.get_argv_mut();
    let script = "trap '' HUP; \"$@\"; echo $? >\"$0\"";
    argv.splice(..0, ["/bin/sh".into(), "-c".into(), script.into(), code.clone().into()]);
    hang_up(command);
    assert_eq!(std::fs::read_to_string(code).unwrap(), "129\n");
}

#[test]
fn without_a_terminal_it_says_what_to_do_instead() {
    let shop = shop();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plumb"));
    let home = tempfile::tempdir().unwrap();
    command.args(["--env", "prod"]).current_dir(&shop.project).env("PLUMB_STATE_DIR", home.path());
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "plumb: the console needs a terminal\ntry: plumb status, which prints\n");
}
