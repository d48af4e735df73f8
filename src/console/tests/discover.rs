//! What shows a person what can be done.

use super::story::{Story, first_run, night, story};
use crate::compare::Why;
use crate::console::fixture::{self, SECRETS};
use crate::console::overlay::Tour;
use crate::console::{Effect, Key, Keymap, Message, Overlay};

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
    night().press("4kx").sees("a problem is selected, and no item").does_not_see("ACTIONS");
    night().press("⇥x").sees("an environment is selected, and no item").does_not_see("ACTIONS").wants(&[]);
}

#[test]
fn the_keys_are_searched_and_done() {
    night().press("?").sees("On every page").sees("Refresh what you are on").press("?").does_not_see("KEYS");
    night()
        .press("3?what␣you␣are")
        .sees("▸   r                  Refresh what you are on")
        .does_not_see("Git and live line by line")
        .press("⏎")
        .does_not_see("KEYS")
        .wants(&["fetch prod"]);
    night().press("?").press("⎋").does_not_see("KEYS").wants(&[]);
    night().press("2?␣git␣line").sees("Git and live line by line").press("⏎").does_not_see("KEYS").sees("GIT ");
}

#[test]
fn a_key_typed_as_it_is_written_finds_its_action_first() {
    night().press("3?R").sees("▸   R                  Read again with a new drift detection");
    night().press("3?x␣n").sees("▸   x n                Narrow the list to what lies beside the item");
}

#[test]
fn what_cannot_be_done_says_why_in_the_keys_and_stays_undone() {
    night()
        .press("⇥?reveal")
        .sees("Show the values of the item; mask them again  not now: an environment is selected, and no item")
        .press("⏎")
        .sees("reveal: an environment is selected, and no item")
        .sees("KEYS");
    story().press("?refresh").sees("not now: already reading").press("⏎").sees("refresh: already reading").sees("KEYS");
    night().press("u?").sees("On items  not here").press("unified").does_not_see("not now");
    night().press("u?git␣line").sees("not now: only on a page").press("⏎").sees("diff: only on a page").sees("KEYS");
}

#[test]
fn the_keys_are_at_hand_in_a_text_field_too_and_come_back_to_it() {
    let f1 = |story: Story| story.hears(Message::Key(Key::F(1)));
    let story = f1(night().press("@").answers_all().press("qa"));
    let story = story.sees("KEYS").press("erase␣everything⏎").sees("ENVIRONMENT").does_not_see("KEYS");
    assert_eq!(story.model.overlays.last().and_then(|overlay| overlay.field()), Some(""));
    f1(night().press("3/po")).press("⎋").sees("/po");
}

#[test]
fn the_palette_finds_actions_environments_refs_and_items() {
    night().press(":what␣you␣are").sees("▸ do").sees("Refresh what you are on").press("⏎").wants(&[
        "refs",
        "fetch prod",
        "remember action refresh",
    ]);
    night().press(":qa").sees("▸ env    qa            go there").press("⏎").sees("petshop / qa");
    night().press(":").answers_all().press("v230⏎").wants(&["inspect prod at v2.3.0 Cached", "remember command ref"]);
    night()
        .press(":poolsize")
        .sees("▸ param  /checkout/prod/db/pool_size  ~ drifted")
        .press("⏎")
        .sees("3 PARAMETERS")
        .sees("▸ ~ drifted   /checkout/prod/db/pool_size")
        .wants(&["refs", "remember item parameter /checkout/prod/db/pool_size"]);
}

#[test]
fn an_item_that_the_list_hides_is_reached_from_the_palette() {
    night().press("3/nothing⏎:key03⏎").sees("▸ = in sync   /checkout/prod/key03");
}

#[test]
fn what_was_chosen_lately_comes_first() {
    night()
        .press(":poolsize⏎")
        .press(":")
        .sees("▸ param  /checkout/prod/db/pool_size")
        .press("⎋:")
        .press("qa⏎:")
        .sees("▸ env    qa");
}

#[test]
fn what_was_typed_lately_comes_back_by_its_name_alone() {
    let mut story = night().press(":unlock␣5m␣the␣queue␣is␣stuck⏎");
    let kept = story.effects.iter().find_map(|effect| match effect {
        Effect::Remember(memory) => Some(memory.recent.clone()),
        _ => None,
    });
    assert_eq!(kept.unwrap(), ["command unlock"], "the reason is for the journal");
    story.effects.clear();
    let story = story.press("⎋:").sees("▸ give   :unlock 15m").press("⎋");
    // What was not understood, or not carried out, is not remembered; nor is leaving.
    let story = story.press(":frobnicate⏎⎋:env␣nowhere⏎⎋:quit⏎");
    assert!(!story.effects.iter().any(|effect| matches!(effect, Effect::Remember(_))), "{:?}", story.effects);
}

