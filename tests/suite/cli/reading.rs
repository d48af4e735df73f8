//! Where `plumb config` takes its words from: the project file of the commit, the format that is said, the key that sops
//! would find.

use super::config::{DEV, Vault};

#[test]
fn the_commit_s_project_file_says_what_a_service_reads() {
    let vault = Vault::new();
    let expected = vault.does(&["get", "billing", "dev"]).json();
    let project = vault.read("plumb.toml");
    // Services are elsewhere now, and their keys are joined otherwise; none of it is committed.
    let edited =
        project.replace("config/{service}/{env}/config.json\"", "elsewhere/{service}/{env}.json\"\njoiner = \".\"");
    assert_ne!(edited, project);
    vault.shop.write("plumb.toml", &edited);
    let got = vault.does(&["get", "billing", "dev"]);
    assert_eq!(got.json(), expected);
    got.complained(&["note: plumb.toml here says something else than in HEAD"]);
    vault.does(&["exec", "billing", "dev", "--", "sh", "-c", "test \"$DB_POOL\" = 20"]);
    vault.does(&["get", "billing", "dev", "--explain"]);
    vault.does(&["check", "--ref", "HEAD"]);
    // What lies here is what lies here.
    let here = vault.run(&["get", "billing", "dev", "--ref", "WORKTREE"]);
    here.ended(2).complained(&["no file of \"billing\""]);
}

#[test]
fn a_file_is_encrypted_in_a_format_that_its_name_does_not_tell() {
    let vault = Vault::new();
    vault.shop.write("secrets/notes.txt", "key: value\nlist:\n  - one\n");
    let printed = vault.does(&["encrypt", "--input-type", "yaml", "secrets/notes.txt"]).stdout;
    assert!(printed.contains("key: ENC[") && !printed.contains("value"), "{printed}");
    vault.does(&["encrypt", "--in-place", "--input-type", "yaml", "secrets/notes.txt"]);
    let plain = vault.does(&["decrypt", "--input-type", "yaml", "secrets/notes.txt"]).stdout;
    assert_eq!(plain, "key: value\nlist:\n  - one\n");
    let before = vault.read("secrets/notes.txt");
    vault.run(&["rotate", "secrets/notes.txt"]).ended(2);
    vault.does(&["rotate", "--input-type", "yaml", "secrets/notes.txt"]);
    assert_ne!(vault.read("secrets/notes.txt"), before);
    vault.does(&["updatekeys", "--input-type", "yaml", "secrets/notes.txt"]).complained(&["needs nothing"]);
    assert_eq!(vault.does(&["decrypt", "--input-type", "yaml", "secrets/notes.txt"]).stdout, plain);
    vault.shop.write("secrets/other.txt", "no yaml: [\n");
    vault
        .run(&["encrypt", "--in-place", "--input-type", "yaml", "secrets/other.txt"])
        .ended(2)
        .complained(&["cannot read secrets/other.txt"]);
    assert_eq!(vault.read("secrets/other.txt"), "no yaml: [\n");
    vault.run(&["encrypt", "--input-type", "toml", "secrets/other.txt"]).ended(2).complained(&["toml"]);
}

#[test]
fn the_key_is_found_wherever_sops_finds_it() {
    let mut vault = Vault::new();
    let (_, identity) = vault.shop.env.remove(0);
    let home = vault.shop.directory.path().to_owned();
    let file = home.join("key.txt");
    std::fs::write(&file, &identity).expect("written");
    let decrypts = |vault: &Vault| vault.run(&["decrypt", DEV]);
    decrypts(&vault).ended(2).complained(&["no key at hand opens it", "SOPS_AGE_KEY_FILE"]);
    let rows = [
        ("SOPS_AGE_KEY", identity.clone()),
        ("SOPS_AGE_KEY_FILE", file.display().to_string()),
        ("SOPS_AGE_KEY_CMD", format!("cat {}", file.display())),
    ];
    for (variable, value) in rows {
        vault.shop.env = vec![(variable.to_owned(), value)];
        assert!(decrypts(&vault).ended(0).stdout.contains("db.dev"), "{variable}");
    }
    vault.shop.env = vec![("SOPS_AGE_KEY_CMD".to_owned(), "exit 3".to_owned())];
    decrypts(&vault).ended(2).complained(&["SOPS_AGE_KEY_CMD", "exit status: 3"]);
    vault.shop.env.clear();
    std::fs::create_dir_all(home.join(".config/sops/age")).expect("made");
    std::fs::rename(&file, home.join(".config/sops/age/keys.txt")).expect("moved");
    decrypts(&vault).ended(0);
}
