//! What somebody else's CI may do: publish to the one topic, under its key, and nothing else.

use serde_json::{Value, json};

use super::Pipeline;
use crate::compare::Why;

/// The output that names the topic's key.
const KEY: &str = "JobsKeyArn";

impl Pipeline {
    /// The policy document of a publisher. Where other accounts may publish, the topic is encrypted under a key of the stack,
    /// which a publisher has to use.
    pub fn publisher(&self) -> Result<Value, Why> {
        let key = match self.output(KEY) {
            Ok(key) => Some(key),
            Err(why) if self.parameters.get("PublisherAccounts").is_some_and(|accounts| !accounts.is_empty()) => {
                return Err(why);
            }
            Err(_) => None,
        };
        Ok(document(self.topic()?, key))
    }

    /// The ARN of the same policy in the account, which the stack makes.
    pub fn publisher_arn(&self) -> Result<&str, Why> {
        self.output("PublisherPolicyArn")
    }
}

fn document(topic: &str, key: Option<&str>) -> Value {
    let publish = json!({ "Sid": "PlumbTrigger", "Effect": "Allow", "Action": "sns:Publish", "Resource": topic });
    let encrypt = key.map(|key| {
        let actions = ["kms:GenerateDataKey*", "kms:Decrypt"];
        json!({ "Sid": "PlumbTriggerKey", "Effect": "Allow", "Action": actions, "Resource": key })
    });
    let statements: Vec<Value> = [publish].into_iter().chain(encrypt).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publisher_may_publish_and_use_the_topic_s_key_where_it_has_one_of_its_own() {
        let (topic, key) = ("arn:aws:sns:r:1:shop-jobs", "arn:aws:kms:r:1:key/k");
        let statements = |key| document(topic, key)["Statement"].as_array().unwrap().clone();
        assert_eq!(statements(None).len(), 1);
        let both = statements(Some(key));
        assert_eq!((&both[0]["Action"], &both[0]["Resource"]), (&json!("sns:Publish"), &json!(topic)));
        assert_eq!(both[1]["Action"], json!(["kms:GenerateDataKey*", "kms:Decrypt"]));
        assert_eq!(both[1]["Resource"], json!(key));
    }
}
