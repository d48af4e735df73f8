//! The code of functions: what CloudFormation's drift detection never looks at.
//!
//! A zip built twice differs from machine to machine, so zips are never compared with git. Git's side is the tree id
//! of the source; a receipt says which digest was built from which tree; live is the digest of every version that the
//! alias in use routes to, and of `$LATEST`, which is what the next published version will be.

use futures::future::join_all;
use sha2::{Digest, Sha256};

use super::context::{Context, blocking};
use crate::aws::cloudformation::StackResource;
use crate::aws::lambda;
use crate::compare::{Applied, Facet, Item, Kind, Row, Side, Sides, Verdict, Why, WhyKind, combine, verdict};
use crate::config::{Function, Stack};
use crate::ops::receipt::{Entry, Recorded, UnitId};
use crate::ops::report::{Problem, Section};
use crate::ops::{failed, hex, why};

const FUNCTION: &str = "AWS::Lambda::Function";

pub(super) async fn section(context: &Context) -> Result<Section, Why> {
    let known = context.stacks().await;
    let stacks = join_all(known.0.iter().map(|stack| async move {
        let subject = stack.name.clone();
        let (items, why) = stack_items(context, stack).await;
        (items, why.map(|why| Problem { subject, why }))
    }))
    .await;
    let mut section = Section::default();
    for (items, problem) in stacks {
        section.items.extend(items);
        section.problems.extend(problem);
    }
    Ok(section)
}

/// The items of a stack's functions, and why its functions could not be listed.
async fn stack_items(context: &Context, stack: &Stack) -> (Vec<Item>, Option<Why>) {
    let name = stack.name.clone();
    let unit = UnitId::Stack(name.clone());
    let (resources, recorded) = tokio::join!(context.resources(&name), context.receipt(&unit));
    match resources {
        Ok(resources) => {
            let functions = resources.iter().filter(|resource| resource.type_name == FUNCTION);
            let there = functions.map(|resource| {
                let config = stack.functions.iter().find(|function| function.resource == resource.logical_id);
                item(context, &name, resource, config, &recorded)
            });
            let mut items = join_all(there).await;
            let listed = |config: &&Function| resources.iter().any(|resource| resource.logical_id == config.resource);
            for config in stack.functions.iter().filter(|config| !listed(config)) {
                items.extend(absent_item(context, &name, config, &recorded, Side::Absent).await);
            }
            (items, None)
        }
        // Without the stack there are no functions; without its listing nobody knows.
        Err(why) => {
            let unread = (!is_missing(&why)).then_some(why);
            let live = unread.clone().map_or(Side::Absent, Side::Unreadable);
            let items =
                stack.functions.iter().map(|config| absent_item(context, &name, config, &recorded, live.clone()));
            (join_all(items).await.into_iter().flatten().collect(), unread)
        }
    }
}

/// Whether a stack could not be listed since it does not exist.
pub(super) fn is_missing(why: &Why) -> bool {
    why.kind == WhyKind::Missing
}

/// A function that git knows and no stack lists.
async fn absent_item(
    context: &Context,
    stack: &str,
    config: &Function,
    recorded: &Recorded,
    live: Side<Code>,
) -> Option<Item> {
    let git = git_side(context, Some(config)).await;
    let applied = applied_side(recorded, recorded.entry(&config.resource));
    let verdict = verdict(&git, &applied, &live)?;
    Some(Item {
        kind: Kind::Code,
        name: format!("{stack}/{}", config.resource),
        unit: stack.to_owned(),
        type_name: FUNCTION.to_owned(),
        physical_id: None,
        logical_id: None,
        reason: reason(&verdict, &[]),
        sides: Sides { git: facet(&git), applied: applied_facet(&applied), live: facet(&live) },
        changed: None,
        version: None,
        file: Some(config.source.clone()),
        verdict,
        rows: Vec::new(),
    })
}

