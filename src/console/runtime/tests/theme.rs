//! The theme in use: made anew when its files change, changed by its name, and by the terminal's background.

use super::*;

/// Themes in files of a directory.
pub(in crate::console::runtime) struct Closet(pub(in crate::console::runtime) std::path::PathBuf);

impl Closet {
    /// Puts a new file in the old one's place, as editors do.
    fn put(&self, name: &str, text: &str) {
        let aside = self.0.join("aside.tmp");
        std::fs::write(&aside, text).unwrap();
        std::fs::rename(aside, self.0.join(format!("{name}.toml"))).unwrap();
    }
}

impl Wardrobe for Closet {
    fn read(&self, name: &str) -> Result<Option<String>, String> {
        Ok(std::fs::read_to_string(self.0.join(format!("{name}.toml"))).ok())
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Tailor for Closet {
    fn theme(&self) -> Result<Theme, Why> {
        Theme::named("mine", self).map_err(|error| Why::new(error.to_string()))
    }

    fn change(&self, name: &str) -> Result<Theme, Why> {
        Theme::named(name, self).map_err(|error| Why::new(error.to_string()))
    }

    fn names(&self) -> Vec<String> {
        Theme::names(self)
    }

    fn places(&self) -> Vec<std::path::PathBuf> {
        vec![self.0.clone()]
    }
}

/// Wears what is green where the terminal is light.
struct Bright;

impl Tailor for Bright {
    fn theme(&self) -> Result<Theme, Why> {
        Theme::own("[styles]\nbrand = { fg = 'blue' }").map_err(|error| Why::new(error.to_string()))
    }

    fn change(&self, _: &str) -> Result<Theme, Why> {
        self.theme()
    }

    fn wonders(&self) -> bool {
        true
    }

    fn lit(&self, light: bool) -> Option<Theme> {
        Theme::own("[styles]\nbrand = { fg = 'green' }").ok().filter(|_| light)
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn places(&self) -> Vec<std::path::PathBuf> {
        Vec::new()
    }
}

/// The screen after these files were changed one after the other, each once the one before was seen.
async fn after_changes(changes: &'static [(&str, &str)]) -> Terminal<TestBackend> {
    let directory = tempfile::tempdir().unwrap();
    let closet = Closet(directory.path().to_owned());
    closet.put("base", "[styles]\nbrand = { fg = 'blue' }");
    closet.put("mine", "inherits = 'base'");
    let files = Closet(directory.path().to_owned());
    let Rig { console, log, logged, mut screen, .. } = styled(Mood::Answers, Some(Arc::new(closet)));
    let events = stream::once(async move {
        // Whatever is drawn then, the watch has begun: it does so before the first answer.
        until_logged(&log, &logged, "inspected", 3).await;
        for (index, (name, text)) in changes.iter().enumerate() {
            files.put(name, text);
            until_logged(&log, &logged, "restyled", index + 1).await;
        }
        // No key, which would take the notice away; with its input the console ends.
        Ok(Event::FocusGained)
    });
    console.drive(&mut screen, Box::pin(events), stream::pending(), || Ok(())).await.unwrap();
    screen
}

fn brand(screen: &Terminal<TestBackend>) -> Color {
    let buffer = screen.backend().buffer();
    buffer[(1, 0)].fg
}

#[tokio::test]
async fn an_edit_of_the_theme_and_of_what_it_inherits_is_seen_at_once() {
    let screen = after_changes(&[
        ("mine", "inherits = 'base'\n[styles]\nbrand = { bold = false }"),
        ("base", "[styles]\nbrand = { fg = 'red' }"),
    ])
    .await;
    assert_eq!(brand(&screen), Color::Red);
    assert!(!screen.backend().buffer()[(1, 0)].modifier.contains(ratatui::style::Modifier::BOLD));
}

#[tokio::test]
async fn a_mistake_in_the_theme_is_one_notice_and_the_former_stays_until_it_is_mended() {
    let screen = after_changes(&[("base", "[styles]\nbrnd = { fg = 'red' }")]).await;
    assert_eq!(brand(&screen), Color::Blue);
    assert!(text(&screen).contains("theme: base.toml: styles.brnd: there is no such style; did you mean brand?"));
    let screen = after_changes(&[("base", "[styles"), ("base", "[styles]\nbrand = { fg = 'green' }")]).await;
    assert_eq!(brand(&screen), Color::Green);
    assert!(!text(&screen).contains("theme:"));
}

#[tokio::test]
async fn a_terminal_that_is_light_is_drawn_on_in_the_other_theme_and_its_answer_is_no_key() {
    let alt = |c| Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT));
    let answer = stream::once(async move { alt(']') }).chain(stream::iter(typed("11;rgb:ffff/ffff/ffff")));
    let answer = answer.chain(stream::once(async move { alt('\\') })).map(Ok);
    let Rig { console, mut screen, log, .. } = styled(Mood::Answers, Some(Arc::new(Bright)));
    console.drive(&mut screen, Box::pin(answer), stream::pending(), || Ok(())).await.unwrap();
    assert_eq!(brand(&screen), Color::Green);
    assert!(!log.lock().unwrap().iter().any(|line| line == "key"), "{:?}", log.lock());
}

#[tokio::test]
async fn another_theme_is_worn_as_soon_as_it_is_named_and_the_former_stays_when_there_is_none() {
    for (line, colour) in [(":theme mine\n", Color::Blue), (":theme nobody-s\n", Color::Rgb(0xf2, 0xf4, 0xf8))] {
        let directory = tempfile::tempdir().unwrap();
        let closet = Closet(directory.path().to_owned());
        closet.put("mine", "");
        let Rig { console, mut screen, .. } = styled(Mood::Answers, Some(Arc::new(closet)));
        Closet(directory.path().to_owned()).put("mine", "[styles]\nbrand = { fg = 'blue' }");
        console.drive(&mut screen, stream::iter(typed(line).map(Ok)), stream::pending(), || Ok(())).await.unwrap();
        assert_eq!(brand(&screen), colour, "{line}");
        assert!(text(&screen).contains(if colour == Color::Blue {
            "drawn in mine"
        } else {
            "theme: there is no theme"
        }));
    }
}
