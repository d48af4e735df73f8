//! How many colours the terminal can show, as its environment variables tell.

/// How many colours the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Any.
    Rgb,
    /// The palette of 256.
    Palette,
    /// The terminal's own sixteen.
    Sixteen,
    /// None.
    None,
}

/// Names of terminals that show any colour, also where `COLORTERM` was lost on the way, as ssh loses it.
const RGB_TERMS: [&str; 7] = ["direct", "kitty", "alacritty", "wezterm", "ghostty", "foot", "contour"];

/// Names in `TERM_PROGRAM` of terminals that show any colour and call themselves `xterm-256color`.
const RGB_PROGRAMS: [&str; 5] = ["iTerm.app", "WezTerm", "ghostty", "vscode", "rio"];

/// Terminals of paper and phosphor.
const COLOURLESS_TERMS: [&str; 6] = ["dumb", "vt52", "vt100", "vt102", "vt220", "vt320"];

impl Depth {
    /// What `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, `COLORTERM`, `TERM` and `TERM_PROGRAM` say, the first ones before
    /// the later ones. `variable` answers what a variable is set to.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        if get("NO_COLOR").is_some() {
            return Self::None;
        }
        if get("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
            return match Self::of_terminal(get) {
                Self::None => Self::Sixteen,
                more => more,
            };
        }
        if get("CLICOLOR").is_some_and(|value| value == "0") { Self::None } else { Self::of_terminal(get) }
    }

    fn of_terminal(get: impl Fn(&str) -> Option<String>) -> Self {
        let term = get("TERM").unwrap_or_default();
        let program = get("TERM_PROGRAM").unwrap_or_default();
        let says_rgb = get("COLORTERM").is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("truecolor") || value.contains("24bit")
        });
        let palette = if term.contains("256color") { Self::Palette } else { Self::Sixteen };
        let begins = |name: &str| term.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        if COLOURLESS_TERMS.into_iter().any(begins) || term.ends_with("-m") || term.ends_with("-mono") {
            Self::None
        } else if begins("linux") {
            // The kernel's console takes any colour and shows the nearest of its sixteen; ours is the better choice.
            Self::Sixteen
        } else if program == "Apple_Terminal" {
            Self::Palette
        } else if term.starts_with("screen") && get("TMUX").is_none() {
            // GNU screen hands on the COLORTERM of the terminal that it runs in, and garbles what that promises. tmux
            // is called so at times as well, and reduces by itself what its terminal has not.
            palette
        } else if says_rgb
            || RGB_TERMS.iter().any(|name| term.contains(name))
            || RGB_PROGRAMS.contains(&program.as_str())
            || get("WT_SESSION").is_some()
        {
            Self::Rgb
        } else {
            palette
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Depth::{self, None, Palette, Rgb, Sixteen};

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        let rows: [(&[(&str, &str)], Depth); 31] = [
            (&[], Sixteen),
            (&[("TERM", "xterm")], Sixteen),
            (&[("TERM", "xterm-256color")], Palette),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Rgb),
            (&[("TERM", "xterm"), ("COLORTERM", "24bit")], Rgb),
            (&[("TERM", "rxvt-unicode"), ("COLORTERM", "rxvt")], Sixteen),
            (&[("TERM", "xterm-direct")], Rgb),
            (&[("TERM", "xterm-kitty")], Rgb),
            (&[("TERM", "alacritty")], Rgb),
            (&[("TERM", "xterm-ghostty")], Rgb),
            (&[("TERM", "foot-extra")], Rgb),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")], Rgb),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal")], Palette),
            (&[("TERM", "xterm"), ("TERM_PROGRAM", "Apple_Terminal"), ("COLORTERM", "truecolor")], Palette),
            (&[("TERM", "xterm-256color"), ("WT_SESSION", "5f6a")], Rgb),
            (&[("TERM", "linux")], Sixteen),
            (&[("TERM", "linux"), ("COLORTERM", "truecolor")], Sixteen),
            (&[("TERM", "screen")], Sixteen),
            (&[("TERM", "screen-256color"), ("COLORTERM", "truecolor")], Palette),
            (&[("TERM", "screen.xterm-256color")], Palette),
            (&[("TERM", "screen-256color"), ("COLORTERM", "truecolor"), ("TMUX", "/tmp/tmux-1/default,1,0")], Rgb),
            (&[("TERM", "tmux-256color")], Palette),
            (&[("TERM", "dumb")], None),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], None),
            (&[("TERM", "vt220")], None),
            (&[("TERM", "xterm-mono")], None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], Palette),
            (&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], Sixteen),
            (&[("TERM", "xterm-256color"), ("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], None),
            (&[("TERM", "xterm-256color"), ("CLICOLOR", "0"), ("CLICOLOR_FORCE", "0")], None),
        ];
        for (variables, depth) in rows {
            let lookup = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            assert_eq!(Depth::detect(lookup), depth, "{variables:?}");
        }
    }
}
