//! A job in words, and what is told while one is followed. What is told goes to stderr.

use crate::cli::{brief, clean, say};
use crate::ops::pipeline::follow::Followed;
use crate::ops::pipeline::jobs::Job;

/// Says how a job stands.
pub(in crate::cli) fn followed(followed: Followed) {
    match followed {
        Followed::Job(job) => {
            let phase = job.build.as_ref().map(|build| build.phase.to_lowercase()).unwrap_or_default();
            say!("{:<10} {}   {}", job.state.word(), clean(&job.id), clean(&phase));
        }
        Followed::Unanswered(why) => say!("? {}; asking again", clean(&why.reason)),
        Followed::Answered => say!("AWS answers again"),
    }
}

/// A time as it took: `4 s`, `3 min 12 s`.
pub(super) fn took(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The commit that a job names, short.
pub(super) fn commit(job: &Job) -> String {
    job.commit.as_deref().map(|commit| clean(commit.get(..7).unwrap_or(commit))).unwrap_or_default()
}

/// Who asked for a job, and why; or why it stands as it does.
pub(super) fn about(job: &Job) -> String {
    let reason = job.reason.as_deref().map(|reason| format!("\"{}\"", brief(reason, 60)));
    let why = job.why.as_deref().map(|why| brief(why, 100));
    reason.into_iter().chain(why).collect::<Vec<_>>().join("   ")
}
