//! What each page looks like, in text and in styles.

use super::story::{Story, first_run, night, story, styles, text};
use crate::compare::Why;
use crate::console::fixture;

const SIZES: [(u16, u16); 3] = [(120, 40), (80, 24), (60, 16)];

/// One snapshot for each size: the text, then the roles.
fn picture(name: &str, tell: impl Fn(Story) -> Story) {
    for (width, height) in SIZES {
        let buffer = tell(night().size(width, height)).buffer();
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), format!("{}\n{}", text(&buffer), styles(&buffer)));
    }
}

#[test]
fn the_overview() {
    picture("overview", |story| story);
}

#[test]
fn the_stacks() {
    picture("stacks", |story| story.press("2"));
}

#[test]
fn a_resource_full_screen() {
    picture("resource", |story| story.press("2⏎jf"));
}

#[test]
fn the_parameters() {
    picture("parameters", |story| story.press("3j"));
}

#[test]
fn the_secrets() {
    picture("secrets", |story| story.press("4j"));
}

#[test]
fn git_and_live_line_by_line() {
    picture("diff", |story| story.press("4jdv"));
}

#[test]
fn the_keys() {
    picture("help", |story| story.press("2?"));
}

#[test]
fn the_choice_of_environment_and_ref() {
    picture("picker", |story| story.press("@").answers_all().press("main"));
}

#[test]
fn the_first_moment_before_anything_is_read() {
    let buffer = story().size(80, 24).buffer();
    insta::assert_snapshot!(text(&buffer));
}

#[test]
fn the_wrong_account_and_a_kind_that_cannot_be_read() {
    let mut report = fixture::report("prod");
    if let Ok(identity) = &mut report.identity {
        identity.account = String::from("111100002222");
        identity.expected_account = Some(String::from("471100004242"));
    }
    report.sections[2].1 = Err(Why::new(
        "cannot list the parameters: AccessDeniedException: not authorized to perform ssm:DescribeParameters",
    )
    .hint("plumb policy read"));
    let buffer = story().size(120, 40).answers(report).press("3").buffer();
    insta::assert_snapshot!(format!("{}\n{}", text(&buffer), styles(&buffer)));
}

#[test]
fn in_ascii_nothing_else_reaches_the_terminal() {
    for keys in ["", "2", "2⏎", "3f", "4", "4jd", "?", "@", ":", ":pool", "3jx"] {
        let mut story = night().press(keys).answers_all();
        story.theme = story.theme.ascii();
        let screen = story.screen();
        assert!(screen.is_ascii(), "after {keys:?}:\n{screen}");
    }
    let mut story = night().size(100, 30).press("4");
    story.theme = story.theme.ascii();
    insta::assert_snapshot!(story.screen());
}

#[test]
fn a_terminal_that_is_too_small_is_told_so_politely() {
    night().size(50, 10).sees("plumb needs 60 columns and 16 lines.").sees("This terminal has 50 and 10.");
}

#[test]
fn a_menu() {
    picture("menu", |story| story.press("3jx"));
}

#[test]
fn the_palette() {
    picture("palette", |story| story.press(":poolsize⏎:").answers_all());
    picture("palette_search", |story| story.press("3:").answers_all().press("pro"));
}

#[test]
fn the_tour() {
    for (width, height) in SIZES {
        let story = first_run().answers_all().after(12_000).size(width, height);
        insta::assert_snapshot!(format!("tour_{width}x{height}"), story.screen());
    }
}
