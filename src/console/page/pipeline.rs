//! The pipeline page: jobs, projects and dead letters, and below them what is known of the selected one.

use crate::compare::Why;
use crate::console::model::{Job as Request, Model};
use crate::console::page::{Filter, Page};
use crate::console::pipeline::PipelineSeen;
use crate::console::remote::Remote;
use crate::ops::pipeline::build::{Build, Line};
use crate::ops::pipeline::jobs::Job;
use crate::ops::pipeline::letters::Letter;
use crate::ops::pipeline::registry::Project;

/// Between two looks at a log that goes on, milliseconds.
pub(in crate::console) const LOOK: i64 = 2000;

/// Between two looks at jobs that go on, milliseconds.
pub(in crate::console) const JOBS: i64 = 10_000;

/// How long a job is looked for that was just asked for, milliseconds.
pub(in crate::console) const AWAITED: i64 = 120_000;

/// The most lines of a log that are kept.
pub(in crate::console) const KEPT: usize = 20_000;

/// The lists of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// What was asked for.
    #[default]
    Jobs,
    /// What can be built.
    Projects,
    /// What nobody decided on.
    Letters,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Jobs, Self::Projects, Self::Letters];

    /// The next one.
    pub(in crate::console) fn next(self) -> Self {
        match self {
            Self::Jobs => Self::Projects,
            Self::Projects => Self::Letters,
            Self::Letters => Self::Jobs,
        }
    }

    /// Its heading.
    pub(in crate::console) fn title(self) -> &'static str {
        match self {
            Self::Jobs => "JOBS",
            Self::Projects => "PROJECTS",
            Self::Letters => "DEAD LETTERS",
        }
    }
}

/// What of the page lies under the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Place {
    /// A row of its list.
    Row(usize),
    /// The list where it has no row.
    List,
    /// The lower part.
    Below,
}

/// What the page remembers while it is looked at.
#[derive(Debug, Default)]
pub struct State {
    /// The environment's index that all of this is about.
    pub environment: usize,
    /// Which list is shown.
    pub part: Part,
    /// The selected row of each list, in the order of [`Part::ALL`].
    pub rows: [usize; 3],
    /// The job whose row it is, while others come and go.
    pub job: Option<String>,
    /// Whether the cursor waits on the first row for a job that was just asked for.
    pub newest: bool,
    /// Whether the lower part hears the movement keys.
    pub below: bool,
    /// The first line drawn of the lower part.
    pub offset: usize,
    /// The log of the selected job.
    pub log: Log,
    /// What is looked for in the log.
    pub find: Filter,
    /// The line of the log where it was found last.
    pub found: Option<usize>,
    /// The branches of the project that a job is to be asked for.
    pub branches: Remote<Vec<String>>,
    /// Whose branches they are.
    pub of: String,
    /// The request for them.
    pub listing: Option<Request>,
}

/// A log as far as it was read.
#[derive(Debug, Default)]
pub struct Log {
    /// The build that it is of.
    pub build: Option<Build>,
    /// Its lines.
    pub lines: Vec<Line>,
    /// How many earlier ones were let go.
    pub dropped: usize,
    /// Where the next look begins.
    pub next: Option<String>,
    /// The request for it.
    pub reading: Option<Request>,
    /// Why it could not be read.
    pub trouble: Option<Why>,
    /// When it is looked at again, milliseconds since the Unix epoch.
    pub again: Option<i64>,
    /// Whether its end stays in sight.
    pub follows: bool,
}

/// What is known of the pipeline of an environment.
#[derive(Debug, Default)]
pub struct Known {
    /// Projects, jobs and dead letters.
    pub seen: Remote<PipelineSeen>,
    /// When that was read, milliseconds since the Unix epoch.
    pub read_at: Option<i64>,
    /// When that was last tried, milliseconds since the Unix epoch.
    pub tried_at: Option<i64>,
    /// Until when it is looked at again by itself for a job that was just asked for, milliseconds since the Unix epoch.
    pub awaited: Option<i64>,
    /// Why it could not be read again, if so.
    pub trouble: Option<Why>,
    /// The request for it.
    pub reading: Option<Request>,
    /// Whether it is to be read, whatever page is looked at.
    pub wanted: bool,
}

impl Known {
    /// The jobs, the newest first.
    #[must_use]
    pub fn jobs(&self) -> &[Job] {
        self.seen.value().map_or(&[], |seen| &seen.jobs.jobs)
    }

    /// The projects.
    #[must_use]
    pub fn projects(&self) -> &[Project] {
        self.seen.value().and_then(|seen| seen.projects.as_ref().ok()).map_or(&[], Vec::as_slice)
    }

    /// The dead letters.
    #[must_use]
    pub fn letters(&self) -> &[Letter] {
        self.seen.value().and_then(|seen| seen.letters.as_ref().ok()).map_or(&[], |found| &found.letters)
    }

