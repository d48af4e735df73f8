//! What shows a person what can be done.

use super::story::night;
use crate::console::fixture::SECRETS;

#[test]
fn a_prefix_shows_what_may_follow_and_the_second_key_does_it() {
    night()
        .press("3jx")
        .sees("ACTIONS  /checkout/prod/db/pool_size")
        .sees("n       Narrow the list to what lies beside the item")
        .sees("v       Show the values of the item")
        .does_not_see(SECRETS[2])
        .press("v")
        .does_not_see("ACTIONS")
        .sees(SECRETS[2]);
    night().press("3jxn").does_not_see("/billing/").sees("▸ ~ drifted   /checkout/prod/db/pool_size");
}

#[test]
fn an_unknown_second_key_and_esc_leave_the_menu() {
    night().press("3jxZ").sees("x Z does nothing: x shows what there is").does_not_see("ACTIONS").wants(&[]);
    night().press("3jx⎋").does_not_see("ACTIONS").does_not_see("does nothing").sees("pool_size");
    night().press("3jx^c").wants(&["quit"]);
}

#[test]
fn an_entry_that_cannot_be_done_says_why_and_is_not_done() {
    night().press("3j⏎x").sees("Open what is selected, full screen  already open: esc goes back");
    night().press("3j⏎x⏎").sees("already open: esc goes back").does_not_see("ACTIONS");
    night().press("4kx").sees("no item is selected").does_not_see("ACTIONS");
    night().press("x").does_not_see("ACTIONS").wants(&[]);
}
