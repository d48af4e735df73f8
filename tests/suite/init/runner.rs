//! A runner of GitHub's, as far as these workflows need one.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use super::condition::holds;
use super::{Newcomer, said};

/// A clone with the tools of a runner in PATH, and what the workflow's expressions are.
pub struct Runner<'a> {
    newcomer: &'a Newcomer,
    clone: PathBuf,
    tools: PathBuf,
    /// What the expressions of the job's and the steps' environments come to.
    pub expressions: BTreeMap<&'static str, String>,
    /// What the action for credentials has put into the environment; nothing: the newcomer's own are there.
    pub credentials: Vec<(String, String)>,
    /// A script that is run before a step of this name, as nobody does on AWS.
    pub prepared: Option<(&'static str, &'static str)>,
    /// What came of each step: its name, its exit code, and what it printed.
    pub steps: Vec<(String, i32, String)>,
}

impl<'a> Runner<'a> {
    /// With this build's plumb.
    pub fn new(newcomer: &'a Newcomer, name: &str) -> Self {
        let tools = newcomer.path(&format!("{name}-tools"));
        std::fs::create_dir(&tools).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_plumb"), tools.join("plumb")).unwrap();
        let clone = newcomer.path(name);
        Self {
            newcomer,
            clone,
            tools,
            expressions: BTreeMap::new(),
            credentials: Vec::new(),
            prepared: None,
            steps: Vec::new(),
        }
    }

