//! What the fixture answers to an effect, or that it fails.

use super::changes;
use crate::compare::Why;
use crate::console::{DeployAnswer, Effect, Message, Order, Sent, Work, fixture};

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
        Effect::Write(generation, Order { work: work @ (Work::Values(..) | Work::Resume(_)), .. }) => {
            let pushed = if fine { Ok(Box::new(fixture::values::pushed(&work))) } else { Err(why()) };
            Message::Pushed(generation, pushed)
        }
        Effect::Write(generation, Order { work: Work::Rollout(_), .. }) => Message::Deploy(
            generation,
            DeployAnswer::Over(if fine { Ok(Box::new(fixture::deploy::over())) } else { Err(why()) }),
        ),
        Effect::Deploy(generation, target, ask) if fine => {
            Message::Deploy(generation, fixture::deploy::answer(&target.environment, &ask))
        }
        Effect::Write(generation, _) => Message::Written(generation, if fine { Ok(None) } else { Err(why()) }),
        Effect::Unlock(generation, _) => Message::Unlocked(generation, Err(why())),
        Effect::Lock(target, _) => Message::Locked(target.environment, None),
        Effect::Journal(generation, target) => {
            Message::Journal(generation, if fine { Ok(fixture::journal(&target.environment)) } else { Err(why()) })
        }
        Effect::History(generation, target, name) => {
            let found = if fine { Ok(Box::new(fixture::values::timeline(&target, &name))) } else { Err(why()) };
            Message::History(generation, found)
        }
        Effect::Compare(generation, project, from, to) => {
            let found = if fine { Ok(Box::new(fixture::values::compared(&project, &from, &to))) } else { Err(why()) };
            Message::Compared(generation, found)
        }
        Effect::Promote(generation, promotion) => {
            let done = if fine { Ok(Box::new(fixture::values::promoted(&promotion))) } else { Err(why()) };
            Message::Promoted(generation, done)
        }
        Effect::Locate(generation, ..) => Message::Located(generation, Err(why())),
        Effect::Copy(copy) => Message::Copied(copy.what, copy.text.chars(), Ok(Sent::Terminal)),
        Effect::Outside(_) => Message::Returned(Err(why())),
        Effect::End(generation) | Effect::Run(generation, _) => Message::Ran(generation, Err(why())),
        Effect::Crypto(generation, _, ask) if fine => Message::Crypto(generation, fixture::crypto::answer(&ask)),
        Effect::Pipeline(generation, _, ask) => {
            Message::Pipeline(generation, if fine { fixture::pipeline::answer(&ask) } else { ask.failed(why()) })
        }
        Effect::Data(generation, _, ask) => {
            Message::Data(generation, if fine { fixture::data::answer(ask) } else { ask.failed(why()) })
        }
        Effect::Deploy(generation, ..) | Effect::Crypto(generation, ..) => Message::Lost(generation),
        Effect::Changes(generation, _, ask) => {
            Message::Changes(generation, if fine { Ok(changes::answer(&ask)) } else { Err(why()) })
        }
        Effect::Commit(generation, ..) => {
            Message::Committed(generation, if fine { Ok(Box::new(changes::committed())) } else { Err(why()) })
        }
        Effect::Generate(generation, ..) => Message::Generated(generation, Err(why())),
        Effect::Theme(name) => Message::Themed(name, if fine { Ok(()) } else { Err(why()) }),
        Effect::Remember(_)
        | Effect::Notify(_)
        | Effect::Abandon(_)
        | Effect::Cancel(_)
        | Effect::Suspend
        | Effect::Quit => return None,
    })
}
