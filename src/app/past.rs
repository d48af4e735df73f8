//! What the console asks of git beside its comparison with live: an item's past, and another environment's values.

use std::sync::Arc;

use super::live::Inner;
use crate::compare::Why;
use crate::config::Settings;
use crate::console::{Compared, Held, PromoteRow, Promotion, Target};
use crate::ops::history::{self, Timeline};
use crate::ops::keys::Opener;
use crate::ops::promote::{self, Ask, Comparison, Promoted, Row};

/// How many commits, and how many live versions, an item's past has at most.
const EVENTS: usize = 50;

impl Inner {
    pub(super) async fn history(&self, target: &Target, name: &str) -> Result<Timeline, Why> {
        let session = self.session(&target.project, &target.environment).await?;
        let reference = target.git_ref.clone().unwrap_or_else(|| session.reference());
        Box::pin(history::of(&session, name, &reference, EVENTS)).await
    }

    pub(super) async fn compare(&self, project: &str, ask: Ask) -> Result<Compared, Why> {
        let opened = self.projects.open(project).await?;
        let keyring = Opener { keys: self.keys().await?, access: self.access.clone() };
        // Opening documents may ask KMS, which must not hold up the runtime.
        let work = move || {
            let comparison = promote::compare(&opened.settings, &opened.root, &keyring, &ask)?;
            Ok(compared(comparison, places(&opened.settings)))
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Why::new(error.to_string()))?
    }

    pub(super) async fn promote(&self, promotion: Promotion) -> Result<Promoted, Why> {
        let opened = self.projects.open(&promotion.project).await?;
        let comparison = promotion.held.0.ok_or_else(|| Why::new("nothing was compared"))?;
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let work = move || {
            let is_chosen = |row: &&Row| promotion.keys.contains(&row.key);
            let chosen: Vec<&Row> = comparison.rows.iter().filter(is_chosen).collect();
            promote::commit(&opened.root, &comparison, &chosen, &promotion.branch, &now)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Why::new(error.to_string()))?
    }
}

/// The environments of a project, and the layers that they share.
fn places(settings: &Settings) -> Vec<String> {
    let mut places: Vec<String> = settings.project.environments.iter().map(|it| it.name.clone()).collect();
    for tree in &settings.project.config {
        if !places.contains(&tree.global) {
            places.push(tree.global.clone());
        }
    }
    places
}

fn compared(comparison: Comparison, places: Vec<String>) -> Compared {
    let row = |row: &Row| PromoteRow {
        key: row.key.clone(),
        state: row.state,
        from: row.from.clone(),
        to: row.to.clone(),
        only: row.only,
        file: row.file.clone(),
        overridden: row.overridden.clone(),
    };
    Compared {
        from: comparison.from.clone(),
        to: comparison.to.clone(),
        rows: comparison.rows.iter().map(row).collect(),
        problems: comparison.problems.clone(),
        reaches: comparison.reaches.clone(),
        branch: comparison.branch(),
        places,
        held: Held(Some(Arc::new(comparison))),
    }
}
