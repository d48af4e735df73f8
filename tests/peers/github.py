"""Cuts out of GitHub's own OpenAPI description what Plumb's client uses, as `tests/fixtures/github/contract.json`.

    npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz
    python3 tests/peers/github.py package/generated/api.github.com.deref.json > tests/fixtures/github/contract.json

The description is MIT-licensed (https://github.com/octokit/openapi). Words for people and examples are left out, and
`nullable` is written as JSON Schema has it.
"""

import json
import sys

OPERATIONS = [
    ("post", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches"),
    ("post", "/repos/{owner}/{repo}/dispatches"),
    ("get", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}"),
    ("get", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs"),
    ("get", "/repos/{owner}/{repo}/actions/runs"),
    ("get", "/repos/{owner}/{repo}/actions/runs/{run_id}"),
    ("get", "/repos/{owner}/{repo}/actions/runs/{run_id}/jobs"),
    ("post", "/repos/{owner}/{repo}/actions/runs/{run_id}/cancel"),
    ("get", "/repos/{owner}/{repo}/commits/{ref}"),
    ("get", "/repos/{owner}/{repo}"),
]


def plain(schema, named=False):
    """`named`: the keys are names of properties, not words of JSON Schema."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = set() if named else {"description", "example", "examples", "title", "nullable", "externalDocs", "format"}
    out = {
        key: plain(value, named=not named and key == "properties")
        for key, value in schema.items()
        if key not in dropped and not (not named and key.startswith("x-"))
    }
    if not named and schema.get("nullable") is True:
        out = {"anyOf": [out, {"type": "null"}]}
    return out


def content(holder):
    schema = holder.get("content", {}).get("application/json", {}).get("schema")
    return None if schema is None else plain(schema)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    operations = {}
    for method, path in OPERATIONS:
        operation = document["paths"][path][method]
        parameters = [each for each in operation.get("parameters", []) if each["in"] == "query"]
        operations[f"{method.upper()} {path}"] = {
            "query": {each["name"]: plain(each["schema"]) for each in parameters},
            "body": content(operation.get("requestBody", {})),
            "responses": {status: content(answer) for status, answer in operation["responses"].items()},
        }
    info = document["info"]
    about = {"title": info["title"], "version": info["version"], "package": "@octokit/openapi", "license": info["license"]}
    json.dump({"info": about, "operations": operations}, sys.stdout, indent=1)
    print()


main()