    /// How many rows a list has.
    #[must_use]
    pub fn count(&self, part: Part) -> usize {
        match part {
            Part::Jobs => self.jobs().len(),
            Part::Projects => self.projects().len(),
            Part::Letters => self.letters().len(),
        }
    }

    /// What could not be read of a list.
    #[must_use]
    pub fn troubles(&self, part: Part) -> Vec<&Why> {
        let Some(seen) = self.seen.value() else { return Vec::new() };
        match part {
            Part::Jobs => seen.jobs.troubles.iter().collect(),
            Part::Projects => seen.projects.as_ref().err().into_iter().collect(),
            Part::Letters => match &seen.letters {
                Ok(found) => found.troubles.iter().collect(),
                Err(why) => vec![why],
            },
        }
    }

    /// What was known is of another account.
    pub(in crate::console) fn forget(&mut self) {
        (self.seen, self.read_at, self.tried_at, self.trouble) = (Remote::Idle, None, None, None);
    }
}

impl State {
    /// The selected row of the list that is shown.
    #[must_use]
    pub fn row(&self) -> usize {
        self.rows[self.part as usize]
    }

    /// How many lines of the log hold what is looked for.
    #[must_use]
    pub fn hits(&self) -> usize {
        let holds = self.holds();
        self.log.lines.iter().filter(|line| holds(line)).count()
    }

    /// Whether a line of the log holds what is looked for, without regard to case.
    pub(in crate::console) fn holds(&self) -> impl Fn(&Line) -> bool + use<> {
        let wanted = self.find.text.to_lowercase();
        move |line| !wanted.is_empty() && line.text.expose().to_lowercase().contains(&wanted)
    }

    pub(in crate::console) fn row_mut(&mut self) -> &mut usize {
        &mut self.rows[self.part as usize]
    }
}

/// The selected job, on its list.
pub(in crate::console) fn job(model: &Model) -> Option<&Job> {
    let state = &model.pipeline;
    (state.part == Part::Jobs).then(|| model.environment().pipeline.jobs().get(state.row())).flatten()
}

/// The selected project: that of its list, or that of the selected job; otherwise why there is none.
pub(in crate::console) fn project(model: &Model) -> Result<&Project, &'static str> {
    let known = &model.environment().pipeline;
    match (known.seen.value().map(|seen| &seen.projects), known.projects()) {
        (None, _) => return Err("the pipeline was not read"),
        (Some(Err(_)), _) => return Err("the registered projects could not be read"),
        (Some(Ok(_)), []) => return Err("no project is registered: plumb pipeline add registers one"),
        (Some(Ok(_)), _) => {}
    }
    match (model.pipeline.part, job(model), known.projects()) {
        (Part::Projects, _, all) => all.get(model.pipeline.row()).ok_or("no project is selected"),
        (Part::Jobs, Some(job), all) => {
            let found = all.iter().find(|project| project.name == job.project);
            found.ok_or("the project of this job is not registered: tab shows those that are")
        }
        (Part::Jobs, None, [only]) => Ok(only),
        (Part::Jobs, None, _) => Err("there is no job that says of which project: tab shows the projects"),
        (Part::Letters, ..) => Err("no project is selected: tab shows them"),
    }
}

/// The selected dead letter, on its list.
pub(in crate::console) fn letter(model: &Model) -> Option<&Letter> {
    let state = &model.pipeline;
    (state.part == Part::Letters).then(|| model.environment().pipeline.letters().get(state.row())).flatten()
}

/// When something of the page changes by time alone, milliseconds since the Unix epoch.
pub(in crate::console) fn wake(model: &Model) -> Option<i64> {
    const SPINNER: i64 = 125;
    if model.page != Page::Pipeline {
        return None;
    }
    let now = model.clock.now;
    let known = &model.environment().pipeline;
    let state = &model.pipeline;
    let moves = known.reading.is_some() || state.listing.is_some();
    let open = known.jobs().iter().any(|job| job.state.is_open());
    let second = open.then(|| now + 1000 - now.rem_euclid(1000));
    let age = known.read_at.map(|at| now + model.clock.next_age(at));
    let again = again(model).map(|at| at.max(now + 1));
    moves.then_some(now + SPINNER).into_iter().chain(second).chain(age).chain(again).chain(state.log.again).min()
}

/// When the jobs are looked at again by themselves, since some of them go on or one was asked for.
pub(in crate::console) fn again(model: &Model) -> Option<i64> {
    let known = &model.environment().pipeline;
    let open = known.jobs().iter().any(|job| job.state.is_open());
    let awaited = known.awaited.is_some_and(|until| until > model.clock.now);
    ((open || awaited) && known.reading.is_none()).then(|| known.tried_at.map(|at| at + JOBS)).flatten()
}
