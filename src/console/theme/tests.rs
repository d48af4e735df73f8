//! Themes: what they say, what they inherit, and whether everybody can read them.

mod contrast;
mod sight;

use std::collections::BTreeMap;

use super::*;

impl Wardrobe for BTreeMap<&str, &str> {
    fn read(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.get(name).map(|text| (*text).to_owned()))
    }

    fn names(&self) -> Vec<String> {
        self.keys().map(|name| (*name).to_owned()).collect()
    }
}

/// Every theme of the binary.
fn all() -> Vec<Theme> {
    embedded::names().map(|name| Theme::embedded(name).unwrap()).collect()
}

#[test]
fn the_embedded_themes_have_their_file_s_name_and_say_something_of_every_role() {
    assert!(all().len() >= 8);
    for name in embedded::names() {
        let theme = Theme::embedded(name).unwrap();
        assert_eq!(theme.name, name);
        assert_eq!(Theme::embedded(name.trim_start_matches("plumb-")), Ok(theme));
        let (_, text) = embedded::text(name).unwrap();
        let file: toml::Table = toml::from_str(text).unwrap();
        let said = file["styles"].as_table().unwrap();
        for role in Role::ALL {
            assert!(file.contains_key("inherits") || said.contains_key(role.name()), "{name}: {}", role.name());
        }
    }
}

#[test]
fn the_sixteen_are_the_terminal_s_own_and_monochrome_has_no_colour() {
    let colours = |name: &str| {
        let theme = Theme::embedded(name).unwrap();
        Role::ALL.iter().flat_map(|role| [theme.style(*role).fg, theme.style(*role).bg]).flatten().collect::<Vec<_>>()
    };
    assert!(colours("plumb-terminal-16").iter().all(|c| !matches!(c, Color::Rgb(..) | Color::Indexed(_))));
    assert_eq!(colours("plumb-monochrome"), []);
}

#[test]
fn what_is_unknown_is_no_louder_than_a_drift() {
    for theme in all() {
        let bold = |role| theme.style(role).add_modifier.contains(Modifier::BOLD);
        assert!(!bold(Role::Unknown), "{}: much of it stands there for good", theme.name);
    }
}

#[test]
fn a_style_changes_field_by_field_and_what_is_inherited_can_be_taken_away() {
    let light = Theme::embedded("plumb-light").unwrap();
    let own = "inherits = 'light'\n[styles]\ndrifted = { bold = true }\nstrong = { bold = false, underline = true }\n\
               loud = { bg = 'none' }\npending = { fg = 'default' }";
    let own = Theme::own(own).unwrap();
    let was = |role| light.style(role);
    assert_eq!(own.style(Role::Drifted), was(Role::Drifted).add_modifier(Modifier::BOLD));
    assert_eq!(own.style(Role::Strong).fg, was(Role::Strong).fg);
    assert_eq!(own.style(Role::Strong).add_modifier, Modifier::UNDERLINED);
    assert_eq!(own.style(Role::Loud), Style { bg: None, ..was(Role::Loud) });
    assert_eq!(own.style(Role::Pending), Style { fg: Some(Color::Reset), ..was(Role::Pending) });
    assert_eq!(own.style(Role::Text), was(Role::Text));
}

#[test]
fn own_themes_inherit_each_other_and_the_embedded_one_of_their_own_name() {
    let own = BTreeMap::from([
        ("night", "inherits = 'base'\n[styles]\ndrifted = { fg = 'red' }"),
        (
            "base",
            "inherits = 'plumb-light'\n[styles]\npending = { fg = 'blue' }\ndrifted = { fg = 'cyan', italic = true }",
        ),
        ("plumb-dark", "inherits = 'plumb-dark'\n[styles]\ndim = { italic = true }"),
    ]);
    let night = Theme::named("night", &own).unwrap();
    let light = Theme::embedded("plumb-light").unwrap();
    assert_eq!(night.name, "night");
    assert_eq!(night.style(Role::Pending).fg, Some(Color::Blue));
    assert_eq!(night.style(Role::Drifted).fg, Some(Color::Red));
    assert!(night.style(Role::Drifted).add_modifier.contains(Modifier::ITALIC));
    assert_eq!(night.style(Role::Text), light.style(Role::Text));
    let dark = Theme::embedded("plumb-dark").unwrap();
    let mine = Theme::named("plumb-dark", &own).unwrap();
    assert_eq!(mine.style(Role::Dim), dark.style(Role::Dim).add_modifier(Modifier::ITALIC));
}

