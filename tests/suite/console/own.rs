//! Commands of the operator's own: planned and noted where they write, ended when the operator says so.

use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::home::{program, with_config};
use super::shop::{Console, Visit, shop};
use crate::support::wait::deadline;

/// A command that writes, in the background and on the terminal; `@` is the test's directory.
const RESTART: &str = "[[actions]]\nid = \"restart\"\ntitle = \"Restart it\"\nkey = \"ctrl-e\"\n\
                       command = [\"@/restart\", \"it's {environment}\"]\ndanger = \"writes\"\n";

/// A console on an environment with such a command, whose script does this; its journal lies in the directory.
fn with_restart(environment: &str, config: &str, script: &str) -> (Visit, TempDir) {
    let (_, directory) = with_config(&format!("{config}{RESTART}"));
    let at = directory.path().display().to_string();
    program(&directory, "restart", &script.replace('@', &at));
    let visit = shop().console_in(environment).env("PLUMB_CONFIG_DIR", &at).env("PLUMB_STATE_DIR", &at);
    (visit, directory)
}

/// What the journal says, as `plumb journal` tells it: the oldest first.
fn journal(directory: &Path) -> Vec<Value> {
    let mut plumb = Command::new(env!("CARGO_BIN_EXE_plumb"));
    plumb.args(["journal", "--all", "--output", "json"]).current_dir(directory).env("PLUMB_STATE_DIR", directory);
    let said = plumb.output().unwrap();
    let said: Value = serde_json::from_slice(&said.stdout).unwrap_or_else(|_| panic!("{said:?}"));
    said["entries"].as_array().unwrap().iter().rev().cloned().collect()
}

/// The entry of the one command that was run.
fn only_run(directory: &Path) -> Value {
    let entries = journal(directory);
    let runs: Vec<&Value> = entries.iter().filter(|entry| entry["action"] == "run").collect();
    let [run] = runs.as_slice() else { panic!("{entries:?}") };
    (*run).clone()
}

fn read(directory: &TempDir, name: &str) -> String {
    std::fs::read_to_string(directory.path().join(name)).unwrap()
}

/// Tells once when a script has opened the pipe of that name, and once when nobody holds it any more.
fn watch(directory: &TempDir, name: &str) -> Receiver<&'static str> {
    let path = directory.path().join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        let mut pipe = std::fs::File::open(path).unwrap();
        sender.send("held").unwrap();
        let _ = pipe.read_to_end(&mut Vec::new());
        // The test may have failed meanwhile.
        let _ = sender.send("gone");
    });
    heard
}

fn hears(heard: &Receiver<&'static str>, word: &str) {
    assert_eq!(heard.recv_timeout(deadline()).ok(), Some(word));
}

/// Opens the plan of the command, which shows where, as whom and what.
fn planned(console: &Console, environment: &str) {
    console.press("^e").sees("RUN").sees(&format!("to       petshop / {environment}  account ")).sees("eu-central-1");
    console.sees("what     Restart it").sees(&format!("/restart 'it'\\''s {environment}'"));
}

#[test]
fn a_command_that_writes_is_in_the_journal_before_it_runs_and_is_settled_after() {
    let script = "cp @/journal.jsonl @/before; echo \"restarted $1 in $AWS_REGION\"; echo hush >&2; exit $(cat @/code)";
    let (visit, directory) = with_restart("dev", "", script);
    std::fs::write(directory.path().join("code"), "0").unwrap();
    let console = visit.open();
    planned(&console, "dev");
    console.press("<Enter>").sees("enter confirms nothing").paste("y").sees("pasting confirms nothing");
    assert!(journal(directory.path()).is_empty(), "nothing is noted before it is confirmed");
    console.press("y").sees("dev: restart: restarted it's dev in eu-central-1");
    let before: Vec<Value> =
        read(&directory, "before").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [begun] = before.as_slice() else { panic!("{before:?}") };
    assert_eq!((begun["action"].as_str(), begun.get("settled")), (Some("run"), None), "it has begun, and no more");
    let run = only_run(directory.path());
    assert_eq!((&run["state"], &run["environment"], &run["error"]), (&"ok".into(), &"dev".into(), &Value::Null));
    let called = format!("restart: {}/restart 'it'\\''s dev'", directory.path().display());
    assert_eq!(run["subjects"], serde_json::json!([called]));
    assert!(run["account"].is_string() && run["region"] == "eu-central-1" && run["by"].is_string(), "{run}");
    console.press("u").sees("= ok      run     restart: /").press("q").loses("JOURNAL");

    std::fs::write(directory.path().join("code"), "4").unwrap();
    planned(&console, "dev");
    console.press("y").sees("dev: restart ended with exit status: 4: hush");
    let last = journal(directory.path()).pop().unwrap();
    assert_eq!((&last["state"], &last["error"]), (&"failed".into(), &"exit status: 4".into()));
    let text = read(&directory, "journal.jsonl");
    assert!(!text.contains("restarted") && !text.contains("hush"), "what it said may be a value: {text}");
    console.quit();
}