#[test]
fn a_theme_is_named_in_the_palette_and_worn_at_once() {
    night().press(":theme␣").sees("theme  plumb-dark").sees("theme  plumb-catppuccin").press("catp⏎").wants(&[
        "refs",
        "theme plumb-catppuccin",
        "remember command theme",
    ]);
    night().press(":theme␣mine⏎").wants(&["refs", "theme mine", "remember command theme"]);
    let worn = night().press(":high-contrast⏎").answers_all();
    worn.sees("drawn in plumb-high-contrast until you leave; theme = \"plumb-high-contrast\" in config.toml keeps it");
    let why = Why::new("there is no theme \"mien\"; did you mean mine?");
    night().hears(Message::Themed(String::from("mien"), Err(why))).sees("theme: there is no theme \"mien\"");
}

#[test]
fn a_sentence_is_cut_at_its_end_unless_what_was_found_is_there() {
    let story = night().size(60, 16).press(":");
    let story = story
        .sees("Show the values of the item; mask t…")
        .press("refresh␣what")
        .sees("Refresh what you are on: everything");
    story.press("^uan␣item").sees("…").sees("a page, an item");
    // Of a path the end says more.
    night().size(60, 16).press(":poolsize").sees("/db/pool_size");
}

#[test]
fn the_palette_says_why_something_cannot_be_done_and_does_not_do_it() {
    night()
        .press("⇥:")
        .press("git␣line")
        .sees("▸ do     Git and live line by line")
        .sees("not now: an environment is selected, and no item")
        .press("⏎")
        .sees("COMMANDS")
        .sees("diff: an environment is selected, and no item")
        .wants(&["refs"]);
}

#[test]
fn commands_are_typed() {
    night().press(":env␣qa⏎").sees("petshop / qa");
    night().press(":page␣secrets⏎").sees("4 SECRETS");
    night().press("3:filter␣pool⏎").sees("pool_size").does_not_see("/billing/");
    night().press(":ref␣HEAD~3⏎").wants(&["refs", "inspect prod at HEAD~3 Cached", "remember command ref"]);
    night().press(":quit⏎").wants(&["refs", "quit"]);
    night().press(":help⏎").sees("KEYS");
}

#[test]
fn a_command_s_argument_is_offered_and_found_by_its_letters() {
    night()
        .press(":env␣")
        .sees("▸ env    dev")
        .sees("env    qa")
        .does_not_see("secret")
        .press("pr")
        .sees("you are here");
    night().press(":pag␣").does_not_see("▸ do").press("⎋:page␣").sees("▸ do").press("sec⏎").sees("4 SECRETS");
    night().press(":en").sees(":env NAME").press("⏎").sees("env ▏").press("q⏎").sees("petshop / qa");
}

#[test]
fn a_wrong_command_says_what_was_perhaps_meant() {
    let wrong = night().press(":evn␣qa").sees(":evn qa  there is no command evn; did you mean env?");
    wrong.press("⏎").sees("COMMANDS").press("⎋").wants(&["refs"]);
    night().press(":evn␣prod").sees("there is no command evn; did you mean env?");
    night().press(":env␣prdo").sees("env prdo").press("⏎").sees("there is no environment prdo; did you mean prod?");
}

#[test]
fn what_is_read_meanwhile_is_found_and_the_choice_stays() {
    let story = story();
    let generation = story.generation();
    let story = story.press(":r↓↓");
    let chosen = |story: &Story| match story.model.overlays.last() {
        Some(Overlay::Palette(palette)) => palette.found[palette.line].clone(),
        _ => panic!("no palette"),
    };
    let before = chosen(&story);
    let report = fixture::report("prod");
    let story = story.hears(Message::Inspected(generation, Box::new(report)));
    assert_eq!(chosen(&story), before);
    story.press("^u").press("poolsize").sees("▸ param");
}

