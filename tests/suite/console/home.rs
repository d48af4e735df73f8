//! At home in the terminal: copying, the mouse, the pager, the title.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::shop::{Console, Visit, shop};

/// A visit with this operator config; the directory holds it and whatever the test's programs write.
pub(super) fn with_config(config: &str) -> (Visit, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let config = config.replace('@', &directory.path().display().to_string());
    std::fs::write(directory.path().join("config.toml"), config).unwrap();
    let visit = shop().console().env("PLUMB_CONFIG_DIR", directory.path().to_str().unwrap());
    (visit, directory)
}

/// A program of the test's own.
pub(super) fn program(directory: &tempfile::TempDir, name: &str, script: &str) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The texts that the console put into the clipboard.
fn copied(console: &Console) -> Vec<String> {
    console.clipboard().iter().map(|data| String::from_utf8(STANDARD.decode(data).unwrap()).unwrap()).collect()
}

#[test]
fn a_secret_is_copied_by_osc_52_and_is_never_on_the_screen_nor_in_the_log() {
    let live = shop().secret("prod/petshop/stripe_api_key");
    let home = tempfile::tempdir().unwrap();
    let console = shop().console().env("PLUMB_STATE_DIR", home.path().to_str().unwrap()).open();
    console.press("4").sees("stripe_api_key").press("/").type_text("stripe_api");
    console.press("<Enter> y").sees("COPY  prod/petshop/stripe_api_key").press("v");
    console.sees(&format!("live value sent to the terminal's clipboard, {} characters", live.chars().count()));
    assert_eq!(copied(&console), std::slice::from_ref(&live));
    let sent = format!("\x1b]52;c;{}\x07", STANDARD.encode(&live));
    let output = console.output();
    assert!(output.windows(sent.len()).any(|window| window == sent.as_bytes()), "exactly {sent:?}");
    console.never_showed(&live);
    console.press("y n").sees("name sent to the terminal's clipboard, 27 characters");
    assert_eq!(copied(&console).last().map(String::as_str), Some("prod/petshop/stripe_api_key"));
    console.quit();
    let log = std::fs::read_to_string(home.path().join("console.log")).unwrap();
    assert!(log.contains(" copied") && !log.contains(&live) && !log.contains(&STANDARD.encode(&live)), "{log}");
}

