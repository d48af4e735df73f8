//! What is read of the watched stacks: their resources, the code that their functions run, and drift.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::super::Failure;
use super::super::found::{self, Code, Compared, Differing, Receipt};
use super::super::watched::Service;
use super::{Live, failed};
use crate::aws::{element, encoded, members};

const VERSION: &str = "2010-05-15";
const ALIAS: &str = "AWS::Lambda::Alias";
/// Nested stacks below one that is watched; more is a mistake.
const STACKS: usize = 50;
/// So long a comparison may take: then there is still time to act on what it found.
const LONGEST: Duration = Duration::from_secs(35);

/// One resource of a stack.
pub(super) struct Resource {
    logical_id: String,
    pub(super) kind: String,
    pub(super) physical_id: String,
}

/// What CloudFormation says of a stack.
struct Stack {
    id: String,
    /// The change set that was executed last, where it was one.
    change_set: String,
    /// Of its last change, in milliseconds.
    changed: i64,
    status: String,
    drifted: bool,
    /// When drift was last looked for.
    looked: i64,
}

impl Stack {
    fn is_busy(&self) -> bool {
        self.status.ends_with("_IN_PROGRESS")
    }

    /// Whether CloudFormation looks for drift in it: not in one that was never made, or is about to go.
    fn can_be_looked_at(&self) -> bool {
        ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"]
            .contains(&self.status.as_str())
    }
}

impl Live {
    /// The resources of a stack and of those nested in it; none of a stack that is not there.
    pub(super) async fn resources(&self, stack: &str) -> Result<Vec<Resource>, Failure> {
        let mut found = Vec::new();
        let (mut stacks, mut next) = (vec![stack.to_owned()], 0);
        while let Some(stack) = stacks.get(next).cloned() {
            for resource in self.of_one(&stack).await? {
                if resource.kind == "AWS::CloudFormation::Stack" && stacks.len() < STACKS {
                    stacks.push(resource.physical_id.clone());
                }
                found.push(resource);
            }
            next += 1;
        }
        Ok(found)
    }

