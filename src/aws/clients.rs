//! One environment's connection to AWS: credentials, region, retries, timeouts, limits and the count of calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::retry::RetryPartition;
use aws_sdk_sts::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::Mutex;

use super::calls::Calls;
use super::error::{Error, ErrorKind};
use super::limit::{Limits, Pace, Service};
use super::renew;
use crate::secret::Secret;

/// Whom to ask, and where.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A profile that was named to Plumb. It wins over keys in the environment, as `--profile` of the AWS CLI does.
    /// Leave `AWS_PROFILE` out: the SDK reads it itself, at its own place in the chain.
    pub profile: Option<String>,
    /// The region; by default that of the SDK's chain.
    pub region: Option<String>,
    /// Where all services answer; by default AWS, or what `AWS_ENDPOINT_URL` and its kin say.
    pub endpoint_url: Option<String>,
    /// Fixed keys instead of the chain: those of a local account.
    pub keys: Option<Keys>,
    /// How long to wait.
    pub timeouts: Timeouts,
}

/// An access key of a local account.
#[derive(Debug, Clone)]
pub struct Keys {
    /// `AKIA…`; in a local account without IAM any text, which CloudTrail then shows as the user.
    pub access_key_id: String,
    /// Its secret half.
    pub secret_access_key: Secret,
    /// For temporary keys.
    pub session_token: Option<Secret>,
}

/// How long to wait for an answer.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// To a connection.
    pub connect: Duration,
    /// To the end of one attempt. Uploads have two minutes at least.
    pub attempt: Duration,
    /// To the end of the last attempt.
    pub operation: Duration,
    /// How often one request is sent at most.
    pub attempts: u32,
    /// The pause before the second attempt is random up to this; it doubles with each.
    pub backoff: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(4),
            attempt: Duration::from_secs(20),
            operation: Duration::from_mins(1),
            attempts: 5,
            backoff: Duration::from_millis(500),
        }
    }
}

/// How long one attempt of an upload may take at least.
const UPLOAD: Duration = Duration::from_mins(2);

/// How long credentials last at least that are used once more.
const MARGIN: Duration = Duration::from_mins(5);

/// AWS's limit of CloudTrail's `LookupEvents` is two a second for an account and region.
const TRAIL_INTERVAL: Duration = Duration::from_millis(550);

/// The clients of one environment. Cheap to clone; clones share connections, limits and counts.
#[derive(Clone)]
pub struct Clients(Arc<Inner>);

struct Inner {
    region: String,
    login: String,
    calls: Calls,
    limits: Limits,
    trail: Pace,
    config: SdkConfig,
    credentials: Mutex<Option<Credentials>>,
    upload: TimeoutConfig,
    cloudformation: aws_sdk_cloudformation::Client,
    cloudtrail: aws_sdk_cloudtrail::Client,
    lambda: aws_sdk_lambda::Client,
    s3: aws_sdk_s3::Client,
    secretsmanager: aws_sdk_secretsmanager::Client,
    ssm: aws_sdk_ssm::Client,
    sts: aws_sdk_sts::Client,
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clients").field("region", &self.0.region).finish_non_exhaustive()
    }
}

/// A service's client out of the shared config, with the count of calls. By default the budget of retries is one for the
/// whole process: an account that throttles would use up that of another.
macro_rules! client {
    ($krate:ident, $config:expr, $calls:expr) => {
        $krate::Client::from_conf(
            $krate::config::Builder::from($config)
                .interceptor($calls.clone())
                .retry_partition(RetryPartition::custom(stringify!($krate)).build())
                .build(),
        )
    };
}

