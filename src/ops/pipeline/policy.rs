//! What somebody else's CI may do: publish to the one topic, and nothing else.

use serde_json::{Value, json};

use super::Pipeline;
use crate::compare::Why;

impl Pipeline {
    /// The policy document of a publisher.
    pub fn publisher(&self) -> Result<Value, Why> {
        Ok(json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "PlumbTrigger",
                "Effect": "Allow",
                "Action": "sns:Publish",
                "Resource": self.topic()?,
            }],
        }))
    }

    /// The ARN of the same policy in the account, which the stack makes.
    pub fn publisher_arn(&self) -> Result<&str, Why> {
        self.output("PublisherPolicyArn")
    }
}
