//! The crypto page over the demo's API: tried, proven, and gone without a trace.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::shop::{Console, shop};

const TYPED: &str = "the pin is 4711";

/// The page of an environment, once its keyring is read; what the console keeps lies in that directory.
fn page(environment: &str, state: &Path) -> Console {
    let console = shop().console_in(environment).env("PLUMB_STATE_DIR", state.to_str().unwrap()).open();
    console.press("6").sees("6 CRYPTO").sees("= key 1    latest");
    console
}

/// Every file below a directory.
fn files(directory: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn a_message_goes_there_and_back_and_is_nowhere_afterwards() {
    let state = tempfile::tempdir().unwrap();
    let console = page("dev", state.path());
    console.press("<Enter>").type_text(TYPED).sees(TYPED).press("<Enter>").sees("15 characters").loses(TYPED);
    console.press("j <Enter>").type_text("of=mara").press("<Enter>").sees("of=mara");
    console.press("t").sees("= came back as it was, key 1").sees("plumb:v1:1:").sees("15 bytes, v shows them");
    console.press("v").sees(TYPED).press("v").loses(TYPED);
    // The result becomes the input, and opens under the pairs that it is bound to alone.
    console.press("i d").sees("= decrypted, key 1").press("j").press("<Enter>").type_text("x").press("<Enter>");
    console.press("d").sees("decryption-refused:").sees("try: the same -c pairs");
    console.press("x").sees("wiped").press("<Enter>").paste("vault:v1:8SDd3").press("<Enter> d");
    console.sees("but a ciphertext of Vault's");
    console
        .press("x")
        .sees("empty: enter types it")
        .press("<Enter>")
        .type_text(TYPED)
        .press("<Enter> e")
        .sees("= encrypted");
    console.press("1").sees("1 OVERVIEW").press("6").sees("empty: enter types it").loses("plumb:v1:1:");
    console.quit();
    let mut kept = Vec::new();
    files(state.path(), &mut kept);
    assert!(kept.iter().any(|file| file.ends_with("console.log")), "{kept:?}");
    for file in kept {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        let trace = [TYPED.to_owned(), STANDARD.encode(TYPED), "of=mara".to_owned(), "plumb:v1:".to_owned()];
        assert!(!trace.iter().any(|trace| text.contains(trace)), "{}", file.display());
    }
}

#[test]
fn the_smoke_test_runs_row_by_row_and_stands_on_the_overview_of_the_next_console_too() {
    let state = tempfile::tempdir().unwrap();
    let console = page("prod", state.path());
    // Its writing is protected: the safe subset first, and all of it only when it is said twice.
    console.press("s").sees("all 6 passed").sees("safe subset").sees("= passed    round trip: emoji");
    console.press("S").sees("may trip alarms of prod: S again").press("S").sees("of 14 done");
    console
        .sees("all 14 passed")
        .sees("= passed    unsigned call refused")
        .sees("= passed    no plaintext in the logs");
    console.press("1").sees("CRYPTO");
    console.line_says("▸ prod ", &["= ok "]);
    console.quit();

    let again = shop().console_in("prod").env("PLUMB_STATE_DIR", state.path().to_str().unwrap()).open();
    again.line_says("▸ prod ", &["= ok "]);
    again.press("6").sees("= passed    unsigned call refused").sees("all 14 passed");
    again.quit();
}

#[test]
fn a_rotation_is_planned_as_every_write_is() {
    let state = tempfile::tempdir().unwrap();
    let console = page("prod", state.path());
    console.press("K").sees("ROTATE PLAN").sees("prod/petshop-crypto/keyring").sees("version 2");
    console.sees("prod is read-only   first :unlock").type_text("prod").press("<Esc>").loses("ROTATE PLAN");
    console.quit();
    let journal = std::fs::read_to_string(state.path().join("journal.jsonl")).unwrap_or_default();
    assert!(!journal.contains("rotate"), "{journal}");
}