fn applied_side(recorded: &Recorded, entry: Option<&Entry>) -> Applied<Code> {
    match (recorded, entry) {
        (Recorded::Unreadable(why), _) => Applied::Recorded(Side::Unreadable(why.clone())),
        (Recorded::None | Recorded::Receipt(_), None) => Applied::Unrecorded,
        (_, Some(entry)) => Applied::Recorded(Side::Value(Code::Tree(entry.digest.clone()))),
    }
}

/// What a function's code is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Code {
    /// It was built from this tree of git.
    Tree(String),
    /// It is this artifact, and nobody recorded what that was built from.
    Artifact(String),
}

/// One version of the live function; of an alias that splits its requests the one that gets the most comes first.
struct Version {
    number: String,
    label: String,
    sha256: Side<String>,
}

async fn item(
    context: &Context,
    stack: &str,
    resource: &StackResource,
    config: Option<&Function>,
    recorded: &Recorded,
) -> Item {
    let function = resource.physical_id.clone().unwrap_or_default();
    let entry = recorded.entry(&resource.logical_id);
    let alias = config.and_then(|config| config.alias.as_deref());
    let (git, versions) = tokio::join!(git_side(context, config), versions(context, &function, alias, entry));
    let applied = applied_side(recorded, entry);
    let rows: Vec<Row> = match &versions {
        Ok(versions) => versions.iter().filter_map(|version| row(version, &git, &applied, entry)).collect(),
        Err(_) => Vec::new(),
    };
    let verdict = match &versions {
        Err(why) => Verdict::Unknown(why.clone()),
        Ok(_) if rows.is_empty() => Verdict::Unknown(Why::new("the function has no version")),
        Ok(_) => combine(rows.iter().map(|row| &row.verdict)),
    };
    let live = rows.iter().find(|row| row.verdict == verdict).or(rows.first()).map(|row| row.sides.live.clone());
    Item {
        kind: Kind::Code,
        name: function.clone(),
        unit: stack.to_owned(),
        type_name: FUNCTION.to_owned(),
        physical_id: Some(function),
        logical_id: Some(format!("{stack}/{}", resource.logical_id)),
        reason: reason(&verdict, &rows),
        sides: Sides { git: facet(&git), applied: applied_facet(&applied), live: live.unwrap_or(Facet::Unread) },
        changed: None,
        version: versions.ok().and_then(|versions| versions.into_iter().next()).map(|version| version.number),
        file: config.map(|config| config.source.clone()),
        verdict,
        rows,
    }
}

fn reason(verdict: &Verdict, rows: &[Row]) -> String {
    let versions: Vec<&str> =
        rows.iter().filter(|row| row.verdict.is_difference()).map(|row| row.path.as_str()).collect();
    let of = versions.join(", ");
    match verdict {
        Verdict::Unknown(why) => why.reason.clone(),
        Verdict::Drifted if of.is_empty() => "the function is gone".to_owned(),
        Verdict::Drifted => format!("{of}: code that git did not build"),
        Verdict::Pending => "source changed in git, not deployed".to_owned(),
        Verdict::Diverged => format!("{of}: code that git did not build, and the source changed in git"),
        Verdict::GitOnly => "never deployed".to_owned(),
        _ => String::new(),
    }
}

fn row(version: &Version, git: &Side<Code>, applied: &Applied<Code>, entry: Option<&Entry>) -> Option<Row> {
    let live = version.sha256.clone().map(|sha256| match entry {
        Some(entry) if entry.code_sha256.as_deref() == Some(&sha256) => Code::Tree(entry.digest.clone()),
        _ => Code::Artifact(sha256),
    });
    let verdict = match (git, applied, &live) {
        // An artifact without a record can be built from any source, git's own included.
        (Side::Value(_), Applied::Unrecorded | Applied::Recorded(Side::Unreadable(_)), Side::Value(_)) => {
            Verdict::Unknown(
                Why::new("no receipt says what this code was built from")
                    .hint("deploy once with plumb, which records it"),
            )
        }
        _ => verdict(git, applied, &live)?,
    };
    let sides = Sides { git: facet(git), applied: applied_facet(applied), live: facet(&live) };
    Some(Row { path: version.label.clone(), verdict, sides })
}