#[test]
fn wrong_themes_are_errors_that_help() {
    let rows = [
        ("[styles]\ndrfted = { fg = 'red' }", "styles.drfted: there is no such style; did you mean drifted?"),
        ("[styles]\ntext = { fg = 'rde' }", "styles.text: \"rde\" is no colour"),
        ("background = '#12'", "background: \"#12\" is no colour"),
        ("[styles]\ntext = { colour = 'red' }", "cannot read the theme: styles.text: unknown field `colour`"),
        ("inherits = 'x'", "there is no theme \"x\"; there are plumb-dark, plumb-light, "),
        ("styles = 1", "cannot read the theme: line 1: invalid type: integer `1`"),
    ];
    for (text, message) in rows {
        let error = Theme::own(text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn an_unknown_name_lists_what_there_is_and_the_nearest() {
    let own = BTreeMap::from([("mine", ""), ("a", "inherits = 'b'"), ("b", "inherits = 'c'"), ("c", "inherits = 'a'")]);
    let rows = [
        ("plumb-drak", "there is no theme \"plumb-drak\"; did you mean plumb-dark?; there are plumb-dark, "),
        ("color-blind", "there is no theme \"color-blind\"; did you mean plumb-colour-blind?; there are "),
        ("mien", "there is no theme \"mien\"; did you mean mine?; there are plumb-dark, "),
        ("a", "inherits in a circle: a -> b -> c -> a"),
    ];
    for (name, message) in rows {
        let error = Theme::named(name, &own).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    let all = Theme::named("?", &own).unwrap_err().to_string();
    assert!(embedded::names().all(|name| all.contains(name)) && all.contains("mine"), "{all}");
    let own = BTreeMap::from([("a", "inherits = 'b'"), ("b", "[styles]\ntxt = {}")]);
    let error = Theme::named("a", &own).unwrap_err().to_string();
    assert_eq!(error, "b.toml: styles.txt: there is no such style; did you mean text?");
}

#[test]
fn who_names_none_gets_what_the_terminal_can_show() {
    let rows = [
        (Depth::Rgb, None, "plumb-dark"),
        (Depth::Palette, Some("15;0"), "plumb-dark"),
        (Depth::Rgb, Some("0;15"), "plumb-light"),
        (Depth::Rgb, Some("0;default;15"), "plumb-light"),
        (Depth::Rgb, Some("7;8"), "plumb-dark"),
        (Depth::Rgb, Some("default;default"), "plumb-dark"),
        (Depth::Sixteen, Some("0;15"), "plumb-terminal-16"),
        (Depth::None, None, "plumb-monochrome"),
    ];
    assert_eq!([is_light("default;default"), is_light(""), is_light("15;0")], [None, None, Some(false)]);
    for (depth, ground, expected) in rows {
        let light = ground.and_then(is_light).unwrap_or_default();
        assert_eq!(default_theme(depth, light), expected, "{depth:?} {ground:?}");
        Theme::embedded(expected).unwrap();
    }
}

#[test]
fn without_colours_the_selection_is_still_seen() {
    for theme in all() {
        let theme = theme.at(Depth::None);
        assert!(Role::ALL.iter().all(|role| theme.style(*role).fg.is_none() && theme.style(*role).bg.is_none()));
        assert!(theme.style(Role::Selection).add_modifier.contains(Modifier::REVERSED));
        assert_eq!(theme.ground(), Style::new());
    }
}

#[test]
fn a_theme_is_drawn_on_the_ground_that_it_is_made_for_unless_it_leaves_it_to_the_terminal() {
    let ground = |text: &str| Theme::own(text).unwrap().ground().bg;
    let dark = Some(Color::Rgb(0x1d, 0x20, 0x26));
    assert_eq!(Theme::embedded("plumb-dark").unwrap().ground().bg, dark);
    assert_eq!(ground("inherits = 'plumb-light'"), Some(Color::Rgb(255, 255, 255)));
    assert_eq!(ground("background = '#102030'"), Some(Color::Rgb(0x10, 0x20, 0x30)));
    assert_eq!(ground("background = 'default'"), Some(Color::Reset));
    assert_eq!(ground("background = 'none'"), None);
    for own in ["plumb-terminal-16", "plumb-monochrome"] {
        assert_eq!(Theme::embedded(own).unwrap().ground().bg, None, "{own} is on the terminal's own");
    }
    assert_eq!(Theme::embedded("plumb-dark").unwrap().at(Depth::Sixteen).ground().bg, Some(Color::Black));
}
