//! Which stacks of a project its loops watch: of one that is left out nobody hears.

use std::collections::BTreeSet;

use crate::config::Stack;

/// Whether a section is that of a loop: it has the carried template, wherever that was written to.
pub(crate) fn is_loop(stack: &Stack) -> bool {
    stack.template.rsplit('/').next() == Some("integrity.yaml")
}

/// The stacks that no loop watches: neither the one of this name, which watches those, nor another one of the project. What
/// watches is not watched itself.
pub(crate) fn unwatched<'a>(stacks: &'a [Stack], own: &str, watched: &str) -> Vec<&'a str> {
    let is_other = |stack: &&Stack| is_loop(stack) && stack.name != own;
    let others = stacks.iter().filter(is_other).filter_map(|stack| stack.parameters.get("Stacks"));
    let names = |text: &'a str| text.split(',').map(str::trim);
    let mut known: BTreeSet<&str> = watched.split(',').map(str::trim).collect();
    known.extend(others.flat_map(|text| names(text)));
    let left = stacks.iter().filter(|stack| !is_loop(stack) && stack.name != own);
    left.map(|stack| stack.name.as_str()).filter(|name| !known.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_project;

    #[test]
    fn a_stack_that_no_loop_watches_is_named_and_a_loop_watches_no_loop() {
        let section = |name: &str, template: &str, more: &str| {
            format!("[[stacks]]\nname = \"{name}\"\ntemplate = \"{template}\"\n{more}\n")
        };
        let text = format!(
            "name = \"shop\"\n{}{}{}{}{}[environments.dev]\n",
            section("shop-dev", "a.yaml", ""),
            section("pay-dev", "b.yaml", ""),
            section("new-dev", "c.yaml", ""),
            section("shop-dev-loop", "crypto-api/lambda/integrity.yaml", "parameters = { Stacks = \"gone\" }"),
            section("other-loop", "lambda/integrity.yaml", "parameters = { Stacks = \"pay-dev\" }"),
        );
        let (project, _) = parse_project("plumb.toml", &text).unwrap();
        // The loop's own section may be ahead of what is deployed.
        assert_eq!(unwatched(&project.stacks, "shop-dev-loop", "shop-dev"), ["new-dev"]);
        assert_eq!(unwatched(&project.stacks, "shop-dev-loop", "shop-dev,new-dev"), Vec::<&str>::new());
        assert_eq!(unwatched(&project.stacks, "elsewhere", ""), ["shop-dev", "new-dev"]);
    }
}
