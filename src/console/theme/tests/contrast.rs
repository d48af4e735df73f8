//! Everything can be read: contrast by WCAG 2.2.

use super::*;
use crate::console::theme::colour::of_palette;

/// Channels of a colour, 0 to 1, linear in light.
pub(super) fn linear(colour: Color) -> [f64; 3] {
    let (r, g, b) = match colour {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(index @ 16..) => of_palette(index),
        other => panic!("nobody knows what {other:?} looks like"),
    };
    [r, g, b].map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    })
}

/// WCAG's contrast ratio, 1 to 21.
fn contrast(one: Color, other: Color) -> f64 {
    let luminance = |colour| {
        let [r, g, b] = linear(colour);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// What a role needs: 4.5 for text (WCAG 1.4.3, AA); 3 for what is no text but parts the page (1.4.11); in the theme of
/// high contrast 7 for text (1.4.6, AAA) and 4.5 for the rest.
fn needed(theme: &Theme, role: Role) -> f64 {
    match (theme.name == "plumb-high-contrast", role == Role::Rule) {
        (false, true) => 3.0,
        (false, false) | (true, true) => 4.5,
        (true, false) => 7.0,
    }
}

/// Roles that are never written on the selected line.
const NEVER_SELECTED: [Role; 13] = [
    Role::Rule,
    Role::Brand,
    Role::Heading,
    Role::Tab,
    Role::TabHere,
    Role::Key,
    Role::Hint,
    Role::Input,
    Role::Loud,
    Role::Notice,
    Role::Selection,
    Role::Removed,
    Role::Unlocked,
];

#[test]
fn every_role_of_every_theme_can_be_read_also_when_it_is_selected_and_with_256_colours() {
    let mut faint = Vec::new();
    let mut checked = 0;
    for theme in all() {
        // Without a background the theme leaves its colours to the terminal.
        if theme.background.is_none() {
            continue;
        }
        checked += 1;
        for depth in [Depth::Rgb, Depth::Palette] {
            let theme = theme.clone().at(depth);
            let text = theme.style(Role::Text);
            let ground = text.bg.or(theme.ground().bg).unwrap();
            let under = theme.style(Role::Selection).bg.unwrap();
            for role in Role::ALL {
                let style = theme.style(*role);
                let colour = style.fg.or(text.fg).unwrap();
                let mut grounds = vec![style.bg.unwrap_or(ground)];
                if !NEVER_SELECTED.contains(role) {
                    grounds.push(under);
                }
                for ground in grounds {
                    let ratio = contrast(colour, ground);
                    if ratio < needed(&theme, *role) {
                        faint.push(format!("{} {depth:?} {}: {ratio:.2} on {ground:?}", theme.name, role.name()));
                    }
                }
            }
        }
    }
    assert_eq!(faint, Vec::<String>::new());
    assert!(checked >= 6, "{checked} themes tell their background");
}

#[test]
fn contrast_is_as_wcag_says() {
    assert!((contrast(Color::Rgb(0, 0, 0), Color::Rgb(255, 255, 255)) - 21.0).abs() < 1e-9);
    assert!((contrast(Color::Rgb(0x77, 0x77, 0x77), Color::Rgb(255, 255, 255)) - 4.48).abs() < 0.01);
}
