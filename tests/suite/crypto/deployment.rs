//! A changed API is served: by a deployment of its own, which the template names after the API's hash.
//!
//! The emulator serves an API's resources as they are and not as they were deployed, so that a missing deployment would not
//! be seen by calling. What AWS would serve is seen by the stage: which deployment it has, and that this one was made
//! after the resources had changed.

use plumb::ops::lambda::template;
use serde_json::{Value, json};

use super::{Api, TEMPLATE, roll_out};

/// The stage's deployment, and all deployments of the API.
fn deployments(api: &Api) -> (String, Vec<String>) {
    let rest = api.outputs["InvokeArn"].rsplit(':').next().unwrap().split('/').next().unwrap();
    let get = |path: &str| -> Value {
        let reply = api.account.caller().send("apigateway", "GET", path, &[], b"").unwrap();
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.json()
    };
    let stage = get(&format!("/restapis/{rest}/stages/live"));
    let all = get(&format!("/restapis/{rest}/deployments"));
    let all = all["item"].as_array().or_else(|| all["items"].as_array()).unwrap().clone();
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    (id(&stage["deploymentId"]), all.iter().map(|deployment| id(&deployment["id"])).collect())
}

/// The template with one path more.
fn with_a_path_more() -> String {
    let path = "  ExtraPath:
    Type: AWS::ApiGateway::Resource
    Properties:
      RestApiId: !Ref CryptoApi
      ParentId: !Ref V1Path
      PathPart: extra

  ExtraMethod:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref CryptoApi
      ResourceId: !Ref ExtraPath
      HttpMethod: GET
      AuthorizationType: AWS_IAM
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${CryptoLive}/invocations

  EncryptPath:
";
    let changed = TEMPLATE.replace("  EncryptPath:\n", path).replace(
        "    DependsOn:\n      - EncryptMethod\n",
        "    DependsOn:\n      - ExtraMethod\n      - EncryptMethod\n",
    );
    assert!(changed.contains("- ExtraMethod"));
    template::rendered("template.yaml", &changed).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_api_gets_a_deployment_of_its_own_and_the_stage_serves_it() {
    let api = Api::deploy().await;
    let (first, all) = deployments(&api);
    assert_eq!(all, std::slice::from_ref(&first));
    assert_eq!(api.get("/v1/extra").0, 403, "API Gateway knows no such path yet");

    roll_out(&api.account, &TEMPLATE.replace("    Default: 200\n", "    Default: 199\n"), false).await;
    assert_eq!(deployments(&api).0, first, "the same API keeps its deployment");

    roll_out(&api.account, &with_a_path_more(), false).await;
    let (second, all) = deployments(&api);
    assert_ne!(second, first);
    assert_eq!(all, [second], "and the old one is gone");
    let (status, problem) = api.get("/v1/extra");
    assert_eq!((status, &problem["type"]), (404, &json!("urn:plumb:problem:no-such-route")), "the function is asked");
}
