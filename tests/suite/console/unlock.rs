//! Writing to the demo's prod, which is read-only by its name: refused, unlocked for a while, locked again.

use super::shop::{Console, shop};

/// What the header says may be written.
fn mode(console: &Console, word: &str) {
    console.wait_for(&format!("{word} in the header"), |screen| {
        screen.contents().lines().next().is_some_and(|line| line.trim_end().ends_with(word))
    });
}

fn command(console: &Console, line: &str) {
    console.press(":").sees("COMMANDS").type_text(line).press("<Enter>").loses("COMMANDS");
}

#[test]
fn prod_is_refused_until_it_is_unlocked_by_its_typed_name() {
    let console = shop().console().open();
    mode(&console, "READ");
    command(&console, "record");
    console.sees("RECORD PLAN").sees("protection: read-only").sees("prod is read-only   first :unlock 15m");
    console.press("<Esc>").loses("RECORD PLAN");
    command(&console, "unlock 15m \"the queue is stuck\"");
    console.sees("UNLOCK PLAN").sees("Type prod to unlock it for 15 minutes").press("<Enter>");
    console
        .sees("enter confirms nothing")
        .type_text("prod")
        .sees("prod is unlocked for 15 minutes")
        .sees("UNLOCKED 14:");
    command(&console, "record");
    console.sees("RECORD PLAN").sees("Type prod to write").press("<Esc>").loses("RECORD PLAN");
    command(&console, "lock");
    console.sees("prod is locked again");
    mode(&console, "READ");
    console.quit();
}

#[test]
fn what_can_be_written_to_already_is_told_so() {
    let console = shop().console_in("uat").open();
    mode(&console, "WRITE");
    command(&console, "unlock 15m \"just so\"");
    console.sees("uat can be written to already, its protection is open");
    console.quit();
}
