//! Sizes, colours and alphabets.

use super::shop::{Console, shop};
use crate::support::terminal::Program;

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
fn the_console_of_linux_gets_no_glyph_that_its_font_has_not() {
    let console = shop().console().env("TERM", "linux").open();
    console.press("2").sees("InventorySync").sees("► ~ drifted").press("1 r").loses("esc cancels");
    let output = String::from_utf8_lossy(&console.output()).into_owned();
    let foreign = output.chars().find(|c| ('\u{2800}'..='\u{28ff}').contains(c) || "▸▾▴▏".contains(*c));
    assert_eq!(foreign, None);
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
fn a_terminal_that_says_that_it_is_light_gets_the_light_theme_and_nothing_of_the_answer_is_a_key() {
    let ground = |console: &Console, colour| {
        console.wait_for("the theme's background", |screen| screen.cell(0, 0).unwrap().bgcolor() == colour);
        console.sees("NEEDS YOU").never_showed("rgb:").never_showed("does nothing");
        console.press(":").sees("COMMANDS").type_text("theme dark\r").sees("drawn in plumb-dark");
        console.quit();
    };
    let (light, dark) = (vt100::Color::Rgb(255, 255, 255), vt100::Color::Rgb(0x1d, 0x20, 0x26));
    let white = || shop().console().with(|program| program.background("ffff/ffff/ffff"));
    ground(&white().open(), light);
    ground(&white().env("COLORFGBG", "15;0").open(), dark);
    ground(&white().env("PLUMB_THEME", "dark").open(), dark);
    ground(&shop().console().open(), dark);
}

#[test]
fn a_theme_is_changed_by_its_name_and_by_the_config_while_the_console_runs() {
    let config = tempfile::tempdir().unwrap();
    let file = config.path().join("config.toml");
    std::fs::write(&file, "theme = \"plumb-dark\"\n").unwrap();
    let console = shop().console().env("PLUMB_CONFIG_DIR", &config.path().display().to_string()).open();
    let ground = |colour: (u8, u8, u8)| {
        let colour = vt100::Color::Rgb(colour.0, colour.1, colour.2);
        console.wait_for("the theme's background", |screen| screen.cell(0, 0).unwrap().bgcolor() == colour);
    };
    ground((0x1d, 0x20, 0x26));
    console.press(":").sees("COMMANDS").type_text("theme lig").sees("plumb-light").press("<Enter>");
    console.sees("drawn in plumb-light until you leave");
    ground((255, 255, 255));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "theme = \"plumb-dark\"\n", "nothing is written to disk");
    std::fs::write(&file, "theme = \"plumb-high-contrast\"\n").unwrap();
    ground((0, 0, 0));
    console.quit();
}

#[test]
fn a_terminal_that_only_prints_is_refused_before_anything_is_sent_to_it() {
    for arguments in [&["--env", "prod"][..], &["demo"]] {
        let program = Program::plumb().dir(&shop().project).env("TERM", "dumb").args(arguments);
        let home = tempfile::tempdir().unwrap();
        let terminal = program.env("HOME", home.path()).env("PLUMB_STATE_DIR", home.path().join("state")).start();
        assert_eq!(terminal.exit_code(), 2);
        let said = terminal.text();
        assert!(said.contains("TERM=dumb") && said.contains("plumb status"), "{said}");
        assert!(!terminal.output().contains(&0x1b), "{:?}", String::from_utf8_lossy(&terminal.output()));
    }
}

#[test]
fn another_account_than_the_expected_is_said_loudly() {
    // A key of twelve digits is another account of the emulator.
    let console = shop().console().env("AWS_ACCESS_KEY_ID", "471100004242").begin();
    console.sees("! account 471100004242 is not the expected 000000000000: nothing below is of prod; reading only");
    console.sees("- git only").press("3").sees("not the expected").press("1").sees("NEEDS YOU");
    console.quit();
}
