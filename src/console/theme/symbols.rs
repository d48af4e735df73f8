//! What the console draws beside text.

/// What is drawn that is neither text nor data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbols {
    /// Whether only ASCII may reach the terminal.
    pub ascii: bool,
    /// Marks the selected line.
    pub cursor: &'static str,
    /// A cell of a horizontal rule.
    pub rule: &'static str,
    /// A cell of a vertical rule.
    pub bar: &'static str,
    /// Stands for what was cut off.
    pub ellipsis: &'static str,
    /// Stands for a value.
    pub mask: &'static str,
    /// Says that there is more above.
    pub up: &'static str,
    /// Says that there is more below.
    pub down: &'static str,
    /// Where the next typed character goes.
    pub caret: &'static str,
    /// Marks what is older than the last attempt to read it.
    pub stale: &'static str,
    /// A cell of what is done, in a bar of progress.
    pub full: &'static str,
    /// A cell of a chart's bar, lower than its line, so that bars below each other are apart.
    pub lower: &'static str,
    /// A cell of what is not.
    pub empty: &'static str,
    /// How high a number is, from nothing up.
    pub levels: &'static [&'static str],
    /// The pictures of a spinner.
    pub spinner: &'static [&'static str],
}

/// For terminals that show Unicode.
pub(in crate::console) const UNICODE: Symbols = Symbols {
    ascii: false,
    cursor: "▸",
    rule: "─",
    bar: "│",
    ellipsis: "…",
    mask: crate::secret::MASK,
    up: "▴",
    down: "▾",
    caret: "▏",
    stale: "°",
    full: "█",
    lower: "▆",
    empty: "░",
    levels: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
};

/// For the console of Linux, whose own font has the glyphs of code page 437 and no others.
pub(super) const LINUX_CONSOLE: Symbols = Symbols {
    cursor: "►",
    ellipsis: "..",
    up: "▲",
    down: "▼",
    caret: "_",
    lower: "▄",
    levels: &["_", "░", "▒", "▓", "█"],
    spinner: ASCII.spinner,
    ..UNICODE
};

/// For terminals that show ASCII alone.
pub(super) const ASCII: Symbols = Symbols {
    ascii: true,
    // Not `>`, which is a verdict's.
    cursor: "|",
    rule: "-",
    bar: "|",
    // Not `~`, which is a verdict's too.
    ellipsis: "..",
    mask: "****",
    up: "^",
    down: "v",
    caret: "_",
    stale: "o",
    full: "#",
    lower: "#",
    empty: ".",
    levels: &["_", ".", ":", "|", "#"],
    spinner: &["-", "\\", "|", "/"],
};
