//! What is written into a repository that has something already, and what is left alone.

use super::Newcomer;
use super::runner::parsed;

const PROJECT: &str = "name = \"shop\"\n[[stacks]]\nname = \"shop-{env}\"\ntemplate = \"stack/template.yaml\"\n\
    [environments.dev]\nregion = \"eu-central-1\"\n[environments.prod]\nregion = \"eu-west-1\"\n";

#[test]
fn a_repository_keeps_what_it_has_and_nothing_is_replaced_unseen() {
    let mara = Newcomer::new(Vec::new());
    mara.git(&["init", "-q", "-b", "trunk"]);
    mara.write("plumb.toml", PROJECT);
    mara.write("stack/template.yaml", "Resources: {}\n");
    let arguments = ["init", "--yes", "--workflows", "--branch", "trunk", "--credentials", "secrets"];
    let first = mara.plumb(&arguments);
    first.ended(1).complained(&["nobody is named who could open", "plumb.toml is there already and was not touched"]);
    assert!(first.stdout.contains("\n+[redeploy]\n+method = \"github\"\n+workflow = \"deploy.yml\"\n"), "{first}");
    assert_eq!(mara.read("plumb.toml"), PROJECT);
    // Where the team says itself how it redeploys, nothing is to be added.
    let project = format!("{PROJECT}[redeploy]\nmethod = \"change-set\"\n");
    mara.write("plumb.toml", &project);
    assert!(mara.plumb(&arguments).ended(0).stdout.contains("same    plumb.toml\n"));
    assert!(!mara.path("shop/config").exists() && !mara.path("shop/.sops.yaml").exists());
    let deploy = mara.read(".github/workflows/deploy.yml");
    let workflow = parsed(&deploy);
    assert_eq!(workflow["on"]["push"]["branches"][0], "trunk");
    assert_eq!(workflow["permissions"], serde_json::json!({}), "what a job may do is said there");
    assert_eq!(workflow["jobs"]["deploy"]["permissions"], serde_json::json!({"contents": "read"}));
    let canary = "inputs.canary || github.event.client_payload.canary || github.event.action == 'plumb-canary'";
    assert_eq!(workflow["jobs"]["canary"]["if"], format!("${{{{ {canary} }}}}"));
    assert_eq!(workflow["jobs"]["deploy"]["if"], format!("${{{{ !({canary}) }}}}"), "a canary deploys nothing");
    assert!(deploy.contains("--unlock \"$REASON\""), "prod is read-only: {deploy}");
    assert!(deploy.contains(r#"["dev","prod"]"#) && !deploy.contains("Smoke test"), "{deploy}");

    mara.write(".github/workflows/deploy.yml", &deploy.replace("timeout-minutes: 60", "timeout-minutes: 90"));
    let again = mara.plumb(&arguments);
    again.ended(1).complained(&[".github/workflows/deploy.yml is there already and was not touched", "--overwrite"]);
    assert!(again.stdout.contains("\n-    timeout-minutes: 90\n+    timeout-minutes: 60\n"), "{again}");
    assert!(mara.read(".github/workflows/deploy.yml").contains("timeout-minutes: 90"));
    let replaced = mara.plumb(&[&arguments[..], &["--overwrite"]].concat());
    assert!(replaced.ended(0).stdout.contains("\n+    timeout-minutes: 60\n"), "{replaced}");
    assert_eq!(mara.read(".github/workflows/deploy.yml"), deploy);
    assert!(mara.plumb(&arguments).ended(0).stdout.contains("same    .github/workflows/deploy.yml"));

    // A stack that is wanted and not there is an addition to what the team wrote.
    let more = mara.plumb(&["init", "--yes", "--lambda"]);
    assert!(more.ended(1).stdout.contains("\n+template = \"crypto-api/lambda/template.yaml\"\n"), "{more}");
    assert_eq!(mara.read("plumb.toml"), project);
    mara.plumb(&["init", "--yes", "--lambda", "--overwrite"]).ended(0);
    assert!(mara.read("plumb.toml").starts_with(&project) && mara.read("plumb.toml").contains("[crypto]\noutput = "));
    // And so is the loop, which watches what is there and is no part of that itself.
    // Whose keys the workflow has nobody but the team knows, and their writes would be undone.
    let nobodys = mara.plumb(&["init", "--yes", "--loop", "--overwrite"]);
    nobodys
        .ended(2)
        .complained(&["the workflow deploys with keys, and nothing says whose", "--deployer arn:aws:iam::"]);
    assert!(!mara.read("plumb.toml").contains("integrity.yaml"));
    mara.plumb(&["init", "--yes", "--loop", "--deployer", "arn:aws:iam::1:user/ci"]).ended(2);
    let ci = "arn:aws:iam::471100004242:user/ci";
    mara.plumb(&["init", "--yes", "--loop", "--deployer", ci, "--overwrite"]).ended(0);
    let text = mara.read("plumb.toml");
    assert!(text.contains(&format!("Deployers = \"{ci}\", ")), "{text}");
    for part in [
        "name = \"shop-{env}-loop\"\ntemplate = \"crypto-api/lambda/integrity.yaml\"\n",
        "Stacks = \"shop-{env},shop-crypto-{env}\", ",
        "Mode = \"notify-only\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(mara.plumb(&["init", "--yes", "--loop"]).ended(0).stdout.contains("same    plumb.toml\n"));
    mara.plumb(&["config", "sources", "--env", "dev"]).ended(0);
    // A stack that came later is watched by nobody yet.
    mara.write(
        "plumb.toml",
        &text.replacen("[[stacks]]", "[[stacks]]\nname = \"late\"\ntemplate = \"late.yaml\"\n[[stacks]]", 1),
    );
    mara.plumb(&["init", "--yes", "--loop"]).ended(0).complained(&["no loop watches late: "]);
}

#[test]
fn what_a_loop_has_no_room_for_is_told() {
    let mara = Newcomer::new(Vec::new());
    mara.git(&["init", "-q", "-b", "main"]);
    let stack = |name: &str| format!("[[stacks]]\nname = \"{name}-{{env}}\"\ntemplate = \"{name}.yaml\"\n");
    let secret = |name: &str| {
        format!("[[secrets]]\nname = \"{name}/{{env}}/{{key}}\"\nfile = \"{name}/{{env}}.json\"\nshape = \"key\"\n")
    };
    let names = ["a", "b", "c", "d", "e"];
    let text = names.map(|name| stack(name) + &secret(name)).concat();
    mara.write("plumb.toml", &format!("name = \"shop\"\n{text}[environments.dev]\n"));
    let done = mara.plumb(&["init", "--yes", "--loop", "--overwrite"]);
    done.ended(0).complained(&["watches 4 stacks, and not e-{env}: ", "knows 4 prefixes of secrets, and not e/{env}/"]);
    let text = mara.read("plumb.toml");
    assert!(
        text.contains("Stacks = \"a-{env},b-{env},c-{env},d-{env}\"") && text.contains("role/shop-deploy"),
        "{text}"
    );
}

#[test]
fn a_project_within_a_repository_has_its_workflows_at_the_top() {
    let mara = Newcomer::new(Vec::new());
    mara.git(&["init", "-q", "-b", "main"]);
    mara.plumb(&["init", "apps/billing", "--yes", "--workflows"]).ended(0);
    assert!(mara.read("apps/billing/plumb.toml").contains("name = \"billing\""));
    let plain = mara.read("apps/billing/config/billing/global/config.json");
    assert!(plain.contains("hello") && mara.read("apps/billing/plumb.toml").contains("type = \"String\""), "{plain}");
    let deploy = mara.read(".github/workflows/deploy.yml");
    let job = &parsed(&deploy)["jobs"]["deploy"];
    assert_eq!(job["defaults"]["run"]["working-directory"], "apps/billing");
    assert!(deploy.contains("- \"apps/billing/config/*/*/config.json\"\n"), "{deploy}");
}

#[test]
fn what_cannot_be_begun_says_why_and_writes_nothing() {
    let mara = Newcomer::new(Vec::new());
    let silent = mara.plumb(&["init"]);
    silent.ended(2).complained(&["no terminal to ask at", "--yes"]);
    mara.write("plumb.toml", "name = \n");
    mara.plumb(&["init", "--yes"]).ended(2).complained(&["plumb.toml", "move it away"]);
    for wrong in [&["--branch", "a b"][..], &["--age", "age1x"], &["--kms", "key"], &["--minimal", "--workflows"]] {
        mara.plumb(&[&["init", "--yes"], wrong].concat()).ended(2);
    }
    let there: Vec<_> = std::fs::read_dir(mara.path("shop")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(there, ["plumb.toml"]);
}