#[test]
fn what_is_read_only_runs_it_while_it_is_unlocked_in_the_name_of_the_write_profile() {
    let config = "[environments.prod]\nwrite_profile = \"deployer\"\n";
    let script = "echo \"$AWS_PROFILE ${AWS_ACCESS_KEY_ID-no key}\" > @/as; echo RESTARTING; read -r line; exit 0";
    let (visit, directory) = with_restart("prod", config, script);
    // On the terminal: it has the keys.
    let text = read(&directory, "config.toml").replace("danger", "wait = true\noutput = \"none\"\ndanger");
    std::fs::write(directory.path().join("config.toml"), text).unwrap();
    std::fs::write(directory.path().join("profiles"), shop().profile("deployer")).unwrap();
    let project = directory.path().join("petshop");
    let cloned = Command::new("git").args(["clone", "-q"]).arg(&shop().project).arg(&project).status();
    assert!(cloned.unwrap().success());
    let file = std::fs::read_to_string(project.join("plumb.toml")).unwrap();
    std::fs::write(project.join("plumb.toml"), file.replace("\"confirm\"", "\"read-only\"")).unwrap();
    let profiles = directory.path().join("profiles").display().to_string();
    let console = visit.env("AWS_CONFIG_FILE", &profiles).with(|program| program.dir(project)).open();
    planned(&console, "prod");
    console.sees("profile deployer").sees("prod is read-only   first :unlock 15m").type_text("prod");
    console.press("<Esc>").loses("Restart it").press(":").type_text("unlock 5m \"prod is down\"");
    console.press("<Enter>").sees("Type prod to unlock it").type_text("prod").sees("UNLOCKED");
    planned(&console, "prod");
    console.sees("Type prod to run restart").type_text("prod").sees("RESTARTING");
    assert!(!console.screen().alternate_screen() && console.is_cooked(), "the terminal is the command's");
    assert_eq!(read(&directory, "as"), "deployer no key\n");
    console.type_text("q\r").sees("press enter to go back");
    let run = only_run(directory.path());
    assert_eq!((&run["state"], &run["reason"]), (&"ok".into(), &"prod is down".into()), "settled before it is read");
    console.press("<Enter>").sees("prod: restart has ended");
    console.quit();
    let deeds: Vec<String> = journal(directory.path()).iter().map(|entry| entry["action"].to_string()).collect();
    assert_eq!(deeds, ["\"unlock\"", "\"run\"", "\"lock\""]);
}

#[test]
fn a_command_in_the_background_is_ended_with_all_that_it_has_started() {
    let (visit, directory) = with_restart("dev", "", "exec 3>@/held; (sleep 600 & wait) & sleep 600 & wait");
    let heard = watch(&directory, "held");
    let console = visit.open();
    planned(&console, "dev");
    console.press("y").sees("restart runs in the background; ^x ends it");
    hears(&heard, "held");
    assert_eq!(only_run(directory.path())["state"], "under way");
    console.press("1").sees("running restart").press("^x").sees("dev: restart was ended");
    hears(&heard, "gone");
    let run = only_run(directory.path());
    let why = "ended by the operator: how far it came is not known";
    assert_eq!((&run["state"], &run["error"]), (&"unknown".into(), &why.into()));
    console.press("^x").sees("no command of your own runs");
    console.quit();
}

#[test]
fn leaving_the_console_ends_what_runs_in_the_background_and_notes_that() {
    let (visit, directory) = with_restart("dev", "", "exec 3>@/held; sleep 600 & wait");
    let heard = watch(&directory, "held");
    let console = visit.open();
    planned(&console, "dev");
    console.press("y");
    hears(&heard, "held");
    console.quit();
    hears(&heard, "gone");
    let run = only_run(directory.path());
    let why = "ended, since the console was left: how far it came is not known";
    assert_eq!((&run["state"], &run["error"]), (&"unknown".into(), &why.into()));
}

#[test]
fn a_crash_leaves_it_unknown_how_far_a_command_came() {
    // It ends when its output has no reader any more.
    let (visit, directory) = with_restart("dev", "", "exec 3>@/held; while echo on && sleep 0.1; do :; done");
    let heard = watch(&directory, "held");
    let console = visit.open();
    planned(&console, "dev");
    console.press("y");
    hears(&heard, "held");
    assert_eq!(only_run(directory.path())["state"], "under way");
    console.signal(Signal::KILL);
    console.exit();
    hears(&heard, "gone");
    let run = only_run(directory.path());
    assert_eq!((&run["state"], &run["error"]), (&"unknown".into(), &Value::Null));
}

#[test]
fn a_command_that_reads_runs_without_a_shell_and_its_failure_is_told() {
    let (visit, directory) = with_config(
        "[[actions]]\nid = \"say\"\ntitle = \"Say what it is\"\nkey = \"ctrl-l\"\n\
         command = [\"printf\", \"%s is in %s; $HOME\", \"{name}\", \"{environment}\"]\n\
         [[actions]]\nid = \"fail\"\ntitle = \"Fail\"\nkey = \"ctrl-g\"\ncommand = [\"false\"]\n\
         [[actions]]\nid = \"look\"\ntitle = \"Look\"\nkey = \"ctrl-o\"\nwait = true\noutput = \"none\"\n\
         command = [\"echo\", \"here is {name}\"]\n",
    );
    let console = visit.env("PLUMB_STATE_DIR", directory.path().to_str().unwrap()).open();
    console.press("3").sees("limit_cents").press("j ^l").sees("say: /").sees(" is in prod; $HOME");
    console.press("^g").sees("fail ended with exit status: 1");
    console.press("^o").sees("here is /").sees("press enter to go back");
    console.press("<Enter>").sees("look has ended");
    console.quit();
    assert!(journal(directory.path()).is_empty(), "what reads is no write");
}
