//! One environment through the layers, the strongest first.

use super::{Environ, Flags, SourceLine};
use crate::config::check;
use crate::config::error::{Error, UnknownEnvironment};
use crate::config::near::nearest;
use crate::config::operator::{Access, Operator};
use crate::config::origin::{Origin, Origins};
use crate::config::project::{Environment, Project};
use crate::config::reader::{Period, Wrong, quoted};

/// What each layer says.
pub(super) struct Layers<'a> {
    pub(super) flags: &'a Flags,
    pub(super) environ: &'a Environ,
    pub(super) operator: &'a Operator,
    pub(super) operator_origins: &'a Origins,
    pub(super) project: &'a Project,
    pub(super) project_origins: &'a Origins,
}

/// A value with where it came from.
type Sourced = (String, Origin);

impl Layers<'_> {
    pub(super) fn choose(&self) -> Result<(usize, Origin), Error> {
        let position = |name: &str| self.project.environments.iter().position(|environment| environment.name == name);
        let named = self.said("--env", self.flags.env.as_ref(), &["PLUMB_ENV"]);
        let named =
            named.or_else(|| Some((self.operator.environment.clone()?, self.operator_origins.of("environment"))));
        if let Some((name, origin)) = named {
            return position(&name).map(|index| (index, origin.clone())).ok_or_else(|| {
                let all = self.names();
                let nearest = nearest(&name, all.iter().map(String::as_str)).map(str::to_owned);
                let unknown = UnknownEnvironment { name, origin, file: self.file(), nearest, names: all };
                Error::UnknownEnvironment(Box::new(unknown))
            });
        }
        let only = (self.project.environments.len() == 1).then_some(0);
        let index = only.or_else(|| position("dev"));
        index
            .map(|index| (index, Origin::Default))
            .ok_or_else(|| Error::WhichEnvironment { file: self.file(), names: self.names() })
    }

    /// An environment with what the stronger layers say about it.
    pub(super) fn resolve(&self, environment: &Environment) -> Result<(Environment, Vec<SourceLine>), Error> {
        let name = &environment.name;
        let flags = self.flags;
        let profile = self.value(
            name,
            "profile",
            ("--profile", flags.profile.as_ref()),
            &["AWS_PROFILE"],
            |access| access.profile.as_ref(),
            environment.profile.as_ref(),
        );
        let mut write = self.value(
            name,
            "write_profile",
            ("--write-profile", flags.write_profile.as_ref()),
            &["PLUMB_WRITE_PROFILE"],
            |access| access.write_profile.as_ref(),
            environment.write_profile.as_ref(),
        );
        // Who names a profile for this one run means it for all that the run does: reading one account and
        // writing to another, because a file names a profile for writing, would be a trap.
        let momentary = |sourced: &Sourced| matches!(sourced.1, Origin::Flag(_) | Origin::Variable(_));
        if profile.as_ref().is_some_and(momentary) && !write.as_ref().is_some_and(momentary) {
            write = None;
        }
        let region = self.value(
            name,
            "region",
            ("--region", flags.region.as_ref()),
            &["AWS_REGION", "AWS_DEFAULT_REGION"],
            |access| access.region.as_ref(),
            environment.region.as_ref(),
        );
        let endpoint = self.value(
            name,
            "endpoint_url",
            ("--endpoint-url", flags.endpoint_url.as_ref()),
            &["AWS_ENDPOINT_URL"],
            |access| access.endpoint.as_ref(),
            environment.endpoint.as_ref(),
        );
        if let Some((url, origin)) = &endpoint {
            valid(origin, check::url(url))?;
        }
        let git_ref = self.value(
            name,
            "ref",
            ("--ref", flags.git_ref.as_ref()),
            &["PLUMB_REF"],
            |_| None,
            environment.git_ref.as_ref(),
        );
        let (drift_max_age, drift_origin) = match self.operator.drift_max_age {
            Some(Period::Never) => (None, self.operator_origins.of("drift_max_age")),
            Some(Period::Seconds(seconds)) => (Some(seconds), self.operator_origins.of("drift_max_age")),
            None => (environment.drift_max_age, self.project_origins.of(&place(name, "drift_max_age"))),
        };
        let mut lines = Vec::new();
        for (key, sourced, unset) in [
            ("profile", &profile, "(the SDK's default chain)"),
            ("write_profile", &write, "(the same as profile)"),
            ("region", &region, "(the profile's)"),
            ("endpoint_url", &endpoint, "(AWS)"),
            ("ref", &git_ref, "(the upstream of the current branch, else HEAD)"),
        ] {
            let (value, origin) = sourced.clone().unwrap_or_else(|| (unset.into(), Origin::Default));
            lines.push(SourceLine { key: key.into(), value, origin });
        }
        let account = environment.account.clone().unwrap_or_else(|| "(any)".into());
        lines.push(SourceLine {
            key: "account".into(),
            value: account,
            origin: self.project_origins.of(&place(name, "account")),
        });
        let said = self.project_origins.of(&place(name, "protection"));
        let by_name = said == Origin::Default && check::like_production(name);
        lines.push(SourceLine {
            key: "protection".into(),
            value: environment.protection.word().into(),
            origin: if by_name { Origin::ProductionName } else { said },
        });
        let age = drift_max_age.map_or_else(|| "never".into(), |seconds| format!("{seconds}s"));
        lines.push(SourceLine { key: "drift_max_age".into(), value: age, origin: drift_origin });
        let text = |sourced: Option<Sourced>| sourced.map(|(value, _)| value);
        let resolved = Environment {
            profile: text(profile),
            write_profile: text(write),
            region: text(region),
            endpoint: text(endpoint),
            git_ref: text(git_ref),
            drift_max_age,
            ..environment.clone()
        };
        Ok((resolved, lines))
    }

    fn value(
        &self,
        environment: &str,
        key: &str,
        (flag, given): (&'static str, Option<&String>),
        variables: &[&'static str],
        own: impl Fn(&Access) -> Option<&String>,
        project: Option<&String>,
    ) -> Option<Sourced> {
        let operator = || {
            let ours = format!("{}/{environment}", self.project.name);
            [ours.as_str(), environment].into_iter().find_map(|name| {
                let value = own(self.operator.environments.get(name)?)?.clone();
                Some((value, self.operator_origins.of(&place(name, key))))
            })
        };
        let project = || Some((project?.clone(), self.project_origins.of(&place(environment, key))));
        self.said(flag, given, variables).or_else(operator).or_else(project)
    }

    fn said(&self, flag: &'static str, given: Option<&String>, variables: &[&'static str]) -> Option<Sourced> {
        said(self.environ, flag, given, variables)
    }

    fn names(&self) -> Vec<String> {
        self.project.environments.iter().map(|environment| environment.name.clone()).collect()
    }

    fn file(&self) -> String {
        self.project_origins.file.clone()
    }
}

pub(super) fn said(
    environ: &Environ,
    flag: &'static str,
    given: Option<&String>,
    variables: &[&'static str],
) -> Option<Sourced> {
    let flag = given.map(|value| (value.clone(), Origin::Flag(flag)));
    flag.or_else(|| variables.iter().find_map(|name| Some((environ.get(name)?.to_owned(), Origin::Variable(name)))))
}

fn valid(origin: &Origin, checked: Result<(), Wrong>) -> Result<(), Error> {
    checked.map_err(|wrong| {
        let why = wrong.hint.map_or(wrong.why.clone(), |hint| format!("{}; {hint}", wrong.why));
        Error::BadValue { origin: origin.clone(), why }
    })
}

fn place(environment: &str, key: &str) -> String {
    format!("environments.{}.{key}", quoted(environment))
}
