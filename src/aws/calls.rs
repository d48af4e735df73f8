//! Counts every request that is sent, retries included, and every throttled one, and reads the clock of whoever answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_sdk_ssm::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryReason};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::retry::ErrorKind;

/// How often each operation was sent. One is shared by the clients of an environment.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    sent: BTreeMap<String, u64>,
    /// How often anything answered, and what has not answered yet.
    answers: u64,
    open: BTreeMap<&'static str, u64>,
    throttled: u64,
    /// By how much this machine's clock was ahead of the last answer's `Date`, in milliseconds.
    skew: Option<i64>,
}

impl Calls {
    fn add(&self, operation: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).sent.entry(operation).or_default() += 1;
    }

    pub(super) fn by_operation(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sent.clone()
    }

    pub(super) fn throttled(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).throttled
    }

    pub(super) fn answers(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).answers
    }

    pub(super) fn open(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).open.keys().copied().collect()
    }

    /// Something is asked for, until the value is dropped.
    pub(super) fn begin(&self, operation: &'static str) -> Open {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).open.entry(operation).or_default() += 1;
        Open { calls: self.clone(), operation }
    }

    pub(super) fn skew(&self) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).skew
    }
}

/// A request that is under way, its retries included.
pub(super) struct Open {
    calls: Calls,
    operation: &'static str,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut seen = self.calls.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = seen.open.get_mut(self.operation) {
            *open -= 1;
            if *open == 0 {
                seen.open.remove(self.operation);
            }
        }
    }
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "plumb-calls"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(metadata) = config.load::<Metadata>() {
            // "Secrets Manager" is the SDK's name of the service; `secretsmanager` is the one in policies.
            let service = metadata.service().to_lowercase().replace(' ', "");
            self.add(format!("{service}:{}", metadata.name()));
        }
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).answers += 1;
        let date = context.response().headers().get("date");
        let date = date.and_then(|text| DateTime::from_str(text, Format::HttpDate).ok()?.to_millis().ok());
        if let Some(date) = date {
            let skew = DateTime::from(SystemTime::now()).to_millis().ok().map(|now| now - date);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).skew = skew;
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // The SDK's own judges, the weightiest last: what they call throttling is what is sent again more slowly.
        let action = components.retry_classifiers().fold(RetryAction::NoActionIndicated, |before, judge| {
            match judge.classify_retry(context.inner()) {
                RetryAction::NoActionIndicated => before,
                action => action,
            }
        });
        if matches!(action, RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) if kind == ErrorKind::ThrottlingError)
        {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).throttled += 1;
        }
        Ok(())
    }
}
