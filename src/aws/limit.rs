//! How many requests may be under way to one service, and how often one may begin.

use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

/// Which service a request goes to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Service {
    CloudFormation,
    CloudTrail,
    DynamoDb,
    Events,
    Kms,
    Lambda,
    Logs,
    S3,
    SecretsManager,
    Sqs,
    Ssm,
    Sts,
}

/// One semaphore per service. The numbers stay well under the documented request rates at the usual 50-100 ms an
/// answer takes; the SDK's retries back off further when a service says so.
#[derive(Debug)]
pub(super) struct Limits {
    cloudformation: Semaphore,
    cloudtrail: Semaphore,
    dynamodb: Semaphore,
    events: Semaphore,
    kms: Semaphore,
    lambda: Semaphore,
    logs: Semaphore,
    s3: Semaphore,
    secretsmanager: Semaphore,
    sqs: Semaphore,
    ssm: Semaphore,
    sts: Semaphore,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cloudformation: Semaphore::new(4),
            cloudtrail: Semaphore::new(1),
            dynamodb: Semaphore::new(8),
            events: Semaphore::new(2),
            kms: Semaphore::new(8),
            lambda: Semaphore::new(8),
            logs: Semaphore::new(2),
            s3: Semaphore::new(16),
            secretsmanager: Semaphore::new(8),
            sqs: Semaphore::new(2),
            ssm: Semaphore::new(8),
            sts: Semaphore::new(2),
        }
    }
}

impl Limits {
    pub(super) fn of(&self, service: Service) -> &Semaphore {
        match service {
            Service::CloudFormation => &self.cloudformation,
            Service::CloudTrail => &self.cloudtrail,
            Service::DynamoDb => &self.dynamodb,
            Service::Events => &self.events,
            Service::Kms => &self.kms,
            Service::Lambda => &self.lambda,
            Service::Logs => &self.logs,
            Service::S3 => &self.s3,
            Service::SecretsManager => &self.secretsmanager,
            Service::Sqs => &self.sqs,
            Service::Ssm => &self.ssm,
            Service::Sts => &self.sts,
        }
    }
}

/// Lets requests begin no closer together than an interval.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, next: Mutex::new(None) }
    }

    /// Waits for this request's turn. A turn that is dropped while waiting is not used up for long: at most one
    /// interval is lost.
    pub(super) async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().await;
            let now = Instant::now();
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + self.interval);
            at
        };
        tokio::time::sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn three_turns_take_two_intervals() {
        let pace = Pace::new(Duration::from_millis(40));
        let start = Instant::now();
        futures::join!(pace.turn(), pace.turn(), pace.turn());
        assert!(start.elapsed() >= Duration::from_millis(80));
    }
}
