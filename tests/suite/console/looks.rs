//! Sizes, colours and alphabets.

use super::shop::shop;

#[test]
fn the_page_follows_the_terminal_down_to_sixty_columns_and_says_so_below() {
    let console = shop().console().open();
    console.press("3").sees("LIVE ").sees("SecureString");
    console.resize(80, 24).loses("APPLIED ").sees("applied").sees("3 PARAMETERS");
    console.resize(60, 16).sees("pool_size").sees("limit_cents");
    console.resize(59, 16).sees("plumb needs 60 columns and 16 lines.").sees("This terminal has 59 and 16.");
    console.resize(60, 15).sees("This terminal has 60 and 15.");
    console.resize(200, 50).sees("APPLIED ").sees("pool_size").resize(120, 40).sees("PROPERTY");
    console.resize(20, 3).sees("plumb needs").press("q");
    assert_eq!(console.exit_code(), 0);
    console.is_restored();
}

#[test]
fn without_colour_the_words_say_it_all() {
    let console = shop().console().env("NO_COLOR", "1").open();
    console.sees("~ drifted").sees("> pending").sees("? unknown");
    let output = String::from_utf8_lossy(&console.output()).into_owned();
    for colour in ["\x1b[38;", "\x1b[48;", "[38;2", "[38;5"] {
        assert!(!output.contains(colour), "a colour was sent");
    }
    console.quit();
}

#[test]
fn a_terminal_without_utf_8_gets_ascii_alone() {
    let console = shop().console().env("LC_ALL", "C").open();
    console.press("2").sees("InventorySync").press("4").sees("**** fp").press("@").sees("ENVIRONMENT").press("<Esc>");
    console.loses("ENVIRONMENT");
    let foreign: Vec<u8> = console.output().into_iter().filter(|byte| !byte.is_ascii()).collect();
    assert!(foreign.is_empty(), "{foreign:x?}");
    console.quit();
}

#[test]
fn a_terminal_that_reorders_lines_is_asked_not_to_and_may_again_for_others() {
    let console = shop().console().env("PLUMB_PAGER", "cat; read -r line < /dev/tty; :").open();
    assert!(console.keeps_order(), "columns stay where they are");
    console.press("3").sees("pool_size").press("o").sees("+++ live");
    assert!(!console.keeps_order(), "the terminal is another's");
    console.type_text("\r").sees("press enter to go back").press("<Enter>").sees("3 PARAMETERS");
    assert!(console.keeps_order());
    // `quit` holds that it is given back.
    console.quit();
}

#[test]
fn another_account_than_the_expected_is_said_loudly() {
    // A key of twelve digits is another account of the emulator.
    let console = shop().console().env("AWS_ACCESS_KEY_ID", "471100004242").begin();
    console.sees("! account 471100004242 is not the expected 000000000000: nothing below is of prod; reading only");
    console.sees("- git only").press("3").sees("not the expected").press("1").sees("NEEDS YOU");
    console.quit();
}
