//! `trigger_job.sh PROJECT BRANCH`: what any CI copies to ask for a job, of a POSIX shell and curl alone.

use std::path::Path;

use super::Pipeline;
use crate::compare::Why;

/// The script, with marks for what is a stack's own.
const SCRIPT: &str = include_str!("trigger_job.sh");

impl Pipeline {
    /// The script for this pipeline.
    pub fn script(&self) -> Result<String, Why> {
        let topic = self.topic()?;
        let parts: Vec<&str> = topic.split(':').collect();
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_.-".contains(&byte));
        let &[_, partition, "sns", region, _, _] = parts.as_slice() else { return Err(no_topic(topic)) };
        if !is_plain(topic) {
            return Err(no_topic(topic));
        }
        let domain = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        Ok(SCRIPT.replace("@TOPIC@", topic).replace("@REGION@", region).replace("@DOMAIN@", domain))
    }
}

fn no_topic(text: &str) -> Why {
    Why::new(format!("{text} is no topic's ARN")).hint("the output TopicArn of the pipeline's stack")
}

/// Writes the script where nothing else is in its place. Answers whether it was not there so already.
pub fn write(path: &Path, script: &str, over: bool) -> Result<bool, Why> {
    let failed = |error: std::io::Error| Why::new(format!("cannot write {}: {error}", path.display()));
    match std::fs::read(path) {
        Ok(there) if there == script.as_bytes() => return Ok(false),
        Ok(_) if !over => {
            let why = Why::new(format!("refused: {} is there, and says something else", path.display()));
            return Err(why.hint("--force, or another name; - prints it"));
        }
        _ => {}
    }
    std::fs::write(path, script).map_err(failed)?;
    executable(path).map_err(failed)?;
    Ok(true)
}

fn executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}