    async fn of_one(&self, stack: &str) -> Result<Vec<Resource>, Failure> {
        let (mut found, mut token) = (Vec::new(), None::<String>);
        loop {
            let mut fields = vec![("StackName", stack)];
            fields.extend(token.as_deref().map(|token| ("NextToken", token)));
            let page = match self.aws.query("cloudformation", VERSION, "ListStackResources", &fields).await {
                Ok(page) => page,
                Err(error) if is_missing(&error) => return Ok(found),
                Err(error) => return Err(failed(&error)),
            };
            if !page.contains("<StackResourceSummaries") {
                return Err(Failure(format!(
                    "the resources of {stack} cannot be read: AWS's answer has none of its form"
                )));
            }
            found.extend(members(&page).into_iter().filter_map(|member| {
                let text = |name: &str| element(member, name);
                let kind = text("ResourceType")?;
                Some(Resource {
                    logical_id: text("LogicalResourceId")?,
                    kind,
                    physical_id: text("PhysicalResourceId")?,
                })
            }));
            token = element(&page, "NextToken").filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    async fn stack(&self, name: &str) -> Result<Option<Stack>, Failure> {
        let answer = match self.aws.query("cloudformation", VERSION, "DescribeStacks", &[("StackName", name)]).await {
            Ok(answer) => answer,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        let text = |name: &str| element(&answer, name).unwrap_or_default();
        let time = |name: &str| milliseconds(&text(name)).unwrap_or_default();
        let (created, changed) = (time("CreationTime"), time("LastUpdatedTime"));
        Ok(Some(Stack {
            id: text("StackId"),
            change_set: text("ChangeSetId"),
            changed: created.max(changed),
            status: text("StackStatus"),
            drifted: text("StackDriftStatus") == "DRIFTED",
            looked: time("LastCheckTimestamp"),
        }))
    }

    /// The stack whose last change was this change set, of those that are watched and those nested in them.
    pub(super) async fn executed_on(&self, change_set: &str) -> Result<Option<String>, Failure> {
        let cloudformation = Service::of("cloudformation.amazonaws.com");
        for name in &self.flow.stacks {
            let nested = self.resources(name).await?;
            let nested = nested.iter().filter(|resource| resource.kind == "AWS::CloudFormation::Stack");
            for stack in std::iter::once(name).chain(nested.map(|resource| &resource.physical_id)) {
                if self.stack(stack).await?.is_some_and(|stack| stack.change_set == change_set) {
                    return Ok(cloudformation.map(|service| service.canonical(stack).to_owned()));
                }
            }
        }
        Ok(None)
    }

    /// What the last drift detection found to differ, a line for each resource; `None`: no more than where
    /// deployments point aliases.
    pub(super) async fn differences(&self, stack: &str) -> Result<Option<Vec<String>>, Failure> {
        let mut found = self.differing(stack).await?;
        if found.iter().any(|resource| resource.kind == ALIAS)
            && let Some(receipt) = self.receipt(stack).await?
        {
            let resources = self.of_one(stack).await?.into_iter();
            let functions = resources.map(|resource| (resource.logical_id, resource.physical_id)).collect();
            receipt.settle(&mut found, &functions);
            if found.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(found.iter().map(Differing::line).collect()))
    }

    async fn differing(&self, stack: &str) -> Result<Vec<Differing>, Failure> {
        let mut found = Vec::new();
        let mut token = None::<String>;
        loop {
            let mut fields = vec![
                ("StackName", stack),
                ("StackResourceDriftStatusFilters.member.1", "MODIFIED"),
                ("StackResourceDriftStatusFilters.member.2", "DELETED"),
            ];
            fields.extend(token.as_deref().map(|token| ("NextToken", token)));
            let page = self.aws.query("cloudformation", VERSION, "DescribeStackResourceDrifts", &fields).await;
            let page = page.map_err(|error| failed(&error))?;
            found.extend(members(&page).into_iter().map(differing));
            token = element(&page, "NextToken").filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// What the schedule finds: code and values that were not rolled out, and drift that CloudFormation has found, whoever
    /// let it look. What cannot be read hides nothing of the rest.
    pub(super) async fn compared(&self, now: i64) -> Compared {
        let mut all = Compared::default();
        let compares = async {
            for name in &self.flow.stacks {
                self.compare_stack(name, now, &mut all).await;
            }
            self.compare_values(now, &mut all).await;
        };
        let ended = tokio::time::timeout(LONGEST, compares).await;
        all.read(ended.map_err(|_| Failure(format!("it took longer than {} s", LONGEST.as_secs()))));
        all
    }

    async fn compare_stack(&self, name: &str, now: i64, all: &mut Compared) {
        let Some(stack) = all.read(self.stack(name).await) else { return };
        // A deployment is under way, or its receipt is not written yet.
        if stack.as_ref().is_some_and(|stack| stack.is_busy() || now - stack.changed < self.grace) {
            all.found.partial = true;
            return;
        }
        let receipt = all.read(self.receipt(name).await);
        let Some(stack) = stack else {
            // One that was never rolled out is not missed; without receipts nobody can tell.
            match receipt {
                Some(Some(_)) => all.found.young.push(found::gone("stack", name, now)),
                _ => all.found.partial = true,
            }
            return;
        };
        if let Some(Some(receipt)) = receipt {
            self.compare_code(name, &receipt, now, all).await;
        }
        // What was found before the stack last changed says nothing of what it is now.
        if stack.drifted
            && stack.looked > stack.changed
            && let Some(Some(differences)) = all.read(self.differences(name).await)
        {
            all.found.changes.push(found::drift(name, differences, stack.looked));
        }
        if self.drift.is_some_and(|age| now - stack.looked >= age) && stack.can_be_looked_at() {
            let asked = [("StackName", stack.id.as_str())];
            match self.aws.query("cloudformation", VERSION, "DetectStackDrift", &asked).await {
                // Somebody else looks for it: what is found is used.
                Err(error) if !error.says("already in progress") => all.failures.push(failed(&error)),
                _ => {}
            }
        }
    }

    async fn receipt(&self, stack: &str) -> Result<Option<Receipt>, Failure> {
        let Some(receipts) = &self.receipts else { return Ok(None) };
        self.receipt_at(receipts, &format!("{}/receipts/stack/{stack}.json", receipts.prefix)).await
    }

    /// Compares the code that the receipt's functions run: `$LATEST`, and the version behind each alias of the stack.
    async fn compare_code(&self, stack: &str, receipt: &Receipt, now: i64, all: &mut Compared) {
        let Some(lambda) = Service::of("lambda.amazonaws.com") else { return };
        let Some(resources) = all.read(self.of_one(stack).await) else { return };
        let (mut live, mut gone) = (Vec::new(), Vec::new());
        for logical_id in receipt.functions() {
            let Some(function) = resources.iter().find(|resource| resource.logical_id == logical_id) else {
                gone.push(format!("{logical_id} of stack {stack}"));
                continue;
            };
            let name = &function.physical_id;
            let aliases = resources.iter().filter(|resource| {
                resource.kind == ALIAS && lambda.canonical(&resource.physical_id) == lambda.canonical(name)
            });
            let aliases = aliases.filter_map(|resource| resource.physical_id.rsplit(':').next());
            let qualifiers: BTreeSet<Option<&str>> = aliases.map(Some).chain([None]).collect();
            for alias in qualifiers {
                match all.read(self.code_of(logical_id, name, alias).await) {
                    Some(Some(code)) => live.push(code),
                    Some(None) => gone.push(alias.map_or_else(|| name.clone(), |alias| format!("{name}:{alias}"))),
                    None => {}
                }
            }
        }
        all.found.young.extend(found::code(receipt, &live, now, self.grace));
        all.found.young.extend(gone.iter().map(|function| found::gone("function", function, now)));
    }

    /// `None` of what is not there.
    async fn code_of(&self, logical_id: &str, function: &str, alias: Option<&str>) -> Result<Option<Code>, Failure> {
        let qualifier = alias.map_or_else(String::new, |alias| format!("?Qualifier={}", encoded(alias)));
        let path = format!("/2015-03-31/functions/{}/configuration{qualifier}", encoded(function));
        let answer = match self.aws.get("lambda", "GetFunctionConfiguration", &path).await {
            Ok(answer) => answer,
            Err(error) if error.code == "ResourceNotFoundException" => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let sha256 =
            text("CodeSha256").ok_or_else(|| Failure(format!("AWS's answer about {function} cannot be read")))?;
        Ok(Some(Code {
            logical_id: logical_id.to_owned(),
            name: alias.map_or_else(|| function.to_owned(), |alias| format!("{function}:{alias}")),
            sha256: sha256.to_owned(),
            modified: text("LastModified").filter(|_| alias.is_none()).and_then(milliseconds),
        }))
    }
}

/// One resource of an answer about drift.
fn differing(member: &str) -> Differing {
    let text = |name: &str| element(member, name).unwrap_or_default();
    let property =
        |found: &str| Some((element(found, "PropertyPath")?, element(found, "ActualValue").unwrap_or_default()));
    Differing {
        logical_id: text("LogicalResourceId"),
        kind: text("ResourceType"),
        physical_id: text("PhysicalResourceId"),
        status: text("StackResourceDriftStatus"),
        properties: members(member).into_iter().filter_map(property).collect(),
    }
}

/// Whether CloudFormation has no such stack. With the same code it refuses what it does not understand.
fn is_missing(error: &crate::aws::Error) -> bool {
    error.code == "ValidationError" && error.says("does not exist")
}

/// A time as AWS writes it: Lambda's offset has no colon.
fn milliseconds(text: &str) -> Option<i64> {
    let text = text.strip_suffix("+0000").map_or_else(|| text.to_owned(), |time| format!("{time}Z"));
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn times_are_read_as_each_service_writes_them() {
        for text in ["2026-11-21T21:00:00.000+0000", "2026-11-21T21:00:00Z", "2026-11-21T22:00:00+01:00"] {
            assert_eq!(milliseconds(text), Some(1_795_294_800_000), "{text}");
        }
        assert_eq!(milliseconds(""), None);
    }
}