#[test]
fn the_way_out_and_the_keys_are_in_the_footer_at_every_width() {
    let places = [
        ("", "q quit", "? keys"),
        ("3", "q back", "? keys"),
        ("3j⏎", "esc back", "? keys"),
        ("4jd", "esc back", "? keys"),
        ("4jv", "q back", "? keys"),
        ("3/pool⏎", "esc show all", "? keys"),
        ("u", "esc back", "? keys"),
        ("3/a long text that is typed here", "esc leave", "f1 keys"),
        ("@", "esc leave", "f1 keys"),
        (":", "esc leave", "f1 keys"),
        ("?", "esc leave", ""),
        ("3jx", "esc leave", ""),
    ];
    for (keys, out, help) in places {
        let mut story = night().press(keys);
        for width in 60..=140 {
            story = story.size(width, 24);
            let screen = story.screen();
            let footer = screen.lines().last().unwrap();
            assert!(footer.contains(out), "after {keys:?} at {width}: {footer}");
            assert!(footer.contains(help), "after {keys:?} at {width}: {footer}");
        }
    }
}

#[test]
fn the_tour_goes_on_as_its_eight_things_are_done() {
    first_run().wants(&[
        "inspect prod Cached",
        "inspect dev Cached",
        "inspect qa Cached",
        "fetch prod",
        "remember , toured",
    ]);
    first_run()
        .answers_all()
        .sees("TOUR 1 of 8  The overview")
        .press("j")
        .sees("TOUR 2 of 8  Open")
        .press("⏎")
        .sees("TOUR 3 of 8  Three sides")
        .press("d")
        .sees("TOUR 3 of 8")
        .press("q")
        .sees("TOUR 4 of 8  Filter")
        .press("3/")
        .does_not_see("leave the tour")
        .press("pool⎋")
        .sees("TOUR 5 of 8  Differences")
        .press("nN")
        .sees("TOUR 6 of 8  Values")
        .press("vv")
        .sees("TOUR 7 of 8  Search")
        .press(":")
        .sees("TOUR 7 of 8")
        .press("⎋")
        .sees("TOUR 8 of 8  Where you are")
        .press("@⎋")
        .sees("that was the tour; :tour begins it again")
        .does_not_see("TOUR");
}

#[test]
fn the_tour_goes_on_by_its_key_and_is_left_by_esc_and_begun_again() {
    first_run()
        .press("^t^t")
        .sees("TOUR 3 of 8")
        .press("⎋")
        .does_not_see("TOUR")
        .sees("the tour is over; :tour begins it again")
        .press(":tour⏎")
        .sees("TOUR 1 of 8")
        .press("^t^t^t^t^t^t^t^t")
        .does_not_see("TOUR");
    // What lies over the page is left first.
    first_run().press(":⎋").sees("TOUR 1 of 8");
    // As is what is open on it, and a filter.
    let toured =
        first_run().answers_all().press("2⏎⎋").sees("TOUR").sees("leave the tour").press("⎋").does_not_see("TOUR");
    toured
        .press(":tour⏎3/size⏎")
        .sees("TOUR")
        .does_not_see("leave the tour")
        .sees("/size")
        .press("⎋")
        .sees("TOUR")
        .does_not_see("/size");
    story().does_not_see("TOUR").press("^t").does_not_see("TOUR");
}

#[test]
fn the_tour_does_not_come_again() {
    let first = first_run();
    assert!(first.model.memory.toured);
    let again = first.begins_again();
    again.does_not_see("TOUR");
}

#[test]
fn every_step_of_the_tour_is_read_in_full_on_the_smallest_terminal() {
    for (width, height) in [(60, 16), (80, 24)] {
        let mut story = first_run().size(width, height);
        for step in 1..=8 {
            story = story.sees(&format!("TOUR {step} of 8"));
            let tour = story.model.tour.as_ref().and_then(Tour::current).unwrap();
            let last = tour.text(&story.model.keymap).split_whitespace().next_back().unwrap().to_owned();
            story = story.sees(&last).press("^t");
        }
    }
}

#[test]
fn an_escape_and_a_key_that_come_at_once_are_both_heard() {
    let at_once = |story: Story, c| story.hears(Message::Key(Key::Alt(c)));
    at_once(night().press("/zzz"), ':').sees("COMMANDS").press("⎋").does_not_see("zzz");
    at_once(night().press("@"), '3').sees("3 PARAMETERS").does_not_see("GIT REF");
    // A key of one's own is what it says.
    let mut bound = night();
    bound.model.keymap = Keymap::new(&[(String::from("palette"), vec![String::from("alt-p")])].into()).unwrap();
    at_once(bound.press("@"), 'p').sees("ENVIRONMENT").press("⎋").does_not_see("COMMANDS");
}
