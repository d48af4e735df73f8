//! Moving about: pages, items, filter, differences, environments and refs.

use super::shop::{Console, shop};

/// Waits until the cursor is on the item of this name.
fn stands_on(console: &Console, name: &str) {
    console.wait_for(&format!("the cursor on {name}"), |screen| {
        screen.contents().lines().any(|line| line.starts_with(" ▸ ") && line.contains(name))
    });
}

#[test]
fn the_first_page_says_where_we_are_and_what_happened_in_the_night() {
    let console = shop().console().open();
    console.sees("plumb  petshop / prod").sees("acct 0000…0000").sees("Give refunds a minute").sees("READ");
    let rows = [
        ("petshop-prod/OrdersTable", "~ drifted", "intern-laptop", "deleted behind the stack's back"),
        ("/storefront/prod/cdn/ttl_seconds", "~ drifted", "intern-laptop", "deleted live"),
        ("prod/petshop/stripe_api_key", "~ drifted", "ci-hotfix", "changed live"),
        ("petshop-prod-billing-api", "~ drifted", "ci-hotfix", "live -> 2"),
        ("petshop-prod/InventorySync", "~ drifted", "vendor-support", "SYNC_BATCH"),
        ("/billing/prod/db/pool_size", "~ drifted", "oncall-mara", "changed live"),
        ("petshop-prod/StorefrontRender", "~ drifted", "oncall-mara", "MemorySize"),
        ("petshop-prod/RefundQueue", "> pending", "", "VisibilityTimeout"),
        ("/billing/global/refunds/limit_cents", "> pending", "", "changed in git, not rolled out"),
        ("prod/petshop/webhook_signing_key", "> pending", "", "changed in git, not rolled out"),
    ];
    for (name, verdict, who, why) in rows {
        console.line_says(name, &[verdict, who, why]);
    }
    let dev = console.line("dev ");
    assert!(!dev.contains('~') && dev.contains('>'), "only prod had a night: {dev}");
    console.quit();
}

#[test]
fn each_page_lists_its_kind_and_shows_the_three_sides_of_an_item() {
    let console = shop().console().open();
    console.press("2").sees("2 STACKS").sees("BillingApiLive  +");
    let stack = console.line("26 resources");
    let facts = ["petshop-prod", "CREATE_COMPLETE", "runs ", " by root", "drift check "];
    assert!(facts.iter().all(|fact| stack.contains(fact)), "{stack}");
    console.press("j");
    stands_on(&console, "InventorySync");
    for title in ["PROPERTY", "GIT ", "APPLIED ", "LIVE ", "VERDICT", "Environment"] {
        console.sees(title);
    }
    console.press("<Enter>").sees("10 equal properties").loses("BillingApiLive");
    console.press("<Esc>").sees("BillingApiLive");
    console.press("3").sees("/billing/prod/db/pool_size").sees("11 more").sees("config/billing/prod/config.json");
    console.press("4").sees("prod/petshop/stripe_api_key").sees("secrets/prod.json");
    console.press("1").sees("NEEDS YOU").press("G k");
    console.press("g <Enter>").sees("2 STACKS");
    stands_on(&console, "OrdersTable");
    console.quit();
}

#[test]
fn a_filter_narrows_the_list_and_the_cursor_stays_on_its_item() {
    let console = shop().console().open();
    console.press("3").sees("11 more").press("j");
    stands_on(&console, "/billing/global/refunds/limit_cents");
    console.press("/").type_text("limit").sees("1 found").loses("pool_size");
    stands_on(&console, "limit_cents");
    console.press("<Enter>").loses("1 found").sees("/limit").press("<Esc>").sees("pool_size");
    stands_on(&console, "limit_cents");
    console.press("/").type_text("no such name").sees("nothing has such a name").press("<Esc>").sees("pool_size");
    console.quit();
}

#[test]
fn n_goes_from_difference_to_difference_and_f_from_differences_to_all_to_unmanaged() {
    let console = shop().console().open();
    console.press("3").sees("differences").press("f").sees("/billing/prod/db/host").loses("11 more");
    stands_on(&console, "pool_size");
    console.press("n");
    stands_on(&console, "limit_cents");
    console.press("n");
    stands_on(&console, "ttl_seconds");
    console.press("n").sees("no further difference").press("N");
    stands_on(&console, "limit_cents");
    console.press("f").sees("/inventory/prod/debug/trace").sees(". unmanaged").loses("limit_cents");
    console.press("f").sees("limit_cents").loses("debug/trace");
    console.quit();
}

#[test]
fn the_help_lists_the_keys_and_the_picker_goes_to_another_environment_and_commit() {
    let console = shop().console().open();
    console.press("?").sees("Choose environment and git ref").press("?").loses("Choose environment and git ref");
    console.press("@").sees("ENVIRONMENT, GIT REF").type_text("dev").press("<Enter>");
    console.sees("petshop / dev").loses("ENVIRONMENT, GIT REF").sees("petshop-dev/RefundQueue").loses("OrdersTable");
    console.press("@").sees("ENVIRONMENT, GIT REF").type_text("HEAD~1").press("<Enter>");
    // What is rolled out is that commit: nothing waits there.
    console.sees("HEAD~1").sees("Turn refunds on").loses("petshop-dev/RefundQueue");
    console.press("@").sees("ENVIRONMENT, GIT REF").type_text("nonsense").press("<Enter>").sees("nonsense");
    console.press("@").sees("ENVIRONMENT, GIT REF").press("<Esc>").loses("ENVIRONMENT, GIT REF");
    console.quit();
}

#[test]
fn a_change_by_hand_is_seen_when_asked_for_and_is_gone_when_it_is_put_back() {
    const NAME: &str = "/billing/qa/db/pool_size";
    let shop = shop();
    let before = shop.parameter(NAME);
    let console = shop.console_in("qa").open();
    console.press("3").sees("limit_cents").loses(NAME);
    shop.put(NAME, "77");
    console.press("r").sees(NAME);
    console.line_says(NAME, &["~ drifted", "a-hand"]);
    shop.put(NAME, &before);
    console.loses("esc cancels").press("r").loses("a-hand").loses(NAME);
    console.quit();
}
