use crate::support::terminal::{Program, Terminal};
use rustix::process::Signal;

#[test]
fn keys_reach_the_program_and_its_screen_is_seen() {
    let terminal = Program::sh("echo name?; read name; echo hello $name").size(40, 5).start();
    terminal.sees("name?").press("p l u m b <Enter>").sees("hello plumb");
    assert_eq!(terminal.exit_code(), 0);
    terminal.is_restored();
}

#[test]
fn the_program_sees_only_the_environment_that_it_is_given() {
    let env = [("PATH", "/usr/bin:/bin"), ("STORY", "true")];
    let terminal = Terminal::spawn("/usr/bin/env", env, (80, 24));
    assert_eq!(terminal.exit_code(), 0);
    terminal.sees("STORY=true").sees("TERM=xterm-256color").never_showed("CARGO");
}

#[test]
fn a_resize_is_told_and_seen() {
    let terminal = Program::sh("trap 'stty size' WINCH; echo ready; while read line; do :; done").size(80, 24).start();
    terminal.sees("ready").resize(60, 16).sees("16 60");
    assert_eq!(terminal.screen().size().1.get(), 60);
}

#[test]
fn a_paste_is_marked_only_when_asked_for() {
    let terminal =
        Program::sh("stty -echo; echo plain; read a; printf '\\033[?2004hmarked'; read b; echo \"$a|$b\" | od -c");
    let terminal = terminal.size(80, 24).start();
    terminal.sees("plain").paste("one\n").sees("marked").paste("two").press("<Enter>");
    terminal.sees("[   2   0   0   ~   t   w   o 033").sees("o   n   e   |");
}

#[test]
fn a_terminal_answers_its_questions() {
    let ask = "stty raw -echo; printf '\\033[3;5H\\033[6n'; answer=$(dd bs=1 count=6 2>/dev/null | tr -d '\\033'); stty sane; \
               echo \"<$answer>\"";
    let terminal = Program::sh(ask).size(80, 24).start();
    terminal.sees("<[3;5R>");
}

#[test]
fn everything_left_behind_is_named() {
    let rows = [
        ("printf '\\033[?1049h'", "alternate screen"),
        ("printf '\\033[?25l'", "cursor is hidden"),
        ("printf '\\033[?1003h'", "mouse"),
        ("printf '\\033[?2004h'", "bracketed paste"),
        ("printf '\\033[?1004h'", "mode 1004"),
        ("printf '\\033[>1u'", "keyboard protocol"),
        ("stty raw", "line settings"),
    ];
    for (script, named) in rows {
        let left = Program::sh(script).size(20, 3).start().left_behind();
        assert!(left.len() == 1 && left[0].contains(named), "{script}: {left:?}");
    }
    let tidy = "saved=$(stty -g); stty raw; printf '\\033[?1049h\\033[?25l\\033[?1004;1003h\\033[>1u'; \
                printf '\\033[<1u\\033[?1004;1003l\\033[?25h\\033[?1049l'; stty \"$saved\"";
    assert_eq!(Program::sh(tidy).size(20, 3).start().left_behind(), Vec::<String>::new());
}

#[test]
#[should_panic(expected = "the program ended before: \"never\" on the screen")]
fn waiting_for_what_will_not_come_fails_with_the_screen() {
    Program::sh("echo something else").size(40, 3).start().sees("never");
}

#[test]
fn a_signal_and_a_code_are_told_apart() {
    let terminal = Program::sh("echo up; read line").size(40, 3).start();
    terminal.sees("up").signal(Signal::TERM);
    assert!(terminal.exit().signal().is_some());
    assert_eq!(Program::sh("exit 7").start().exit_code(), 7);
}

#[test]
fn dropping_the_terminal_ends_the_program() {
    let terminal = Program::sh("trap '' HUP TERM; echo up; while :; do read line || sleep 1; done").size(40, 3).start();
    terminal.sees("up");
    let pid = rustix::process::Pid::from_raw(terminal.pid().cast_signed()).unwrap();
    drop(terminal);
    assert!(rustix::process::test_kill_process(pid).is_err());
}

#[test]
fn the_clipboard_and_the_titles_are_noted() {
    let terminal = Program::sh("printf '\\033]52;c;cGx1bWI=\\007\\033]2;a title\\007done'").size(40, 3).start();
    terminal.sees("done");
    assert_eq!(terminal.clipboard(), [b"cGx1bWI=".to_vec()]);
    assert_eq!(terminal.titles(), ["a title"]);
}

#[test]
fn a_program_is_stopped_and_brought_back() {
    let script = "echo up; while read line; do echo \"got $line\"; done; exit 5";
    let terminal = Program::sh(script).with_job_control().size(60, 10).start();
    terminal.sees("up").press("^z").sees("[stopped]").press("<Enter>").sees("[continued]");
    terminal.press("a <Enter>").sees("got a").press("^d");
    assert_eq!(terminal.exit_code(), 5);
}