impl Clients {
    /// Prepares the clients; reads config files and, without a region there, the instance's metadata, but sends
    /// nothing to AWS. Credentials are fetched, and fail, with the first request. Fails with
    /// [`ErrorKind::NoRegion`] when nothing names a region.
    pub async fn connect(options: &Options) -> Result<Self, Error> {
        let Timeouts { connect, attempt, operation, attempts, backoff } = options.timeouts;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(connect)
            .operation_attempt_timeout(attempt)
            .operation_timeout(operation)
            .build();
        let upload = TimeoutConfig::builder()
            .connect_timeout(connect)
            .operation_attempt_timeout(attempt.max(UPLOAD))
            .operation_timeout(operation.max(UPLOAD * 2))
            .build();
        // Not `adaptive`: in aws-smithy-runtime 1.16 its bucket holds no more than the last measured rate, while a retry
        // costs five. Below five requests a second, which is a console's rate, one throttled request would never be
        // sent again but wait for its timeout. The limits per service keep the rate low instead.
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(backoff))
            .timeout_config(timeouts);
        if let Some(region) = &options.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(url) = &options.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(profile) = &options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(keys) = &options.keys {
            loader = loader.credentials_provider(credentials(keys));
        } else if let Some(profile) = &options.profile {
            let provider = ProfileFileCredentialsProvider::builder().profile_name(profile).build();
            loader = loader.credentials_provider(provider);
        }
        let config = Box::pin(loader.load()).await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(Error {
                operation: "config:Region",
                subject: options.profile.clone().unwrap_or_else(|| "AWS".into()),
                kind: ErrorKind::NoRegion,
                code: None,
                message: "no region is configured".into(),
            });
        };
        Ok(Self(Arc::new(Inner::new(config, region, login(options), upload))))
    }

    /// The same under another role, with the credentials of these; a session of its own is begun with the first request.
    pub async fn assuming(&self, role: &str) -> Self {
        let config = &self.0.config;
        let provider = AssumeRoleProvider::builder(role).session_name("plumb").configure(config).build().await;
        let config = config.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
        let Inner { region, login, upload, .. } = &*self.0;
        Self(Arc::new(Inner::new(config, region.clone(), login.clone(), upload.clone())))
    }

    /// Where requests go to.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// How many requests were sent so far, retries included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.calls.by_operation().values().sum()
    }

    /// The same by operation, such as `ssm:GetParameters`.
    #[must_use]
    pub fn calls_by_operation(&self) -> BTreeMap<String, u64> {
        self.0.calls.by_operation()
    }

    /// How many of them AWS answered with "slow down".
    #[must_use]
    pub fn throttled(&self) -> u64 {
        self.0.calls.throttled()
    }

    /// How often AWS answered so far, whatever it said.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.0.calls.answers()
    }

    /// The operations that are under way.
    #[must_use]
    pub fn waiting(&self) -> Vec<&'static str> {
        self.0.calls.open()
    }

    /// By how much this machine's clock was ahead of AWS's at the last answer, in milliseconds, to the second; `None`:
    /// nobody answered yet, or without a date.
    #[must_use]
    pub fn clock_skew(&self) -> Option<i64> {
        self.0.calls.skew()
    }

    /// Sends one request when its service has a place free. `operation` is the IAM action's name.
    pub(super) async fn send<T, E>(
        &self,
        service: Service,
        operation: &'static str,
        subject: &str,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let request = Box::pin(request);
        let _open = self.0.calls.begin(operation);
        // The semaphores are never closed; a permit that cannot be had would only lift the limit.
        let _permit = self.0.limits.of(service).acquire().await.ok();
        if matches!(service, Service::CloudTrail) {
            self.0.trail.turn().await;
        }
        request
            .await
            .map_err(|error| Error::of(operation, subject, &error, &self.0.login, self.0.config.endpoint_url()))
    }

    /// What signs a request now. Credentials that end are kept until five minutes before: a role or a login is not asked
    /// for anew with every request.
    pub(super) async fn credentials(&self) -> Option<Credentials> {
        let mut kept = self.0.credentials.lock().await;
        let lasts = |kept: &&Credentials| kept.expiry().is_some_and(|end| end > SystemTime::now() + MARGIN);
        if let Some(kept) = kept.as_ref().filter(lasts) {
            return Some(kept.clone());
        }
        let found = self.0.config.credentials_provider()?.provide_credentials().await.ok();
        kept.clone_from(&found);
        found
    }

    pub(super) fn counting(&self) -> Calls {
        self.0.calls.clone()
    }

    pub(super) fn config(&self) -> &SdkConfig {
        &self.0.config
    }

    pub(super) fn upload_timeouts(&self) -> TimeoutConfig {
        self.0.upload.clone()
    }

    pub(super) fn cloudformation(&self) -> &aws_sdk_cloudformation::Client {
        &self.0.cloudformation
    }

    pub(super) fn cloudtrail(&self) -> &aws_sdk_cloudtrail::Client {
        &self.0.cloudtrail
    }

    pub(super) fn lambda(&self) -> &aws_sdk_lambda::Client {
        &self.0.lambda
    }

    pub(super) fn s3(&self) -> &aws_sdk_s3::Client {
        &self.0.s3
    }

    pub(super) fn secretsmanager(&self) -> &aws_sdk_secretsmanager::Client {
        &self.0.secretsmanager
    }

    pub(super) fn ssm(&self) -> &aws_sdk_ssm::Client {
        &self.0.ssm
    }

    pub(super) fn sts(&self) -> &aws_sdk_sts::Client {
        &self.0.sts
    }
}

impl Inner {
    fn new(config: SdkConfig, region: String, login: String, upload: TimeoutConfig) -> Self {
        let calls = Calls::default();
        // Buckets as host names resolve nowhere outside AWS.
        let elsewhere = config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            .interceptor(calls.clone())
            .retry_partition(RetryPartition::custom("s3").build())
            .force_path_style(elsewhere)
            .build();
        let interval = if config.endpoint_url().is_some() { Duration::ZERO } else { TRAIL_INTERVAL };
        Self {
            region,
            login,
            limits: Limits::default(),
            trail: Pace::new(interval),
            upload,
            cloudformation: client!(aws_sdk_cloudformation, &config, calls),
            cloudtrail: client!(aws_sdk_cloudtrail, &config, calls),
            lambda: client!(aws_sdk_lambda, &config, calls),
            s3: aws_sdk_s3::Client::from_conf(s3),
            secretsmanager: client!(aws_sdk_secretsmanager, &config, calls),
            ssm: client!(aws_sdk_ssm, &config, calls),
            sts: client!(aws_sdk_sts, &config, calls),
            calls,
            config,
            credentials: Mutex::default(),
        }
    }
}

fn credentials(keys: &Keys) -> SharedCredentialsProvider {
    let token = keys.session_token.as_ref().map(|token| token.expose().to_owned());
    let secret = keys.secret_access_key.expose();
    SharedCredentialsProvider::new(Credentials::new(&keys.access_key_id, secret, token, None, "local account"))
}

/// What renews expired credentials: shown with the error, so it must be what the operator can type.
fn login(options: &Options) -> String {
    let profile = options.profile.clone().or_else(|| std::env::var("AWS_PROFILE").ok());
    match profile {
        Some(profile) => renew::command(&profile),
        // A process never sees that its environment was changed outside.
        None if std::env::var_os("AWS_ACCESS_KEY_ID").is_some() => {
            "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew, start plumb again".into()
        }
        None => "aws sso login".into(),
    }
}
