use std::num::NonZeroU16;

use crate::support::screenshot;

fn screen(columns: u16, rows: u16, bytes: &str) -> vt100::Screen {
    let mut parser = vt100::Parser::new(NonZeroU16::new(rows).unwrap(), NonZeroU16::new(columns).unwrap(), 0);
    parser.process(bytes.as_bytes());
    parser.screen().clone()
}

/// A page as the console draws them, with everything that a terminal can do to a cell.
const PAGE: &str = "\x1b[?25l\x1b[1m plumb\x1b[0m  petshop / \x1b[1;38;2;242;205;140mprod\x1b[0m        acct 4711…4242  eu-central-1  \
    \x1b[2mrole oncall-ro\x1b[0m      \x1b[7m READ \x1b[0m\r\n\
    ──────────────────────────────────────────────────────────────────────────────────────────\r\n\
    \x1b[1m 1 OVERVIEW\x1b[0m   2 stacks   3 parameters   4 secrets   \x1b[4munderlined\x1b[0m   \x1b[3mitalic\x1b[0m\r\n\r\n\
    \x1b[2m   ENV      RUNS       STACKS         CODE           PARAMETERS\x1b[0m\r\n\
    \x20  dev      3f2a91c    \x1b[32m= 6\x1b[0m            \x1b[32m= 31\x1b[0m           \x1b[32m= 212\x1b[0m\r\n\
    \x1b[48;5;236m ▸ prod     91abe07    \x1b[31m! 1\x1b[39m  \x1b[33m> 1\x1b[39m       \x1b[35m~ 1\x1b[39m            \x1b[36m? 3\x1b[39m  -> != <= •••• fp 8c21  \x1b[0m\r\n\r\n\
    ┌─ PUSH PLAN ───────────┬──────────┐  ╭──────────╮  ┏━━━━━━━━┓  ╔════════╗\r\n\
    │ to      prod   ⠋⠙⠹⠸⠼⠴ │ ▁▂▃▄▅▆▇█ │  │ rounded  │  ┃ heavy  ┃  ║ double ║\r\n\
    ├───────────────────────┼──────────┤  │ ▖▗▘▙▚▛▜▟ │  ┣━━━┳━━━━┫  ╠═══╦════╣\r\n\
    │ ░░▒▒▓▓██ ▏▎▍▌▋▊▉█ ▀▄▐ │ ↑↓←→ ✓ ✗ │  ╰──────────╯  ┗━━━┻━━━━┛  ╚═══╩════╝\r\n\
    └───────────────────────┴──────────┘  é e\u{301} ü ß ¡ € 漢字 wide\x1b[31m|\x1b[0m ┄┄┄ ╌╌╌ ● ○ ◆ ▲ ▼\r\n\
    \x1b[30;41m 0 \x1b[42m 1 \x1b[43m 2 \x1b[44m 3 \x1b[45m 4 \x1b[46m 5 \x1b[47m 6 \x1b[100m 7 \x1b[0m \x1b[38;5;208m256\x1b[0m \x1b[48;2;40;60;90m rgb \x1b[0m \
    \x1b[90mgrey\x1b[0m \x1b[1;34mbold\x1b[0m \x1b[94mbright\x1b[0m \x1b[7;32mreversed\x1b[0m \x1b[2;33mdim\x1b[0m <&\">";

#[test]
fn a_screen_has_one_picture() {
    let page = screen(90, 15, PAGE);
    if screenshot::asked_to_write() {
        screenshot::write("harness", &screenshot::svg(&page));
    }
    assert_eq!(screenshot::differs("harness", &screenshot::svg(&page)), None);
    assert_eq!(screenshot::svg(&page), screenshot::svg(&screen(90, 15, PAGE)));
    assert_eq!(screenshot::png(&page), screenshot::png(&screen(90, 15, PAGE)));
}

#[test]
fn every_look_of_a_cell_is_in_the_picture() {
    let rows = [
        ("a run is one text", "two words", ">two words</text>"),
        ("marks of XML are escaped", "a<b>&", ">a&lt;b&gt;&amp;</text>"),
        ("bold", "\x1b[1mx", "font-weight=\"700\">x<"),
        ("dim is nearer to the background", "\x1b[2mx", "fill=\"#878b92\""),
        ("reversed has the foreground behind it", "\x1b[7mx", "height=\"26\" fill=\"#d5d9e0\"/>"),
        ("reversed is written in the background", "\x1b[7mx", "fill=\"#14171d\" textLength=\"12\">x<"),
        ("underlined", "\x1b[4mab", "<rect x=\"0\" y=\"23\" width=\"24\" height=\"1\""),
        ("256 colours", "\x1b[38;5;196mx", "fill=\"#ff0000\""),
        ("RGB", "\x1b[48;2;1;2;3mx", "fill=\"#010203\""),
        ("what follows a wide character stands two cells on", "漢x", "<text x=\"24\" y=\"20\""),
        ("a rule is one line", "────", "width=\"48\" height=\"2\""),
        ("a bar joins the rows", "│", "<rect x=\"5\" y=\"0\" width=\"2\" height=\"13\""),
        ("what the font lacks shows as a box", "漢", "stroke=\"#d5d9e0\""),
        ("the cursor", "ab", "<rect x=\"24\" y=\"2\" width=\"2\""),
    ];
    for (name, bytes, part) in rows {
        let svg = screenshot::svg(&screen(10, 1, bytes));
        assert!(svg.contains(part), "{name}: {svg}");
    }
    assert!(!screenshot::svg(&screen(10, 1, "\x1b[?25l")).contains("width=\"2\""), "a hidden cursor is not drawn");
}
