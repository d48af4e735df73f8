//! How the console looks, and where it writes its log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::cli::{Failed, Shared};
use crate::compare::Why;
use crate::config::{Ascii, Settings};
use crate::console::{Depth, LogSink, Theme};
use crate::ops::inspect::now;

/// The theme of an operator who names none.
const DEFAULT_THEME: &str = "plumb-dark";

/// The operator's theme at the depth that the terminal has.
pub(super) fn theme(shared: &Shared, settings: &Settings) -> Result<Theme, Failed> {
    let theme = match &settings.operator.theme {
        None => Theme::embedded(DEFAULT_THEME).map_err(|error| Why::new(error.to_string()))?,
        Some(name) => {
            let own = shared.directories().config()?.join("themes").join(format!("{name}.toml"));
            match std::fs::read_to_string(&own) {
                Ok(text) => Theme::own(&text).map_err(|error| Why::new(format!("{}: {error}", own.display())))?,
                Err(_) => Theme::embedded(name).map_err(|error| {
                    Why::new(error.to_string()).hint(format!("your own theme would be {}", own.display()))
                })?,
            }
        }
    };
    let depth =
        if settings.color { Depth::detect(|name| shared.environ.get(name).map(str::to_owned)) } else { Depth::None };
    let theme = theme.at(depth);
    let ascii = match settings.operator.ascii {
        Ascii::Always => true,
        Ascii::Never => false,
        Ascii::Auto => !is_utf8(shared),
    };
    Ok(if ascii { theme.ascii() } else { theme })
}

/// Whether the locale is UTF-8, by the rules of POSIX: the first of these that is set counts.
fn is_utf8(shared: &Shared) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| shared.environ.get(name)).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Names of messages, one a line, into a file of the state directory; nothing when it cannot be opened.
pub(super) fn log(shared: &Shared) -> Option<LogSink> {
    let directory = shared.directories().state().ok()?;
    let path = directory.join("console.log");
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path).ok()?;
    // A log that has grown over a megabyte is begun anew: it is for the last crash, not for history.
    if file.metadata().is_ok_and(|metadata| metadata.len() > 1 << 20) {
        file.set_len(0).ok()?;
    }
    let file = Mutex::new(file);
    Some(Arc::new(move |line: &str| {
        if let Ok(mut file) = file.lock() {
            // A full disk must not end the console.
            let _ = writeln!(file, "{} {line}", crate::ops::schema::time(now()));
        }
    }))
}
