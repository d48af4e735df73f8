//! Copying, the mouse, other programs, and the operator's own actions.

use super::story::{Story, night};
use crate::compare::{Kind, Why};
use crate::config::{CustomAction, Harm, On, Output};
use crate::console::fixture::{self, SECRETS};
use crate::console::home::Outside;
use crate::console::pointer::{Button, Mouse};
use crate::console::{Effect, Key, Message, Sent};

/// The selected parameter of most stories.
const POOL: &str = "/checkout/prod/db/pool_size";

fn forge(mut story: Story, url: &str) -> Story {
    if let Some(info) = &mut story.model.environments[story.model.current].info {
        info.remotes = vec![(String::from("origin"), url.to_owned())];
    }
    story
}

#[test]
fn y_shows_what_can_be_copied_and_of_what() {
    night()
        .press("3jy")
        .sees(&format!("COPY  {POOL}"))
        .sees("v       The live value, without showing it")
        .sees("g       Git's value, without showing it")
        .sees("l       The link to the commit on the forge  the repository has no remote")
        .does_not_see(SECRETS[2])
        .press("⎋")
        .does_not_see("COPY");
}

#[test]
fn a_value_is_copied_masked_as_it_stays_on_the_screen() {
    night()
        .press("3jyv")
        .wants(&["copy live value: new-pool-75\n"])
        .hears(Message::Copied(String::from("live value"), 12, Ok(Sent::Terminal)))
        .sees("live value sent to the terminal's clipboard, 12 characters")
        .hears(Message::Copied(String::from("name"), 1, Ok(Sent::Tmux)))
        .sees("name sent to the terminal's clipboard by tmux, 1 character")
        .hears(Message::Copied(String::from("name"), 2, Ok(Sent::PastTmux)))
        .sees("name sent, 2 characters; tmux passes it on with set-clipboard on")
        .hears(Message::Copied(String::from("name"), 2, Ok(Sent::Command)))
        .sees("name copied, 2 characters")
        .does_not_see("new-pool")
        .press("yg")
        .wants(&[&format!("copy value in git: {}", SECRETS[2])])
        .does_not_see(SECRETS[2]);
}

#[test]
fn a_value_that_was_not_read_is_read_for_the_clipboard_alone() {
    let name = "/billing/prod/key00";
    let mut story = night().press("3f/key00⏎yv").sees("reading the live value, esc cancels");
    assert!(matches!(&story.effects[..], [Effect::Read(_, _, Kind::Parameter, read)] if read == name));
    story = story
        .answers_all()
        .sees("live value sent to the terminal's clipboard, 28 characters")
        .does_not_see("value of /billing");
    let mut off = night();
    off.model.home.settings.clipboard = crate::config::Clipboard::Off;
    off.press("3f/key00⏎yv").sees("not copied: clipboard = \"off\"").wants(&[]);
    // It is not kept either: what is copied next is read again.
    story.press("yg").wants(&["read prod parameter /billing/prod/key00"]);
}

#[test]
fn esc_lets_a_value_go_and_its_late_answer_copies_nothing() {
    let story = night().press("3f/key00⏎yv");
    let Some(Effect::Read(generation, ..)) = story.effects.last() else { panic!("nothing is read") };
    let generation = *generation;
    let late = || Ok(Box::new(fixture::opened(Kind::Parameter, "/billing/prod/key00").unwrap()));
    let mut story = story.press("⎋").sees("cancelled: nothing was copied");
    story.effects.clear();
    story.hears(Message::Read(generation, late())).wants(&[]);
    let failed = night().press("3f/key00⏎yv");
    let Some(Effect::Read(generation, ..)) = failed.effects.last() else { panic!("nothing is read") };
    let generation = *generation;
    let why = Why::new("AccessDeniedException");
    failed.hears(Message::Read(generation, Err(why))).sees("not copied: AccessDeniedException");
}

#[test]
fn a_side_that_is_not_there_is_said_not_to_be() {
    night().press("3yv").wants(&[]).sees("not copied: it is not live");
    let denied = "not copied: cannot read prod/petshop/stripe: AccessDeniedException";
    night().press("4f/adyen⏎jyv").wants(&[]).sees(denied);
}