    /// A tool of the runner, in the place of one that is there.
    pub fn tool(&self, name: &str, script: &str) {
        let path = self.tools.join(name);
        // What is there may be a link to the real one.
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, format!("#!/bin/bash\nset -euo pipefail\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// What the steps wrote to the runner's own folder.
    pub fn written(&self, name: &str) -> String {
        std::fs::read_to_string(self.tools.join(name)).unwrap()
    }

    /// Runs a job's steps in their order, after one that failed only those that run all the same; answers whether none did.
    pub fn runs(&mut self, workflow: &str, name: &str, commit: &str) -> bool {
        let document = parsed(&self.newcomer.read(&format!(".github/workflows/{workflow}")));
        let job = &document["jobs"][name];
        assert_eq!(job["defaults"]["run"]["shell"], "bash");
        let job_env = self.environment(&job["env"]);
        assert!(self.begins(workflow, name), "GitHub would leave {name} out");
        self.steps.clear();
        let mut well = true;
        for step in job["steps"].as_array().unwrap() {
            if let Some(uses) = step["uses"].as_str() {
                if well && self.holds(step["if"].as_str().unwrap_or("true")) {
                    self.uses(uses, step, commit);
                }
                continue;
            }
            let condition = step["if"].as_str().unwrap_or("true");
            // What says nothing of how the job stands runs only while all is well.
            if (!well && !condition.contains("cancelled()")) || !self.holds(condition) {
                continue;
            }
            let mut env = job_env.clone();
            env.extend(self.environment(&step["env"]));
            let (name, script) = (step["name"].as_str().unwrap(), step["run"].as_str().unwrap());
            assert!(!script.contains("${{"), "{script}");
            let before = self.prepared.filter(|(step, _)| *step == name).map(|(_, script)| script).unwrap_or_default();
            let script = &format!("{before}\n{script}");
            let path = format!("{}:{}", self.tools.display(), std::env::var("PATH").unwrap());
            let mut bash = self.newcomer.command("bash", &self.clone);
            // As GitHub runs `shell: bash`.
            bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).env("PATH", path).envs(env);
            bash.envs(self.credentials.iter().cloned());
            bash.env("GITHUB_STEP_SUMMARY", self.newcomer.path("summary.md")).env("GITHUB_REPOSITORY", "team/shop");
            bash.env("RUNNER_TEMP", &self.tools);
            if let Some(id) = step["id"].as_str() {
                let outputs = self.tools.join(format!("{id}.output"));
                std::fs::write(&outputs, "").unwrap();
                bash.env("GITHUB_OUTPUT", outputs);
            }
            let output = bash.output().unwrap();
            let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
            let code = output.status.code().unwrap();
            self.steps.push((name.to_owned(), code, text));
            well &= code == 0;
        }
        well
    }

    /// Whether GitHub would run a job of a workflow at all.
    pub fn begins(&self, workflow: &str, job: &str) -> bool {
        let document = parsed(&self.newcomer.read(&format!(".github/workflows/{workflow}")));
        document["jobs"][job]["if"].as_str().is_none_or(|condition| self.holds(condition))
    }

    /// Whether a condition holds. What nobody has said anything about is empty, as on GitHub.
    fn holds(&self, condition: &str) -> bool {
        condition == "true" || holds(condition, &|name| self.value(name))
    }

    /// What a context has by a name.
    fn value(&self, name: &str) -> String {
        if let Some(output) = name.strip_prefix("steps.") {
            let (id, name) = output.split_once(".outputs.").unwrap();
            let outputs = std::fs::read_to_string(self.tools.join(format!("{id}.output"))).unwrap_or_default();
            let found = outputs.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            return found.unwrap_or_default().to_owned();
        }
        match self.expressions.get(name) {
            Some(value) => value.clone(),
            None if name == "github.repository" => "team/shop".to_owned(),
            None => String::new(),
        }
    }

    fn uses(&self, action: &str, step: &Value, commit: &str) {
        let (name, pin) = action.split_once('@').unwrap();
        assert!(pin.len() == 40 && pin.bytes().all(|byte| byte.is_ascii_hexdigit()), "{action} is not pinned");
        match name {
            "actions/checkout" => {
                assert_eq!(
                    (&step["with"]["fetch-depth"], &step["with"]["persist-credentials"]),
                    (&0.into(), &false.into())
                );
                if !self.clone.exists() {
                    let remote = self.newcomer.path("remote.git");
                    let home = self.newcomer.path("");
                    let mut git = self.newcomer.command("git", &home);
                    said(&git.args(["clone", "-q"]).arg(remote).arg(&self.clone).output().unwrap());
                }
                let git = |arguments: &[&str]| {
                    said(&self.newcomer.command("git", &self.clone).args(arguments).output().unwrap())
                };
                git(&["fetch", "-q", "origin"]);
                git(&["checkout", "-q", "--detach", commit]);
            }
            // The newcomer's environment has the credentials already.
            "aws-actions/configure-aws-credentials" => {
                let keys = step["with"].as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
                let oidc = ["role-to-assume", "aws-region"];
                assert!(
                    keys == oidc || keys == ["aws-access-key-id", "aws-secret-access-key", "aws-region"],
                    "{keys:?}"
                );
            }
            "actions/cache" => {}
            other => panic!("what does {other} do?"),
        }
    }

    /// Variables with their expressions put in. One that nobody has thought of is a mistake of the test.
    fn environment(&self, env: &Value) -> Vec<(String, String)> {
        let variables = env.as_object().into_iter().flatten();
        let value = |text: &str| {
            let mut out = String::new();
            let mut rest = text;
            while let Some((before, after)) = rest.split_once("${{") {
                let (expression, after) = after.split_once("}}").unwrap();
                let value = self.expressions.get(expression.trim());
                out += before;
                out += value.unwrap_or_else(|| panic!("what is {expression}?"));
                rest = after;
            }
            out + rest
        };
        variables.map(|(name, text)| (name.clone(), value(text.as_str().unwrap()))).collect()
    }

    /// What a step printed.
    pub fn told(&self, name: &str) -> &str {
        let found = self.steps.iter().find(|(step, ..)| step == name);
        &found.unwrap_or_else(|| panic!("no step {name}: {:#?}", self.steps)).2
    }
}

/// A workflow as a value.
pub fn parsed(text: &str) -> Value {
    plumb::template::document("workflow", text).unwrap()
}
