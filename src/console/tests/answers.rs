//! What the fixture answers to an effect, or that it fails.

use super::changes;
use crate::compare::Why;
use crate::console::{Effect, Message, Order, Sent, Work, fixture};

/// The answer; `None` where none comes, or where only the test knows it.
pub(super) fn answer(effect: Effect, fine: bool) -> Option<Message> {
    let why = || Why::new("AccessDeniedException: not authorized").hint("plumb policy read");
    Some(match effect {
        Effect::Inspect(generation, target, _) => {
            let mut report = fixture::report(&target.environment);
            if !fine {
                report.identity = Err(why());
                report.sections.iter_mut().for_each(|(_, section)| *section = Err(why()));
            }
            Message::Inspected(generation, Box::new(report))
        }
        Effect::Reveal(generation, _, kind, name) => {
            let item = fixture::opened(kind, &name).filter(|_| fine);
            Message::Revealed(generation, item.map(Box::new).ok_or_else(why))
        }
        Effect::Read(generation, _, kind, name) => {
            let item = fixture::opened(kind, &name).filter(|_| fine);
            Message::Read(generation, item.map(Box::new).ok_or_else(why))
        }
        Effect::Refs(generation, _) => Message::Refs(generation, if fine { Ok(fixture::refs()) } else { Err(why()) }),
        Effect::Fetch(generation, _) => Message::Fetched(generation, if fine { Ok(()) } else { Err(why()) }),
        Effect::Project(generation, name) => {
            Message::Project(generation, if fine { Ok(fixture::environments_of(&name)) } else { Err(why()) })
        }
        Effect::Plan(generation, _, wanted) => {
            let planned = if fine { Ok(Box::new(fixture::plan(wanted))) } else { Err(why()) };
            Message::Planned(generation, planned)
        }
        Effect::Write(generation, Order { work: Work::Command(command), .. }) => {
            Message::Ran(generation, if fine { Ok(format!("{} has ended", command.id)) } else { Err(why()) })
        }
        Effect::Write(generation, _) => Message::Written(generation, if fine { Ok(None) } else { Err(why()) }),
        Effect::Unlock(generation, _) => Message::Unlocked(generation, Err(why())),
        Effect::Lock(target, _) => Message::Locked(target.environment, None),
        Effect::Journal(generation, target) => {
            Message::Journal(generation, if fine { Ok(fixture::journal(&target.environment)) } else { Err(why()) })
        }
        Effect::Locate(generation, ..) => Message::Located(generation, Err(why())),
        Effect::Copy(copy) => Message::Copied(copy.what, copy.text.chars(), Ok(Sent::Terminal)),
        Effect::Outside(_) => Message::Returned(Err(why())),
        Effect::End(generation) | Effect::Run(generation, _) => Message::Ran(generation, Err(why())),
        Effect::Changes(generation, _, ask) => {
            Message::Changes(generation, if fine { Ok(changes::answer(&ask)) } else { Err(why()) })
        }
        Effect::Commit(generation, ..) => {
            Message::Committed(generation, if fine { Ok(Box::new(changes::committed())) } else { Err(why()) })
        }
        Effect::Generate(generation, ..) => Message::Generated(generation, Err(why())),
        Effect::Theme(name) => Message::Themed(name, if fine { Ok(()) } else { Err(why()) }),
        Effect::Remember(_) | Effect::Notify(_) | Effect::Cancel(_) | Effect::Suspend | Effect::Quit => return None,
    })
}