fn facet(side: &Side<Code>) -> Facet {
    Facet::of(side, |code| {
        Facet::Plain(match code {
            Code::Tree(id) => format!("tree {}", id.get(..7).unwrap_or(id)),
            Code::Artifact(sha256) => format!("unknown zip {}", sha256.get(..6).unwrap_or(sha256)),
        })
    })
}

fn applied_facet(applied: &Applied<Code>) -> Facet {
    match applied {
        Applied::Unrecorded => Facet::Unrecorded,
        Applied::Recorded(side) => facet(side),
    }
}

async fn git_side(context: &Context, config: Option<&Function>) -> Side<Code> {
    let Some(config) = config.cloned() else {
        if context.session.settings.adhoc.is_some() {
            return Side::Unreadable(Why::new("there is no project that says where the source is"));
        }
        return Side::Unreadable(
            Why::new("the project does not say where this function's source is").hint("add [[stacks.functions]]"),
        );
    };
    let snapshot = match context.git().await {
        Ok(snapshot) => snapshot,
        Err(why) => return Side::Unreadable(why),
    };
    match blocking(move || source_digest(&snapshot, &config)).await {
        Ok(Some(digest)) => Side::Value(Code::Tree(digest)),
        Ok(None) => Side::Absent,
        Err(why) => Side::Unreadable(why),
    }
}

/// What identifies a function's source in a commit: the tree id of its directory; with further paths, a digest of
/// all their ids. `None` when the directory is not in the commit.
pub(crate) fn source_digest(snapshot: &crate::git::Snapshot, config: &Function) -> Result<Option<String>, Why> {
    let id = |path: &str| snapshot.tree_id(path).map_err(|error| failed(&error));
    let Some(tree) = id(&config.source)? else { return Ok(None) };
    if config.also.is_empty() {
        return Ok(Some(tree));
    }
    let mut digest = Sha256::new();
    digest.update(&tree);
    for path in &config.also {
        digest.update(format!("\n{path} {}", id(path)?.unwrap_or_default()));
    }
    Ok(Some(hex(&digest.finalize())))
}

async fn versions(
    context: &Context,
    function: &str,
    alias: Option<&str>,
    entry: Option<&Entry>,
) -> Result<Vec<Version>, Why> {
    let mut wanted = vec![(None, "$LATEST".to_owned())];
    if let Some(alias) = alias {
        let routes = lambda::alias(&context.session.clients, function, alias).await.map_err(|error| why(&error))?;
        let Some(routes) = routes else {
            return Err(Why::new(format!("{function} has no alias {alias}")).hint("[[stacks.functions]] alias"));
        };
        let mut weights: Vec<(String, f64)> = routes.versions().into_iter().collect();
        weights.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        for (version, weight) in weights {
            let label = format!("{alias} -> {version} ({:.0} %)", weight * 100.0);
            wanted.insert(wanted.len() - 1, (Some(version), label));
        }
    }
    let versions = wanted.into_iter().map(|(version, label)| async move {
        // A published version never changes, so the digest that was recorded of it still holds.
        let recorded = entry.filter(|entry| version.as_deref() == Some(&entry.version));
        if let Some(sha256) = recorded.and_then(|entry| entry.code_sha256.clone()) {
            return Version { number: version.unwrap_or_default(), label, sha256: Side::Value(sha256) };
        }
        let sha256 = match lambda::function(&context.session.clients, function, version.as_deref()).await {
            Ok(Some(info)) => Side::Value(info.code_sha256_raw),
            Ok(None) => Side::Absent,
            Err(error) => Side::Unreadable(why(&error)),
        };
        Version { number: version.unwrap_or_else(|| "$LATEST".to_owned()), label, sha256 }
    });
    Ok(join_all(versions).await)
}