#[test]
fn the_property_under_the_cursor_is_what_is_copied_of_a_resource() {
    night().press("2/CheckoutFn⏎⏎yv").wants(&["copy live value of MemorySize: 1024"]);
    night().press("2/CheckoutFn⏎⏎jyg").wants(&["copy value in git of Timeout: 15"]);
}

#[test]
fn names_commands_and_links_are_copied() {
    let rows = [
        ("n", POOL.to_owned(), "name"),
        ("a", format!("arn:aws:ssm:eu-central-1:471100004242:parameter{POOL}"), "ARN"),
        (
            "c",
            format!(
                "aws ssm get-parameter --name {POOL} --with-decryption --region eu-central-1 --profile petshop-prod"
            ),
            "command",
        ),
        (
            "w",
            String::from(
                "https://eu-central-1.console.aws.amazon.com/systems-manager/parameters/\
                 %252Fcheckout%252Fprod%252Fdb%252Fpool_size/description?region=eu-central-1",
            ),
            "link to AWS's console",
        ),
        ("l", format!("https://github.com/acme/petshop/commit/{}", fixture::GIT), "link to the commit"),
    ];
    for (key, text, what) in rows {
        let story = forge(night(), "git@github.com:acme/petshop.git").press("3jy").press(key);
        story.wants(&[&format!("copy {what}: {text}")]);
    }
    forge(night(), "/srv/git/petshop.git").press("3jy").sees("its remote is no forge").press("l").wants(&[]);
}

#[test]
fn the_item_as_json_has_no_value() {
    let mut story = night().press("3jyj");
    let Some(Effect::Copy(copy)) = story.effects.pop() else { panic!("nothing is copied") };
    let json: serde_json::Value = serde_json::from_str(copy.text.expose()).unwrap();
    assert_eq!((json["name"].as_str(), json["verdict"].as_str()), (Some(POOL), Some("drifted")));
    assert!(json["live"]["fingerprint"].is_string() && json["live"]["value"].is_null(), "{json}");
    assert!(!copy.text.expose().contains("pool-"), "no value is in it");
}

#[test]
fn the_pager_gets_a_diff_that_is_as_masked_as_the_page() {
    let mut story = night().press("3jo");
    let masked = story.effects.pop();
    let Some(Effect::Outside(Outside::Page { text, diff: true })) = masked else { panic!("nothing is paged") };
    let text = text.expose();
    for part in ["--- git 3f2a91c\t/checkout", "+++ live 02:41\t/checkout", "-•••• fp ", "+•••• fp "] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    assert!(!text.contains("pool-"), "{text}");
    let story = story.press("vo").does_not_see("no pager");
    let Some(Effect::Outside(Outside::Page { text, .. })) = story.effects.last() else { panic!("nothing is paged") };
    assert!(text.expose().contains(&format!("-{}\n", SECRETS[2])) && text.expose().contains("+new-pool-75\n"));
}

#[test]
fn an_empty_pager_is_none_and_what_fails_outside_is_told() {
    let mut story = night();
    story.model.home.settings.pager = Some(String::new());
    story
        .press("3jo")
        .sees("the pager is empty: none is wanted")
        .wants(&[])
        .hears(Message::Returned(Err(Why::new("most ended with exit status: 127"))))
        .sees("most ended with exit status: 127");
}

#[test]
fn the_file_of_an_item_is_found_and_opened_in_the_editor() {
    let find = format!("find {POOL} in config/checkout/prod/config.json");
    night().press("3jO").wants(&[&find]);
    let story = night().press("3jO");
    let Some(&Effect::Locate(generation, ..)) = story.effects.last() else { panic!("nothing is looked for") };
    let place = crate::console::FilePlace { path: "/shop/config.json".into(), line: 3 };
    let mut story = story.hears(Message::Located(generation, Ok(place)));
    assert_eq!(story.effects.len(), 2);
    story.effects.remove(0);
    story.wants(&["edit /shop/config.json:3"]);
    night().press("3O").sees("no file says what it should be").wants(&[]);
}

/// Does something with the mouse where a text is on the screen.
fn mouse(story: Story, button: Button, text: &str) -> Story {
    let (column, line) = place(&story, text);
    story.hears(Message::Mouse(Mouse { button, column, line }))
}

