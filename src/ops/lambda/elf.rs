//! What a built function asks of the system that runs it: the processor, and the newest glibc.
//!
//! Reads the few tables of an ELF file that say so; whatever else it is handed is an error, never a panic.

/// What an executable asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needs {
    /// The processor, as `uname -m` names it.
    pub machine: &'static str,
    /// The newest version of glibc that a symbol is from; `None` for one that uses none.
    pub glibc: Option<(u32, u32)>,
}

const VERSION_NEEDS: u32 = 0x6fff_fffe;

/// What the executable in `bytes` needs; `None`: it is no 64-bit little-endian ELF file, or a broken one.
pub(super) fn needs(bytes: &[u8]) -> Option<Needs> {
    if bytes.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let machine = match number(bytes, 18, 2)? {
        62 => "x86_64",
        183 => "arm64",
        _ => "another processor",
    };
    let (table, size, count) = (place(bytes, 40)?, half(bytes, 58)?, half(bytes, 60)?);
    let section = |index: usize| table.checked_add(index.checked_mul(size)?);
    let mut newest = None;
    for index in 0..count {
        let at = section(index)?;
        if word(bytes, at.checked_add(4)?)? != VERSION_NEEDS {
            continue;
        }
        let start = place(bytes, at.checked_add(24)?)?;
        let names = section(usize::try_from(word(bytes, at.checked_add(40)?)?).ok()?)?;
        let names = place(bytes, names.checked_add(24)?)?;
        for name in versions(bytes, start, word(bytes, at.checked_add(44)?)?, names)? {
            newest = newest.max(glibc(&name));
        }
    }
    Some(Needs { machine, glibc: newest })
}

/// The names of all versions that a table of needed versions lists.
fn versions(bytes: &[u8], start: usize, libraries: u32, names: usize) -> Option<Vec<String>> {
    let step =
        |from: usize, offset: usize| from.checked_add(usize::try_from(word(bytes, from.checked_add(offset)?)?).ok()?);
    let (mut found, mut library) = (Vec::new(), start);
    for _ in 0..libraries {
        let mut version = step(library, 8)?;
        for _ in 0..half(bytes, library.checked_add(2)?)? {
            let name = names.checked_add(usize::try_from(word(bytes, version.checked_add(8)?)?).ok()?)?;
            let text = bytes.get(name..)?.split(|byte| *byte == 0).next()?;
            found.push(String::from_utf8_lossy(text).into_owned());
            version = step(version, 12)?;
        }
        library = step(library, 12)?;
    }
    Some(found)
}

fn glibc(name: &str) -> Option<(u32, u32)> {
    let (major, minor) = name.strip_prefix("GLIBC_")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let slice = bytes.get(at..at.checked_add(length)?)?;
    Some(slice.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn half(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number(bytes, at, 2)?).ok()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    u32::try_from(number(bytes, at, 4)?).ok()
}

fn place(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number(bytes, at, 8)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn this_very_program_is_read() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let found = needs(&bytes).unwrap();
        assert_eq!(found.machine, if cfg!(target_arch = "x86_64") { "x86_64" } else { "arm64" });
        if cfg!(target_env = "gnu") {
            assert!(found.glibc.is_some_and(|version| version >= (2, 17)), "{found:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_answered(mut bytes: Vec<u8>) {
            prop_assume!(bytes.len() > 64);
            bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
            let _ = needs(&bytes);
        }
    }
}
