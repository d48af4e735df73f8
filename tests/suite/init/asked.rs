//! At a terminal what no flag says is asked.

use super::Newcomer;
use crate::support::terminal::Program;

#[test]
fn what_no_flag_says_is_asked_and_a_file_is_replaced_only_when_that_is_answered() {
    let mara = Newcomer::new(Vec::new());
    let init = || {
        let program = Program::plumb().args(["init", "--hooks=false"]).dir(mara.path("shop"));
        program.env("HOME", mara.path("")).env("PATH", std::env::var_os("PATH").unwrap()).start()
    };
    let terminal = init();
    terminal.sees("There is no age key yet").type_text("n\n");
    terminal.sees("Write the crypto API's functions out").type_text("what\n");
    terminal.sees("y or n is wanted").type_text("n\n");
    terminal.sees("Write the loop out that tells of changes").type_text("n\n");
    terminal.sees("Write GitHub workflows that deploy and check? [y/N]").type_text("y\n");
    assert_eq!(terminal.exit_code(), 0, "{}", terminal.text());
    assert!(mara.path("shop/.git").is_dir() && mara.path("shop/.github/workflows/check.yml").is_file());
    assert!(!mara.path(".config/sops").exists() && !mara.path("shop/crypto-api").exists());

    mara.write(".github/workflows/check.yml", "name: mine\n");
    for (answer, kept) in [("n\n", true), ("y\n", false)] {
        let terminal = init();
        terminal.sees("There is no age key yet").type_text("\n");
        terminal.sees("Write the crypto API's").type_text("\n");
        terminal.sees("Write the loop out").type_text("\n");
        terminal.sees("Write GitHub workflows").type_text("y\n");
        terminal.sees("Replace .github/workflows/check.yml? [y/N]").type_text(answer);
        assert_eq!(terminal.exit_code(), u32::from(kept), "{}", terminal.text());
        assert_eq!(mara.read(".github/workflows/check.yml") == "name: mine\n", kept);
    }
}
