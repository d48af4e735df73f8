//! Values: masked until they are asked for, and masked again as soon as nobody looks.

use super::shop::shop;

#[test]
fn a_secret_is_shown_on_request_only_and_masked_again_on_leaving() {
    let live = shop().secret("prod/petshop/stripe_api_key");
    assert!(live.starts_with("sk_live_") && live.len() > 20);
    let console = shop().console().open();
    console.press("4").sees("stripe_api_key").sees("fp ").press("<Enter>").sees("esc back");
    console
        .press("d")
        .sees("LIVE")
        .press("d")
        .sees("PROPERTY")
        .press("2")
        .sees("2 STACKS")
        .press("4")
        .sees("4 SECRETS");
    console.never_showed(&live).press("<Enter> v").sees(&live).sees("revealed, masks in");
    console.press("v").loses(&live).press("v").sees(&live).press("<Esc>").sees("webhook_signing_key");
    // Leaving is what masks: to another item, or to another page.
    console.press("j").loses("revealed").press("k <Enter>").sees("esc back").loses(&live);
    console.press("v").sees(&live).press("1").loses(&live).press("4").sees("4 SECRETS").loses("revealed").press("1");
    console.quit();
}

#[test]
fn a_waiting_parameter_shows_both_sides_masked_with_fingerprint_and_length() {
    let console = shop().console().open();
    console.press("3").sees("limit_cents").press("j").sees("•••• fp").sees("len 5");
    let sides = console.line(" value ");
    let prints: Vec<&str> = sides.split("fp ").skip(1).filter_map(|rest| rest.get(..4)).collect();
    assert!(sides.contains("len 5") && sides.contains("len 4"), "10000 in git, 5000 applied and live: {sides}");
    assert!(prints.len() == 3 && prints[0] != prints[1] && prints[1] == prints[2], "{sides}");
    console.never_showed("10000").press("v").sees("10000").sees("5000").press("v").loses("10000");
    console.quit();
}