/// A tmux that takes what it is given, or that fails as an old one does.
fn within_tmux(script: &str) -> (Visit, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    program(&directory, "tmux", &format!("cd \"$(dirname \"$0\")\"; echo \"$@\" > arguments; {script}"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", directory.path().display());
    (shop().console().env("TMUX", "/tmp/tmux-0/default,1,0").env("PATH", &path), directory)
}

#[test]
fn within_tmux_a_parameter_that_was_not_read_is_handed_to_tmux_without_ever_being_shown() {
    let live = shop().parameter("/billing/prod/db/password");
    let (visit, directory) = within_tmux("cat > taken");
    let console = visit.open();
    console.press("3").sees("limit_cents").press("f /").type_text("billing/prod/db/password");
    console.press("<Enter> y v");
    console.sees(&format!("live value sent to the terminal's clipboard by tmux, {} characters", live.len()));
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(read("arguments").trim(), "load-buffer -w -", "the value is in no argument");
    assert_eq!(read("taken"), live);
    // The plain sequence, for set-clipboard; this terminal reads the wrapped one too, as it is no tmux.
    assert!(copied(&console).iter().all(|text| *text == live) && !copied(&console).is_empty());
    let encoded = STANDARD.encode(&live);
    let wrapped = format!("\x1bPtmux;\x1b\x1b]52;c;{encoded}\x07\x1b\\");
    console.never_showed(&live);
    let output = console.output();
    assert!(output.windows(wrapped.len()).any(|window| window == wrapped.as_bytes()), "and passes the other one on");
    console.quit();
}

#[test]
fn a_tmux_that_takes_nothing_is_told_of() {
    let (visit, _directory) = within_tmux("cat > /dev/null; echo 'unknown flag -w' >&2; exit 1");
    let console = visit.open();
    console.press("3").sees("limit_cents").press("y n").sees("characters; tmux passes it on with set-clipboard on");
    console.quit();
}

#[test]
fn a_command_of_the_operator_s_copies_and_off_is_off() {
    let (visit, directory) = with_config("clipboard = \"command\"\nclipboard_command = \"cat > @/clipboard\"\n");
    let console = visit.open();
    console.press("3").sees("pool_size").press("y n").sees("name copied");
    let name = std::fs::read_to_string(directory.path().join("clipboard")).unwrap();
    assert!(name.starts_with('/') && name.ends_with("/pool_size"), "{name}");
    assert_eq!(copied(&console), Vec::<String>::new());
    console.quit();
    let (visit, _directory) = with_config("clipboard = \"off\"\n");
    let console = visit.open();
    console.press("3").sees("pool_size").press("y n").sees("not copied: clipboard = \"off\" in config.toml");
    console.quit();
}

#[test]
fn the_mouse_selects_opens_and_is_given_back() {
    let console = shop().console().open();
    let at = |text: &str| {
        let screen = console.pictures(text).contents();
        let (row, line) = screen.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap();
        let column = line[..line.find(text).unwrap()].chars().count();
        (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
    };
    let (column, row) = at("3 parameters");
    console.click(column, row).sees("3 PARAMETERS").sees("limit_cents");
    let (column, row) = at("limit_cents");
    console.click(column, row);
    console.wait_for("the line selected", |screen| {
        screen.contents().lines().any(|line| line.contains('▸') && line.contains("limit_cents"))
    });
    console.click(column, row).sees("esc back").press("<Esc>").sees("pool_size");
    console.quit();
}

#[test]
fn without_the_mouse_the_terminal_selects_as_ever() {
    let (visit, _directory) = with_config("mouse = false\ntitle = false\nnotify = false\n");
    let console = visit.open();
    assert_eq!(console.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    assert_eq!(console.titles(), Vec::<String>::new());
    console.quit();
}

#[test]
fn the_title_tells_what_drifted_and_is_given_back() {
    let console = shop().console().open();
    let titles = console.titles();
    assert_eq!(titles.first().map(String::as_str), Some("plumb petshop/prod"), "nothing is known at first");
    let last = titles.last().unwrap();
    assert!(last.starts_with("plumb petshop/prod  ") && last.contains(" drifted"), "{titles:?}");
    // The title is pushed and popped; `quit` holds that the terminal's stack is as it was.
    console.quit();
}

#[test]
fn the_pager_gets_the_diff_and_the_keys_and_the_console_comes_back() {
    let (visit, directory) = with_config("");
    let pager = program(
        &directory,
        "less",
        "cat > \"$(dirname \"$0\")/paged\"; echo 'PAGING'; read -r line < /dev/tty; echo \"$line\" > \"$(dirname \"$0\")/typed\"",
    );
    let console = visit.env("PLUMB_PAGER", pager.to_str().unwrap()).open();
    console.press("3").sees("limit_cents").press("j o").sees("PAGING");
    assert!(!console.screen().alternate_screen() && console.is_cooked(), "the terminal is the pager's");
    assert_eq!(console.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    // Another size meanwhile, and keys that are the pager's alone.
    console.resize(100, 30).type_text("q3q\r");
    console.sees("3 PARAMETERS").sees("limit_cents");
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(read("typed"), "q3q\n");
    let diff = read("paged");
    assert!(diff.contains("--- git ") && diff.contains("+++ live ") && diff.contains("•••• fp "), "{diff}");
    console.press("1").sees("NEEDS YOU");
    console.quit();
}

/// The two sides of a unified diff, read as `delta` reads one that no git has made: whatever stands above the first line
/// that begins with `--- ` is no part of it, and a name ends at a tab.
fn sides_of(diff: &str) -> [(String, Vec<&str>); 2] {
    let mut lines = diff.lines().skip_while(|line| !line.starts_with("--- "));
    let mut name = |mark: &str| {
        let line =
            lines.next().and_then(|line| line.strip_prefix(mark)).unwrap_or_else(|| panic!("no {mark:?}: {diff}"));
        line.split('\t').next().unwrap().to_owned()
    };
    let names = [name("--- "), name("+++ ")];
    let mut sides = [Vec::new(), Vec::new()];
    let hunk = lines.next().and_then(|line| line.strip_prefix("@@ -")?.strip_suffix(" @@")).expect("a hunk");
    for line in lines {
        let (mark, text) = line.split_at_checked(1).unwrap_or_else(|| panic!("a line without a mark: {diff}"));
        assert!([" ", "-", "+"].contains(&mark), "{line:?} in {diff}");
        if mark != "+" {
            sides[0].push(text);
        }
        if mark != "-" {
            sides[1].push(text);
        }
    }
    let (old, new) = hunk.split_once(" +").expect("two ranges");
    let lines = |range: &str| range.split_once(',').map_or(1, |(_, lines)| lines.parse::<usize>().unwrap());
    assert_eq!([lines(old), lines(new)], [sides[0].len(), sides[1].len()], "the hunk says how long it is: {diff}");
    let mut names = names.into_iter();
    sides.map(|side| (names.next().unwrap(), side))
}

#[test]
fn where_nobody_names_a_pager_delta_gets_a_diff_that_it_can_read_and_the_console_comes_back() {
    let (visit, directory) = with_config("");
    let script = "echo \"$*\" > \"$(dirname \"$0\")/arguments\"; cat > \"$(dirname \"$0\")/piped\"; mv \"$(dirname \"$0\")/piped\" \"$(dirname \"$0\")/paged\"; echo DELTA; \
                  read -r line < /dev/tty";
    program(&directory, "delta", script);
    let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap());
    let console = visit.env("PATH", &path).open();
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    console.press("3").sees("limit_cents").press("/").type_text("limit_cents");
    console.press("<Enter> v").sees("revealed, masks in").press("o").sees("DELTA");
    assert!(!console.screen().alternate_screen() && console.is_cooked(), "the terminal is delta's");
    assert_eq!(read("arguments"), "--paging=always\n");
    let diff = read("paged");
    let [(git, old), (live, new)] = sides_of(&diff);
    assert!(git.starts_with("git ") && live.starts_with("live "), "{diff}");
    assert_ne!(old, new, "{diff}");
    assert_eq!(new, [shop().parameter("/billing/global/refunds/limit_cents")], "what is live, and nothing else");
    console.press("<Enter>").sees("3 PARAMETERS").sees("limit_cents").press("<Esc>").sees("pool_size");
    // A resource has a line for each of its properties.
    std::fs::remove_file(directory.path().join("paged")).unwrap();
    console.press("2").sees("2 STACKS").press("n o");
    console.wait_for("another diff", |screen| {
        screen.contents().contains("DELTA") && directory.path().join("paged").exists()
    });
    let diff = read("paged");
    let [(_, old), (_, new)] = sides_of(&diff);
    assert!(old != new && old.iter().chain(&new).any(|line| line.contains(": ")), "{old:?} {new:?}");
    console.press("<Enter>").sees("2 STACKS");
    console.quit();
}

#[test]
fn a_pager_that_ends_at_once_waits_for_enter_and_one_that_fails_is_told() {
    let console = shop().console().env("PLUMB_PAGER", "cat").open();
    console.press("3").sees("pool_size").press("o").sees("[plumb] press enter to go back").sees("+++ live");
    console.press("<Enter>").sees("3 PARAMETERS");
    console.quit();
    let console = shop().console().env("PLUMB_PAGER", "no-such-pager-here").open();
    console.press("3").sees("pool_size").press("o").sees("no-such-pager-here was not found: is it installed?");
    console.quit();
}

#[test]
fn the_file_is_opened_in_the_editor_at_its_line_as_it_lies_there() {
    let (visit, directory) = with_config("");
    let editor = program(
        &directory,
        "vim",
        "for word; do echo \"$word\"; done > \"$(dirname \"$0\")/arguments\"; echo EDITING; read -r line",
    );
    let console = visit.env("PLUMB_EDITOR", editor.to_str().unwrap()).open();
    console.press("3").sees("limit_cents").press("/").type_text("limit_cents");
    console.press("<Enter> O").sees("EDITING").press("<Enter>").sees("3 PARAMETERS").sees("limit_cents");
    let arguments = std::fs::read_to_string(directory.path().join("arguments")).unwrap();
    let arguments: Vec<&str> = arguments.lines().collect();
    let ["-R", line, "--", path] = arguments.as_slice() else { panic!("{arguments:?}") };
    let text = std::fs::read_to_string(path).unwrap();
    let line = line.strip_prefix('+').and_then(|line| line.parse::<usize>().ok()).unwrap();
    let line = text.lines().nth(line - 1).unwrap();
    assert!(line.contains("limit_cents"), "{line}");
    console.quit();
}

#[test]
fn a_key_that_is_taken_is_told_with_its_line_before_anything_opens() {
    let text = "[[actions]]\nid = \"a\"\ntitle = \"A\"\nkey = \"v\"\ncommand = [\"true\"]\n";
    let (visit, _directory) = with_config(text);
    let console = visit.begin();
    assert_eq!(console.exit_code(), 2);
    let said = console.text().replace('\n', "");
    assert!(said.contains("config.toml:4: actions[0].key: the key v is wanted by both reveal and a"), "{said}");
}
