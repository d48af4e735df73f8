//! The deploy pipeline, as the console asks for it and writes to it.

use super::live::Inner;
use crate::compare::Why;
use crate::console::{PipelineAnswer, PipelineAsk, PipelineRead, PipelineSeen, PipelineWanted, PipelineWork, Target};
use crate::ops::journal::Action;
use crate::ops::pipeline::build::Build;
use crate::ops::pipeline::jobs::Job;
use crate::ops::pipeline::letters::Letters;
use crate::ops::pipeline::message::Message;
use crate::ops::pipeline::{Pipeline, registry, remote};
use crate::ops::session::Session;

/// How many jobs are shown.
const SHOWN: usize = 100;

impl Inner {
    pub(super) async fn pipeline(&self, target: &Target, ask: PipelineAsk) -> PipelineAnswer {
        match ask {
            PipelineAsk::Look => PipelineAnswer::Seen(Box::pin(self.seen(target)).await.map(Box::new)),
            PipelineAsk::Log(build, next) => {
                PipelineAnswer::Log(self.log(target, &build, next.as_deref()).await.map(Box::new))
            }
            PipelineAsk::Branches(url) => PipelineAnswer::Branches(remote::branches(&url).await),
        }
    }

    async fn piped(&self, target: &Target) -> Result<(Session, Pipeline), Why> {
        let session = self.session(&target.project, &target.environment).await?;
        let pipeline = Pipeline::open(&session).await?;
        Ok((session, pipeline))
    }

    async fn seen(&self, target: &Target) -> Result<PipelineSeen, Why> {
        let (session, pipeline) = self.piped(target).await?;
        let letters = async {
            // Looking at letters counts as receiving them, so they are only where there are some.
            if pipeline.waiting().await? == 0 { Ok(Letters::default()) } else { pipeline.letters().await }
        };
        let (projects, jobs, letters) = tokio::join!(registry::all(&session), pipeline.jobs(None, SHOWN), letters);
        Ok(PipelineSeen { projects, jobs: jobs?, letters })
    }

    async fn log(&self, target: &Target, build: &Build, next: Option<&str>) -> Result<PipelineRead, Why> {
        let (_, pipeline) = self.piped(target).await?;
        // The build first: when it is over, so is its log.
        let build =
            if build.is_over() { build.clone() } else { pipeline.build(&build.id).await?.unwrap_or(build.clone()) };
        let lines = pipeline.log(&build, next).await?;
        Ok(PipelineRead { lines, build })
    }

    pub(super) async fn plan_pipeline(&self, session: &Session, wanted: PipelineWanted) -> Result<PipelineWork, Why> {
        Ok(match wanted {
            PipelineWanted::Trigger(project, branch) => {
                let message = Message { project, branch, commit: None, reason: None };
                PipelineWork::Trigger(Pipeline::open(session).await?.plan(message).await?)
            }
            PipelineWanted::Stop(job) => PipelineWork::Stop(*job),
            PipelineWanted::Retry(job) => PipelineWork::Retry(*job),
            PipelineWanted::Replay(letter) => PipelineWork::Replay(*letter),
        })
    }
}

/// Does what was planned; answers why the journal does not hold it, if so.
pub(super) async fn write(session: &Session, work: &PipelineWork) -> Result<Option<Why>, Why> {
    let pipeline = Pipeline::open(session).await?;
    match work {
        PipelineWork::Trigger(plan) => pipeline.send(plan, Action::Trigger).await.map(|sent| sent.untold),
        PipelineWork::Stop(job) => pipeline.stop(build(job)?).await.map(|(_, untold)| untold),
        PipelineWork::Retry(job) => pipeline.retry(build(job)?).await.map(|(_, untold)| untold),
        PipelineWork::Replay(letter) => pipeline.replay(letter).await.map(|sent| sent.untold),
    }
}

fn build(job: &Job) -> Result<&str, Why> {
    let build = job.build.as_ref().map(|build| build.id.as_str());
    build.ok_or_else(|| Why::new(format!("the job {} has no build", job.id)))
}