/// Where a text begins on the screen.
fn place(story: &Story, text: &str) -> (u16, u16) {
    let screen = story.screen();
    let (line, row) =
        screen.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap_or_else(|| panic!("{screen}"));
    let column = row.find(text).map(|at| crate::console::text::width(&row[..at])).unwrap();
    (u16::try_from(column).unwrap(), u16::try_from(line).unwrap())
}

fn click(story: Story, text: &str) -> Story {
    let (column, line) = place(&story, text);
    let press = story.hears(Message::Mouse(Mouse { button: Button::Press, column, line }));
    press.hears(Message::Mouse(Mouse { button: Button::Release, column, line }))
}

#[test]
fn a_click_on_a_tab_opens_its_page() {
    for (tab, title) in [("2 stacks", "2 STACKS"), ("3 parameters", "3 PARAMETERS"), ("4 secrets", "4 SECRETS")] {
        click(night(), tab).sees(title);
    }
    click(night().press("4"), "1 overview").sees("NEEDS YOU");
    click(night().press("4"), "verview").sees("NEEDS YOU");
}

#[test]
fn a_click_selects_a_line_and_a_second_one_opens_it() {
    let story = click(night().press("3"), "/checkout/prod/api/url").sees("▸ > pending   /checkout/prod/api/url");
    click(story, "/checkout/prod/api/url").sees("https://api.petshop.example/v2").does_not_see(POOL);
    // What cannot be selected is not.
    click(night().press("3j"), "12 more").sees(&format!("▸ ~ drifted   {POOL}"));
}

#[test]
fn the_overview_and_the_properties_are_clicked_too() {
    let story = click(night(), "checkout-api").sees("▸ ~ drifted");
    click(story, "checkout-api").sees("2 STACKS").sees("▸ ~ drifted   checkout-api");
    let story = click(night(), " dev ").sees("▸ dev");
    click(story, " dev ").sees("petshop / dev");
    let story = click(night().press("2/CheckoutFn⏎"), "> pending");
    assert_eq!((story.model.list().row, story.model.list().pane), (1, crate::console::page::Pane::Detail));
}

#[test]
fn the_wheel_moves_what_it_is_over() {
    let story = mouse(night().press("3f"), Button::WheelDown, "/billing/prod/key00");
    assert_eq!(story.model.list().line, 4, "{}", story.screen());
    let story = mouse(story, Button::WheelUp, "/billing/prod/key00");
    assert_eq!(story.model.list().line, 1, "{}", story.screen());
    let story = mouse(night().press("?"), Button::WheelDown, "KEYS").press("jj");
    story.sees("KEYS");
}

#[test]
fn the_border_is_dragged_and_stays_where_it_was_left() {
    let lists = |story: &Story| {
        let areas = crate::console::layout::Areas::of(&story.model).unwrap();
        crate::console::layout::Panes::of(&story.model, areas.body).list.unwrap()
    };
    let story = night().press("3j");
    let before = lists(&story).height;
    let head = format!(" {POOL}  SecureString  version 4");
    let mut story = mouse(story, Button::Press, &head);
    for (button, line) in [(Button::Drag, 25), (Button::Drag, 28), (Button::Release, 28)] {
        story = story.hears(Message::Mouse(Mouse { button, column: 5, line }));
    }
    let screen = story.screen();
    assert!(screen.lines().nth(28).unwrap().starts_with(&head), "{screen}");
    let story = story.press("4").press("3");
    assert!(lists(&story).height > before);
    // Without a press on it nothing is dragged.
    let still = night().press("3j").hears(Message::Mouse(Mouse { button: Button::Drag, column: 5, line: 28 }));
    assert_eq!(lists(&still).height, before);
    // Beside each other the bar is what is dragged.
    let wide = night().size(200, 40).press("3j");
    let bar = lists(&wide).width;
    let press = |story: Story, button, column| story.hears(Message::Mouse(Mouse { button, column, line: 20 }));
    let wide = press(press(wide, Button::Press, bar), Button::Drag, 120);
    assert_eq!(lists(&wide).width, 120);
}

