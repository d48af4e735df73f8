//! What is asked on the command line, and what is said of a wrong question.

use std::path::Path;

use super::shop::{Done, PROJECT, Shop};
use crate::support::account::Account;

#[test]
fn every_command_explains_itself() {
    let shop = Shop::empty();
    let commands: [&[&str]; 20] = [
        &[],
        &["status"],
        &["diff"],
        &["record"],
        &["push"],
        &["undo"],
        &["rollback"],
        &["history"],
        &["promote"],
        &["map"],
        &["config"],
        &["config", "sources"],
        &["init"],
        &["policy"],
        &["doctor"],
        &["local"],
        &["local", "up"],
        &["crypto"],
        &["crypto", "encrypt"],
        &["crypto", "smoke"],
    ];
    for command in commands {
        let done = shop.plumb(&[command, &["--help"]].concat());
        done.ended(0);
        assert!(done.stdout.contains("Usage: plumb"), "{command:?}: {done}");
        assert!(done.stderr.is_empty(), "{command:?}: {done}");
    }
    for wrong in [&["stauts"][..], &["status", "--outptu", "json"], &["policy"], &["init"], &["diff", "-u", "-s"]] {
        let done = shop.plumb(wrong);
        done.ended(2);
        assert!(done.stdout.is_empty() && !done.stderr.is_empty(), "{wrong:?}: {done}");
    }
}

#[test]
fn a_broken_project_file_is_told_by_file_line_key_and_the_nearest_name() {
    let shop = Shop::with_project(&PROJECT.replace("files =", "filse ="));
    for command in [&["status"][..], &["map"], &["config", "sources"], &["policy", "read"], &["diff", "-o", "json"]] {
        let done = shop.plumb(&[command, &["--env", "dev"]].concat());
        done.ended(2).complained(&["plumb.toml:5", "filse", "files"]);
        assert!(done.stdout.is_empty(), "{done}");
    }
    let done = shop.plumb(&["doctor", "--env", "dev"]);
    done.ended(2);
    assert!(
        done.stdout.contains("! problem  plumb.toml: ")
            && done.stdout.contains("plumb.toml:5")
            && done.stdout.contains("terminal"),
        "{done}"
    );
}

#[test]
fn without_a_project_the_ways_out_are_named() {
    let done = Shop::empty().plumb(&["status"]);
    done.ended(2).complained(&["no plumb.toml in", "try: `plumb init --minimal`"]);
}

#[test]
fn a_bare_repository_has_its_project_in_its_commit() {
    let shop = Shop::new();
    shop.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    let bare = shop.directory.path().join("bare.git");
    let from = |directory: &Path, arguments: &[&str]| {
        Done::of(&shop.command(arguments).current_dir(directory).output().unwrap())
    };
    let map = ["map", "--env", "dev", "-o", "json"];
    let inside = from(&bare, &map);
    assert_eq!(inside.ended(0).json()["environments"][0]["files"].as_array().unwrap().len(), 2, "{inside}");
    from(&shop.root(), &[&map[..], &["--project", "../bare.git"]].concat()).ended(0);
    let sources = from(&bare, &["config", "sources", "--env", "dev"]);
    assert!(sources.ended(0).stdout.contains("HEAD:plumb.toml:1"), "{sources}");
    from(&bare, &["map", "--env", "dev", "--ref", "nowhere"]).ended(2).complained(&["nowhere"]);
}

#[test]
fn wrong_keys_are_told_with_their_lines_and_right_ones_are_among_the_sources() {
    let shop = Shop::new();
    let config = shop.directory.path().join("own");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.toml"), "[keys]\nrefrsh = \"x\"\nhelp = \"r\"\n").unwrap();
    let with =
        |arguments: &[&str]| Done::of(&shop.command(arguments).env("PLUMB_CONFIG_DIR", &config).output().unwrap());
    with(&["--env", "dev"]).ended(2).complained(&["config.toml:2: keys.refrsh", "config.toml:3: keys.help"]);
    let sources = with(&["config", "sources", "--env", "dev"]);
    assert!(sources.ended(0).stdout.lines().any(|line| line.starts_with("keys.help")), "{sources}");
}

#[test]
fn an_environment_has_to_be_known_and_named() {
    let shop = Shop::with_project(&PROJECT.replace("environments.dev", "environments.live"));
    shop.plumb(&["map"]).ended(2).complained(&["which environment?", "live, prod", "try: name one: --env NAME"]);
    shop.plumb(&["map", "--env", "prd"]).ended(2).complained(&["prd", "prod"]);
    shop.plumb(&["record"]).ended(2).complained(&["which environment is to be recorded?"]);
}

#[test]
fn a_ref_that_does_not_exist_is_told_with_those_that_do() {
    let shop = Shop::new();
    shop.plumb(&["map", "--env", "dev", "--ref", "mian"]).ended(2).complained(&["mian", "main"]);
    let account = Account::fresh();
    let shop = shop.at(&account);
    let done = shop.plumb(&["status", "--env", "dev", "--ref", "mian"]);
    done.ended(2);
    assert!(done.stdout.contains("mian") && done.stdout.contains("main"), "{done}");
    shop.plumb(&["record", "--env", "dev", "--at", "mian"]).ended(2).complained(&["mian"]);
}

#[test]
fn what_is_invisible_in_a_name_is_seen_and_a_script_reads_it_escaped() {
    let shop = Shop::new();
    let name = "/billing/dev/pool\u{200b}";
    shop.write("config/billing/dev/\u{202e}\u{9b}31m.json", "{}");
    shop.commit();
    let map = shop.plumb(&["map", "--env", "dev", "--all-files"]);
    assert!(map.stdout.contains("config/billing/dev/▯▯31m.json") && !map.stdout.contains('\u{202e}'), "{map}");
    let json = shop.plumb(&["map", "--env", "dev", "-o", "json"]);
    assert!(json.stdout.contains(r"config/billing/dev/\u202e\u009b31m.json"), "{json}");
    assert!(json.json().to_string().contains("\u{202e}\u{9b}31m.json"));
    shop.plumb(&["diff", name, "--env", "dev", "--region", "eu-central-1"]).ended(2);
}

#[test]
fn a_project_s_name_is_no_path_and_no_pattern() {
    let shop = Shop::with_project(&PROJECT.replace("name = \"petshop\"\n", "name = \"../x*/y\\u001b[31m\"\n"));
    let done = shop.plumb(&["policy", "read", "--env", "dev"]);
    done.ended(2).complained(&["plumb.toml:1: name: a project's name cannot hold '/'"]);
    assert!(done.stdout.is_empty() && !done.stderr.contains('\u{1b}'), "{done}");
}
