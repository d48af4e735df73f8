//! Properties that name a file of git in the repository and an uploaded artifact in what is deployed.
//!
//! `sam package`, `sam deploy` and `aws cloudformation package` write the one where the other stood. What was uploaded
//! cannot be told from git, so such a property is neither equal nor different: a function's code is compared by
//! receipts, the rest is Unknown.

use serde_json::Value;

/// Resource types with the properties that are packaged, from the reference of `aws cloudformation package`.
const PACKAGED: [(&str, &str); 17] = [
    ("AWS::ApiGateway::RestApi", "BodyS3Location"),
    ("AWS::AppSync::FunctionConfiguration", "RequestMappingTemplateS3Location"),
    ("AWS::AppSync::FunctionConfiguration", "ResponseMappingTemplateS3Location"),
    ("AWS::AppSync::GraphQLSchema", "DefinitionS3Location"),
    ("AWS::AppSync::Resolver", "RequestMappingTemplateS3Location"),
    ("AWS::AppSync::Resolver", "ResponseMappingTemplateS3Location"),
    ("AWS::CloudFormation::Stack", "TemplateURL"),
    ("AWS::ElasticBeanstalk::ApplicationVersion", "SourceBundle"),
    ("AWS::Lambda::Function", "Code"),
    ("AWS::Lambda::LayerVersion", "Content"),
    ("AWS::Serverless::Api", "DefinitionUri"),
    ("AWS::Serverless::Application", "Location"),
    ("AWS::Serverless::Function", "CodeUri"),
    ("AWS::Serverless::HttpApi", "DefinitionUri"),
    ("AWS::Serverless::LayerVersion", "ContentUri"),
    ("AWS::Serverless::StateMachine", "DefinitionUri"),
    ("AWS::StepFunctions::StateMachine", "DefinitionS3Location"),
];

/// The file or folder of git that this property names; `None` when it names none.
pub(crate) fn file<'a>(type_name: &str, property: &str, value: &'a Value) -> Option<&'a str> {
    let packaged = PACKAGED.contains(&(type_name, property));
    value.as_str().filter(|text| packaged && !text.contains("://"))
}

/// Whether packaging changes this property, so that git's template and the deployed one may well differ in it. SAM
/// builds an image from a resource's metadata, and packaging adds where it lies.
pub(super) fn is_rewritten(type_name: &str, property: &str, git: Option<&Value>) -> bool {
    match git {
        Some(value) => file(type_name, property, value).is_some(),
        None => type_name == "AWS::Serverless::Function" && matches!(property, "CodeUri" | "ImageUri"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_path_of_git_is_packaged() {
        let rows = [
            ("a folder", "AWS::Serverless::Function", "CodeUri", json!("hello/"), true),
            ("what is uploaded already", "AWS::Serverless::Function", "CodeUri", json!("s3://bucket/key"), false),
            ("a web address", "AWS::CloudFormation::Stack", "TemplateURL", json!("https://s3.example/t.yaml"), false),
            ("a location", "AWS::Lambda::Function", "Code", json!({ "S3Bucket": "b", "S3Key": "k" }), false),
            ("another property", "AWS::Serverless::Function", "Handler", json!("app.handler"), false),
            ("the same word elsewhere", "AWS::SNS::Topic", "CodeUri", json!("hello/"), false),
        ];
        for (name, type_name, property, value, expected) in rows {
            assert_eq!(file(type_name, property, &value).is_some(), expected, "{name}");
        }
    }
}
