//! The crypto API, as the console asks for it.

use tokio::sync::mpsc;

use super::live::Inner;
use crate::compare::Why;
use crate::console::{CryptoAnswer, CryptoAsk, Smoked, Target};
use crate::ops::crypto::last::{Last, Place};
use crate::ops::crypto::smoke::{Options, Step, smoke};
use crate::ops::crypto::{Crypto, Via};

/// How many calls the latency is measured over.
const CALLS: usize = 20;

impl Inner {
    pub(super) async fn crypto(
        &self,
        target: &Target,
        ask: &CryptoAsk,
        sink: &mpsc::UnboundedSender<Step>,
    ) -> CryptoAnswer {
        match ask {
            CryptoAsk::Keyring => CryptoAnswer::Keyring(self.keyring(target).await.map(Box::new)),
            CryptoAsk::Play(play) => {
                let played = match self.api(target).await {
                    Ok(crypto) => crypto.play(play).await,
                    Err(why) => Err(why),
                };
                CryptoAnswer::Played(played.map(Box::new))
            }
            CryptoAsk::Smoke { safe } => CryptoAnswer::Smoked(self.smoke(target, *safe, sink).await),
        }
    }

    async fn api(&self, target: &Target) -> Result<Crypto, Why> {
        let session = self.session(&target.project, &target.environment).await?;
        Crypto::open(&session, Via::Api).await
    }

    async fn keyring(&self, target: &Target) -> Result<crate::ops::crypto::keyring::Keyring, Why> {
        self.api(target).await?.keyring().await
    }

    async fn smoke(&self, target: &Target, safe: bool, sink: &mpsc::UnboundedSender<Step>) -> Result<Smoked, Why> {
        let crypto = self.api(target).await?;
        let options = Options { safe, calls: CALLS, rotate: None };
        // The console is over when nobody listens.
        let hear = |step| drop(sink.send(step));
        let lines = smoke(&crypto, &options, &hear).await;
        let mut last = crypto.last(&lines, safe).await;
        if let (Some(last), Some(still)) = (&mut last, self.clock()) {
            last.at = still;
        }
        if let (Some(last), Some(state)) = (last.clone(), self.kept()) {
            // A full disk costs the memory and nothing else.
            let _ = tokio::task::spawn_blocking(move || last.keep(&state)).await;
        }
        Ok(Smoked { last: last.map(Box::new) })
    }

    /// What was kept of an environment of the project where the console was opened.
    pub(super) fn last_smoke(&self, target: &Target) -> Option<Last> {
        let opened = self.here(&target.project)?;
        let environment = opened.settings.environment(&target.environment)?;
        let (project, name) = (opened.settings.project.name.clone(), environment.name.clone());
        Last::load(&self.kept()?, &Place::new(&opened.root, project, name, environment.endpoint.clone()))
    }
}
