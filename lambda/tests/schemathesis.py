"""Requests that schemathesis makes up from an API's description, to the real bootstrap: schemathesis.py SCHEMATHESIS BOOTSTRAP

The bootstrap is `crypto` or `intake`. Stands in for what lies between them: API Gateway (HTTP in, an event of version 1 out),
Lambda's Runtime API, and what the function keeps: a secret of Secrets Manager, or a table of DynamoDB. Everything is on
loopback; the run is bounded in time and ends everything that it started.
"""

import base64
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
events, answers = queue.Queue(), {}
asked = 0
turn = threading.Lock()


def keyring():
    key = base64.b64encode(os.urandom(32)).decode()
    now = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
    versions = {str(number): {"key": key, "created": now} for number in (1, 2, 3)}
    return json.dumps({"id": os.urandom(16).hex(), "latest": 3, "min_decryption_version": 2, "versions": versions})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("transfer-encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Runtime(Handler):
    """Lambda's Runtime API."""

    def do_GET(self):
        number, event = events.get()
        headers = {
            "content-type": "application/json",
            "lambda-runtime-aws-request-id": f"request-{number}",
            "lambda-runtime-deadline-ms": "9999999999999",
            "lambda-runtime-invoked-function-arn": "arn:aws:lambda:eu-central-1:000000000000:function:" + Path(sys.argv[2]).name,
        }
        self.answer(200, headers, event)

    def do_POST(self):
        number = self.path.split("/")[-2].removeprefix("request-")
        said = self.body()
        answers[number].put(said if self.path.endswith("/response") else None)
        self.answer(202, {}, b"{}")


class Secret(Handler):
    """GetSecretValue."""

    text = keyring()

    def do_POST(self):
        self.body()
        body = json.dumps({"VersionId": "v", "SecretString": self.text}).encode()
        self.answer(200, {"content-type": "application/x-amz-json-1.1"}, body)


class Table(Handler):
    """TransactWriteItems, as far as a marker's condition counts, and GetItem."""

    items = {}

    def write(self, puts):
        record, marker = (put["Put"]["Item"] for put in puts)
        known = self.items.get(marker["id"]["S"])
        if known and int(known["expires"]["N"]) > time.time():
            reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": known}]
        elif record["id"]["S"] in self.items:
            reasons = [{"Code": "ConditionalCheckFailed"}, {"Code": "None"}]
        else:
            self.items.update({item["id"]["S"]: item for item in (record, marker)})
            return 200, {}
        kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
        return 400, {"__type": kind, "Message": "Transaction cancelled", "CancellationReasons": reasons}

    def do_POST(self):
        asked = json.loads(self.body())
        status, said = self.write(asked["TransactItems"]) if "TransactItems" in asked else (200, {})
        self.answer(status, {"content-type": "application/x-amz-json-1.0"}, json.dumps(said).encode())


# Of each function: its description, what it keeps and where it finds that, what API Gateway hands over as base64, and for
# how many seconds it is asked.
FUNCTIONS = {
    "crypto": ("openapi.yaml", Secret, {"KEYRING_SECRET": "keyring"}, (), 120),
    "intake": ("intake.openapi.yaml", Table, {"TABLE": "records", "KEEP_KEYS_SECONDS": "3600"}, ("application/json",), 40),
}


class Gateway(Handler):
    """API Gateway's proxy integration."""

    binary = ()

    def handle_any(self):
        global asked
        body = self.body()
        if "authorization" not in self.headers:
            problem = {"type": "urn:plumb:problem:forbidden", "title": "t", "status": 403, "detail": "d", "request_id": "g"}
            self.answer(403, {"content-type": "application/problem+json"}, json.dumps(problem).encode())
            return
        is_binary = self.headers.get("content-type", "").split(";")[0].strip().lower() in self.binary
        text = base64.b64encode(body).decode() if is_binary else body.decode("utf-8", "replace")
        event = {
            "httpMethod": self.command,
            "path": self.path.split("?")[0],
            "headers": dict(self.headers.items()),
            "body": text or None,
            "isBase64Encoded": is_binary,
            "requestContext": {"requestId": "gateway", "identity": {"userArn": None}},
        }
        with turn:
            asked += 1
            number = str(asked)
            answers[number] = queue.Queue()
            events.put((number, json.dumps(event).encode()))
            said = answers[number].get(timeout=20)
            del answers[number]
        if said is None:
            self.answer(502, {"content-type": "application/json"}, b'{"message": "Internal server error"}')
            return
        said = json.loads(said)
        self.answer(said["statusCode"], said["headers"], said["body"].encode())

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = do_TRACE = do_QUERY = handle_any


def serve(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_address[1]}"


def main(schemathesis, bootstrap):
    name = Path(bootstrap).name
    description, keeper, settings, Gateway.binary, seconds = FUNCTIONS[name]
    environment = {
        "AWS_LAMBDA_RUNTIME_API": serve(Runtime), "AWS_LAMBDA_FUNCTION_NAME": name, "AWS_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_LOG_GROUP_NAME": "g",
        "AWS_LAMBDA_LOG_STREAM_NAME": "s", "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nobody",
        "AWS_ENDPOINT_URL": f"http://{serve(keeper)}", **settings,
    }
    with tempfile.TemporaryDirectory() as directory, open(f"{directory}/log", "w+", encoding="utf-8") as log:
        with subprocess.Popen([bootstrap], env=environment, stdout=log, stderr=log) as function:
            # Its own list of how a request may be refused lacks 413. A header more is nothing that HTTP refuses.
            extra = "false" if name == "intake" else "true"
            Path(directory, "schemathesis.toml").write_text(
                "[checks]\nnegative_data_rejection.expected-statuses = [400, 403, 404, 405, 413, 415, 422]\n"
                f"[generation]\nallow-extra-parameters = {extra}\n",
                "utf-8",
            )
            command = [
                schemathesis, "run", str(HERE.parent / description), "--url", f"http://{serve(Gateway)}",
                # What is excluded: the gateway's own work, and that a text of the right type is always a ciphertext, or a key always
                # a new one.
                "--checks", "all",
                "--exclude-checks", "ignored_auth,missing_required_header,positive_data_acceptance,use_after_free",
                "--header", "Authorization: AWS4-HMAC-SHA256 what API Gateway would have checked",
                "--phases", "examples,coverage,fuzzing", "--max-time", str(seconds), "--max-examples", "400",
                "--no-color", "--warnings", "off",
            ]
            done = subprocess.run(command, cwd=directory, timeout=4 * seconds, check=False)
            alive = function.poll() is None
            function.terminate()
        log.seek(0)
        lines = log.read().splitlines()
    faults = [line for line in lines if not line.startswith("{") or json.loads(line)["status"] >= 500]
    print(f"{asked} requests, {len(lines)} lines of log, {len(faults)} of them of a failure")
    if faults:
        print("\n".join(faults[:5]))
    return 0 if done.returncode == 0 and alive and not faults and len(lines) == asked else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
