//! The stacks of one environment, everything filled in.

use std::collections::BTreeSet;

use super::whole::MappingProblem;
use crate::config::pattern::{Bindings, Pattern, Placeholder, fill};
use crate::config::project::{Function, Project, Stack};

/// The stacks of the environment that `bindings` name, all placeholders that are bound filled in (`{account}` and
/// `{region}` stay when they are not known yet), one for each service where the template's path has `{service}`.
///
/// `listing` are the paths of the commit, from the project's root.
pub fn stacks(
    project: &Project,
    bindings: &Bindings,
    listing: &[impl AsRef<str>],
) -> (Vec<Stack>, Vec<MappingProblem>) {
    let env = bindings.env.as_deref().unwrap_or_default();
    let here = |stack: &&Stack| stack.environments.is_empty() || stack.environments.iter().any(|name| name == env);
    let mut stacks: Vec<Stack> = Vec::new();
    let mut problems = Vec::new();
    for stack in project.stacks.iter().filter(here) {
        let services = services(stack, env, listing);
        if services.is_empty() {
            let why = "no file of the commit matches the template's path";
            problems.push(MappingProblem::new(&stack.template, &[], why));
        }
        for service in services {
            let bindings = Bindings { service, ..bindings.clone() };
            let filled = filled(stack, &bindings);
            if stacks.iter().any(|other| other.name == filled.name) {
                let why = format!("two stacks become {}", filled.name);
                problems.push(MappingProblem::new(&filled.template, &[], why));
            } else {
                stacks.push(filled);
            }
        }
    }
    (stacks, problems)
}

/// The services that a stack exists for; one `None` for a stack of no service.
fn services(stack: &Stack, env: &str, listing: &[impl AsRef<str>]) -> Vec<Option<String>> {
    let Ok(pattern) = Pattern::parse(&stack.template) else { return Vec::new() };
    if !pattern.has(Placeholder::Service) {
        return vec![None];
    }
    let own = |hole: Placeholder, value: &str| hole != Placeholder::Env || value == env;
    let found = listing.iter().flat_map(|file| pattern.readings(file.as_ref(), &own)).map(|reading| reading.service);
    found.collect::<BTreeSet<_>>().into_iter().collect()
}

fn filled(stack: &Stack, bindings: &Bindings) -> Stack {
    let text = |text: &String| fill(text, bindings);
    let texts = |texts: &[String]| texts.iter().map(text).collect::<Vec<_>>();
    Stack {
        name: text(&stack.name),
        template: text(&stack.template),
        kind: stack.kind,
        synth: stack.synth.as_deref().map(texts),
        parameters: stack.parameters.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        tags: stack.tags.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        capabilities: stack.capabilities.clone(),
        functions: stack
            .functions
            .iter()
            .map(|function| Function {
                resource: function.resource.clone(),
                source: text(&function.source),
                also: texts(&function.also),
                alias: function.alias.as_ref().map(text),
                artifact_parameter: function.artifact_parameter.clone(),
                build: function.build.as_deref().map(texts),
                output: function.output.as_ref().map(text),
            })
            .collect(),
        environments: stack.environments.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_project;

    #[test]
    fn a_stack_is_filled_in_and_multiplied_by_its_services() {
        let text = "name = \"p\"\n[environments.dev]\n[environments.prod]\n\
            [[stacks]]\nname = \"{service}-{env}\"\ntemplate = \"services/{service}/template.yaml\"\n\
            parameters = { Env = \"{env}\", Bucket = \"b-{account}-{region}\" }\n\
            [[stacks.functions]]\nresource = \"Fn\"\nsource = \"services/{service}/src\"\n\
            [[stacks]]\nname = \"base-{env}\"\ntemplate = \"base.yaml\"\nenvironments = [\"prod\"]\n";
        let project = parse_project("plumb.toml", text).unwrap().0;
        let files = ["services/b/template.yaml", "services/a/template.yaml", "services/a/src/index.js"];
        let bindings = Bindings::env("dev").with(Placeholder::Account, "471100004242");
        let (stacks, problems) = stacks(&project, &bindings, &files);
        let names: Vec<_> = stacks.iter().map(|stack| (stack.name.as_str(), stack.template.as_str())).collect();
        assert_eq!(names, [("a-dev", "services/a/template.yaml"), ("b-dev", "services/b/template.yaml")]);
        assert_eq!(stacks[0].functions[0].source, "services/a/src");
        assert_eq!(stacks[0].parameters["Bucket"], "b-471100004242-{region}");
        assert_eq!(problems, []);
    }

    #[test]
    fn a_template_that_no_service_has_and_a_name_that_two_have_are_problems() {
        let text = "name = \"p\"\n[environments.dev]\n\
            [[stacks]]\nname = \"{service}\"\ntemplate = \"s/{service}.yaml\"\n[[stacks]]\nname = \"a\"\ntemplate = \"t.yaml\"\n";
        let project = parse_project("plumb.toml", text).unwrap().0;
        let found = |files: &[&'static str]| stacks(&project, &Bindings::env("dev"), files).1;
        assert_eq!(found(&[])[0].why, "no file of the commit matches the template's path");
        assert_eq!(found(&["s/a.yaml"])[0].why, "two stacks become a");
    }
}
