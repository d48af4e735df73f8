//! The change lists, as the console asks for them.

use std::sync::Arc;

use super::live::Inner;
use super::projects::Opened;
use crate::compare::{Facet, Why};
use crate::config::{Bindings, Settings};
use crate::console::{ChangeAnswer, ChangeAsk, Target};
use crate::ops::config::changes::{self, Change, Kept, Staged, Subject};
use crate::ops::config::{Opener, blocking};
use crate::ops::session::Session;
use crate::secret::Secret;

/// What names are made of. AWS is asked for the account only where a name has it.
async fn bindings(session: &Session) -> Bindings {
    let project = session.project();
    let mut names =
        project.config.iter().map(|tree| &tree.parameter).chain(project.secrets.iter().map(|each| &each.name));
    if names.any(|name| name.contains("{account}")) {
        return session.bindings().await;
    }
    let region = Some(session.clients.region().to_owned());
    Bindings { region, ..Bindings::env(session.environment().name.as_str()) }
}

impl Inner {
    /// The list that is kept of a project whose files are read.
    pub(super) fn pending(&self, project: &str) -> Result<Vec<Change>, Why> {
        match (self.projects.here(project), &self.state) {
            (Some(opened), Some(state)) => Kept::of(state, &opened.root).load(),
            _ => Ok(Vec::new()),
        }
    }

    fn list(&self, opened: &Opened) -> Result<Kept, Why> {
        let state = self.state.as_ref().ok_or_else(|| Why::new("there is no state directory to keep changes in"))?;
        Ok(Kept::of(state, &opened.root))
    }

    /// What is needed to work on a project's list: its settings in the target's environment, and what opens documents.
    async fn desk(&self, target: &Target) -> Result<(Session, Settings, Opener, Kept), Why> {
        let project: Arc<Opened> = self.projects.open(&target.project).await?;
        let kept = self.list(&project)?;
        let session = self.session(&target.project, &target.environment).await?;
        let settings = session.settings.clone();
        let opener = Opener::sharing(&session.keyring);
        Ok((session, settings, opener, kept))
    }

    pub(super) async fn changes(&self, target: Target, ask: ChangeAsk) -> Result<ChangeAnswer, Why> {
        let (session, settings, opener, kept) = self.desk(&target).await?;
        match ask {
            ChangeAsk::List => blocking(move || kept.load()).await.map(ChangeAnswer::List),
            ChangeAsk::Drop(places) => {
                let drop = move |list: &mut Vec<Change>| {
                    list.retain(|change| !(places.is_empty() || places.contains(&change.place)));
                };
                blocking(move || kept.change(drop)).await.map(|(list, ())| ChangeAnswer::List(list))
            }
            ChangeAsk::Propose(proposal) => {
                let bindings = bindings(&session).await;
                let work = move || changes::propose(&opener, &settings, &bindings, &kept, &proposal);
                blocking(work).await.map(ChangeAnswer::List)
            }
            ChangeAsk::Preview => {
                let work = move || {
                    let list = kept.load()?;
                    let preview = changes::preview(&opener, &settings, &list)?;
                    Ok(ChangeAnswer::Preview(list, Box::new(preview)))
                };
                blocking(work).await
            }
            ChangeAsk::Desk(subject, wants_live) => {
                let live = if wants_live { self.live(&target, &subject).await? } else { None };
                let bindings = bindings(&session).await;
                let desk = blocking(move || changes::desk(&opener, &settings, &bindings, &subject)).await?;
                Ok(ChangeAnswer::Desk(Box::new(desk), live))
            }
        }
    }

    pub(super) async fn stage(&self, target: Target, message: String) -> Result<Staged, Why> {
        let (_, settings, opener, kept) = self.desk(&target).await?;
        blocking(move || changes::stage(&opener, &settings, &kept, &message)).await
    }

    /// The live value of an item; `None`: there is none.
    async fn live(&self, target: &Target, subject: &Subject) -> Result<Option<Secret>, Why> {
        let Subject::Item { kind, name, .. } = subject else { return Ok(None) };
        match self.reveal(target, *kind, name).await?.sides.live {
            Facet::Secret(value) => Ok(Some(value)),
            Facet::Plain(text) => Ok(Some(Secret::new(text))),
            Facet::Unreadable(why) => Err(why),
            Facet::Absent | Facet::Unrecorded | Facet::Unread | Facet::Masked { .. } => Ok(None),
        }
    }
}
