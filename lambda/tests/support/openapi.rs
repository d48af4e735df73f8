//! `openapi.yaml` and `intake.openapi.yaml`, to hold answers to: status, headers and body of each must be ones that are
//! described.

use std::collections::BTreeMap;

use jsonschema::Validator;
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

const TEXT: &str = include_str!("../../openapi.yaml");
const INTAKE: &str = include_str!("../../intake.openapi.yaml");

/// An answer that the description knows.
struct Described {
    /// By content type.
    bodies: BTreeMap<String, Validator>,
    /// Headers that must be there, with their schema.
    headers: Vec<(String, Validator)>,
}

/// The description, ready to be asked.
pub struct OpenApi {
    document: Value,
    /// By path, method and status.
    answers: BTreeMap<(String, String, String), Described>,
    problem: Validator,
}

impl OpenApi {
    /// That of the crypto API.
    pub fn load() -> Self {
        Self::of(TEXT)
    }

    /// That of the intake.
    #[allow(dead_code, reason = "not everybody who shares this asks for it")]
    pub fn of_intake() -> Self {
        Self::of(INTAKE)
    }

    fn of(text: &str) -> Self {
        let yaml = Yaml::load_from_str(text).expect("openapi.yaml is YAML");
        let document = json_of(&yaml[0]);
        let problem = schema(&document, "/components/schemas/Problem");
        let mut answers = BTreeMap::new();
        for (path, method, operation) in operations(&document) {
            for (status, response) in operation["responses"].as_object().expect("responses") {
                let at = match response["$ref"].as_str() {
                    Some(reference) => reference.trim_start_matches('#').to_owned(),
                    None => format!("/paths/{}/{method}/responses/{status}", path.replace('/', "~1")),
                };
                answers.insert((path.clone(), method.to_uppercase(), status.clone()), described(&document, &at));
            }
        }
        Self { document, answers, problem }
    }

    /// Every path with its method, in upper case.
    pub fn routes(&self) -> Vec<(String, String)> {
        operations(&self.document).into_iter().map(|(path, method, _)| (path, method.to_uppercase())).collect()
    }

    /// What stands at a JSON pointer.
    #[allow(dead_code, reason = "not everybody who shares this asks for it")]
    pub fn at(&self, pointer: &str) -> &Value {
        self.document.pointer(pointer).unwrap_or_else(|| panic!("openapi.yaml has no {pointer}"))
    }

    /// Says what of an answer is not as described. Of a path or method that is not described the answer must be a
    /// problem with the status 404 or 405.
    pub fn check(
        &self,
        method: &str,
        path: &str,
        status: u16,
        headers: &BTreeMap<String, String>,
        body: &str,
    ) -> Result<(), String> {
        let value: Value = serde_json::from_str(body).map_err(|error| format!("the body is no JSON: {error}"))?;
        let kind = headers.get("content-type").map_or("", String::as_str);
        let key = (path.to_owned(), method.to_owned(), status.to_string());
        if value.get("request_id").is_some() && value["status"] != status {
            return Err(format!("the problem says {} and the answer {status}", value["status"]));
        }
        let Some(described) = self.answers.get(&key) else {
            let known = self.routes().contains(&(path.to_owned(), method.to_owned()));
            if known || ![404, 405].contains(&status) || kind != "application/problem+json" {
                return Err(format!("{method} {path} {status} ({kind}) is not described"));
            }
            return fits(&self.problem, &value);
        };
        for (name, validator) in &described.headers {
            let found = headers.get(name).ok_or_else(|| format!("{status} lacks the header {name}"))?;
            fits(validator, &json!(found)).map_err(|error| format!("header {name}: {error}"))?;
        }
        let validator = described.bodies.get(kind).ok_or_else(|| format!("{status} as {kind} is not described"))?;
        fits(validator, &value)
    }
}

fn fits(validator: &Validator, value: &Value) -> Result<(), String> {
    let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            found.push((path.clone(), method.clone(), operation));
        }
    }
    found
}

fn described(document: &Value, at: &str) -> Described {
    let response = document.pointer(at).unwrap_or_else(|| panic!("openapi.yaml has no {at}"));
    let keys = |name: &str| response[name].as_object().into_iter().flat_map(Map::keys).cloned().collect::<Vec<_>>();
    let escaped = |key: &str| key.replace('/', "~1");
    let content = keys("content").into_iter();
    let headers = keys("headers").into_iter();
    Described {
        bodies: content
            .map(|kind| (kind.clone(), schema(document, &format!("{at}/content/{}/schema", escaped(&kind)))))
            .collect(),
        headers: headers.map(|name| (name.clone(), schema(document, &format!("{at}/headers/{name}/schema")))).collect(),
    }
}

/// The validator of the schema at a pointer, whose references lead into the whole document.
fn schema(document: &Value, pointer: &str) -> Validator {
    let mut whole = document.as_object().expect("an object").clone();
    whole.insert("$ref".to_owned(), json!(format!("#{pointer}")));
    jsonschema::draft202012::new(&Value::Object(whole)).unwrap_or_else(|error| panic!("{pointer}: {error}"))
}

pub fn json_of(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(values) => values.iter().map(json_of).collect(),
        Yaml::Mapping(pairs) => {
            let pair =
                |(key, value): (&Yaml<'_>, &Yaml<'_>)| (key.as_str().expect("a text").to_owned(), json_of(value));
            Value::Object(pairs.iter().map(pair).collect())
        }
        // A template's short form of a function.
        Yaml::Tagged(_, value) => json_of(value),
        other => panic!("it has what no JSON has: {other:?}"),
    }
}