#[test]
fn overlays_are_clicked_and_what_lies_below_is_not() {
    let story = night().press("@").answers_all();
    let story = click(story, "ref   v2.3.0").sees("▸ ref   v2.3.0");
    let mut story = click(story, "ref   v2.3.0").does_not_see("GIT REF");
    assert!(matches!(story.effects.pop(), Some(Effect::Inspect(..))));
    let story = click(night().press("3j:").answers_all(), "Copy its value");
    click(story.sees("▸ do"), "Copy its value").sees("COPY");
    click(night().press("3jy"), "The name").wants(&[&format!("copy name: {POOL}")]);
    click(night().press("3jy"), "/checkout/prod/api/url").sees("COPY").wants(&[]);
}

fn own(id: &str, danger: Harm, command: &[&str]) -> CustomAction {
    CustomAction {
        id: id.to_owned(),
        title: format!("Do {id}"),
        key: Some(String::from("ctrl-l")),
        on: On::Parameter,
        command: command.iter().map(|&argument| argument.to_owned()).collect(),
        danger,
        wait: false,
        output: Output::Notice,
    }
}

fn with(mut story: Story, action: CustomAction) -> Story {
    story.model.home.settings.actions = vec![(action, Some(Key::Ctrl('l')))];
    story
}

/// The same night in dev, where writing is open, with everything shown.
fn in_dev() -> Story {
    night().press("⇥kk⏎3f").sees("petshop / dev")
}

#[test]
fn an_action_of_one_s_own_runs_with_its_placeholders_filled_in() {
    let command =
        ["tool", "--name={name}", "{environment}", "{region}/{account}", "{profile}", "{commit}", "{arn}", "{Id: x}"];
    let filled = format!(
        "run tool --name={POOL} prod eu-central-1/471100004242 petshop-prod {} \
         arn:aws:ssm:eu-central-1:471100004242:parameter{POOL} {{Id: x}}",
        fixture::GIT
    );
    let story = with(night(), own("look", Harm::Nothing, &command)).press("3j");
    let mut story = story.press("x").sees("^l      Do look").press("⎋").press("^l").sees("look has begun");
    let Some(Effect::Run(generation, _)) = story.effects.last() else { panic!("nothing runs") };
    let generation = *generation;
    story = story.wants(&[&filled]).hears(Message::Ran(generation, Ok(String::from("look: 7 found"))));
    let story = story.sees("look: 7 found").press(":").answers_all().press("do look").sees("own    Do look").press("⏎");
    assert!(story.effects.iter().any(|effect| matches!(effect, Effect::Run(..))), "the palette runs it too");
}

#[test]
fn an_action_that_does_not_fit_says_why_and_is_not_run() {
    let look = || own("look", Harm::Nothing, &["tool", "{name}"]);
    with(night(), look()).press("4j^l").sees("it is for parameters").wants(&[]);
    with(night(), look()).press("^l").sees("it is for parameters").wants(&[]);
    with(night(), look()).press("jj^l").wants(&["run tool /checkout/prod/db/pool_size"]);
    with(night(), look()).press("4jx").does_not_see("Do look");
    // In a text field its key is a key of the field.
    with(night(), look()).press("3/^l").wants(&[]);
    let anywhere = CustomAction { on: On::Any, ..look() };
    with(night(), anywhere).press("⇥^l").sees("no item is selected").wants(&[]);
}

#[test]
fn what_is_filled_in_is_never_read_as_a_placeholder_or_an_option_again() {
    let mut report = fixture::report("prod");
    if let Ok(section) = &mut report.sections[2].1 {
        section.items[0].name = String::from("{region}");
        section.items[1].name = String::from("--output");
    }
    let mut story = night().press("r");
    let Some(Effect::Fetch(generation, _)) = story.effects.pop() else { panic!("nothing was fetched") };
    let story = story.hears(Message::Fetched(generation, Ok(()))).answers(report).press("3f");
    let mut story = with(story, own("look", Harm::Nothing, &["tool", "{name}"]));
    story.effects.clear();
    let story = story.press("/{region}⏎^l").wants(&["run tool {region}"]);
    story.press("⎋/--output⏎^l").sees("--output would be taken for an option").wants(&[]);
}

#[test]
fn what_writes_is_asked_for_where_it_is_open_and_refused_where_it_is_read_only() {
    let writes = || own("restart", Harm::Writes, &["tool", "it's", "{environment}"]);
    with(night(), writes()).press("3j^l").sees("refused: prod is read-only").wants(&[]);
    let story = with(in_dev(), writes()).press("j^l").sees("RUN").sees("tool 'it'\\''s' dev").sees("Type y");
    // Enter alone is no answer, and neither is a click.
    let story = story.press("⏎").sees("not run: y has to be typed").wants(&[]);
    let story = click(story, "Type y").wants(&[]);
    story.press("y⏎").does_not_see("RUN").wants(&["run tool it's dev"]);
    with(in_dev(), writes()).press("j^l⎋").does_not_see("RUN").wants(&[]);
}

#[test]
fn where_writing_is_confirmed_the_environment_is_typed() {
    let writes = CustomAction { wait: true, ..own("restart", Harm::Writes, &["tool", "{environment}"]) };
    let story = with(night().press("⇥k⏎3f").sees("petshop / qa"), writes).press("j^l").sees("Type qa and enter");
    let story = story.press("y⏎").sees("not run: qa has to be typed").wants(&[]);
    let pasted =
        story.press("^u").hears(Message::Paste(String::from("qa\n"))).sees("pasting confirms nothing: type it");
    pasted.press("⏎").sees("not run: qa has to be typed").wants(&[]).press("qa⏎").wants(&["wait for tool qa"]);
}

#[test]
fn the_end_of_something_long_is_news_to_who_looks_elsewhere() {
    let slow = |focused: bool, milliseconds: i64| {
        let mut story = night().hears(Message::Focus(focused)).press("r");
        let Some(Effect::Fetch(generation, _)) = story.effects.pop() else { panic!("nothing was fetched") };
        let mut story = story.hears(Message::Fetched(generation, Ok(())));
        story.effects.retain(|effect| matches!(effect, Effect::Inspect(..)));
        let mut story = story.after(milliseconds);
        story.effects.retain(|effect| matches!(effect, Effect::Inspect(_, target, _) if target.environment == "prod"));
        story.answers(fixture::report("prod"))
    };
    let told = |story: &Story| story.effects.iter().any(|effect| matches!(effect, Effect::Notify(_)));
    let story = slow(false, 10_001);
    assert!(story.effects.contains(&Effect::Notify(String::from("plumb petshop: prod is read"))));
    assert!(!told(&slow(true, 10_001)), "the operator sees it");
    assert!(!told(&slow(false, 9_000)), "it did not take long");
}

#[test]
fn the_title_says_where_we_are_and_what_moved_and_never_calls_the_unread_in_sync() {
    use crate::console::title::title;

    assert_eq!(title(&super::story::story().model), "plumb petshop/prod");
    assert_eq!(title(&night().model), "plumb petshop/prod  1 both  3 drifted  2 pending  1 git only  5 unknown");
    assert_eq!(title(&in_dev().model), "plumb petshop/dev  in sync");
    let mut failed = fixture::report("dev");
    failed.sections[3].1 = Err(Why::new("AccessDenied"));
    let mut story = in_dev().press("r");
    let Some(Effect::Fetch(generation, _)) = story.effects.pop() else { panic!("nothing was fetched") };
    let mut story = story.hears(Message::Fetched(generation, Ok(())));
    story.effects.retain(|effect| matches!(effect, Effect::Inspect(_, target, _) if target.environment == "dev"));
    assert_eq!(title(&story.answers(failed).model), "plumb petshop/dev");
    let mut story = night();
    if let Some(info) = &mut story.model.environments[2].info {
        info.project = String::from("a\u{7}\u{1b}]52;c;b");
    }
    assert!(title(&story.model).starts_with("plumb a␇␛]52;c;b/prod"));
}

#[test]
fn the_side_that_is_named_is_the_side_that_is_copied() {
    night().press("3/api/url⏎yg").wants(&["copy value in git: https://api.petshop.example/v2"]);
    night().press("3/api/url⏎yv").wants(&["copy live value: https://api.petshop.example/v1"]);
}
