"""The local account that everything is measured against, a proxy that can hold it, and projects over it."""

import http.client
import json
import os
import socket
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlparse

REGION = "eu-central-1"
KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}


class Account:
    """An emulator of its own, in a directory of its own."""

    def __init__(self, plumb, work):
        self.plumb = plumb
        self.env = {
            "HOME": str(work / "home"),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "PLUMB_DATA_DIR": str(work / "data"),
            "PLUMB_STATE_DIR": str(work / "state"),
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            **KEYS,
        }
        (work / "home").mkdir(exist_ok=True)

    def __enter__(self):
        subprocess.run([self.plumb, "local", "up"], env=self.env, check=True, stdout=subprocess.DEVNULL)
        said = subprocess.run([self.plumb, "local", "env"], env=self.env, check=True, capture_output=True, text=True)
        line = next(line for line in said.stdout.splitlines() if "AWS_ENDPOINT_URL" in line)
        self.url = line.split("=", 1)[1].strip().strip("'\"")
        return self

    def __exit__(self, *_):
        subprocess.run([self.plumb, "local", "down"], env=self.env, check=False, stdout=subprocess.DEVNULL)

    def reset(self):
        subprocess.run([self.plumb, "local", "reset"], env=self.env, check=True, stdout=subprocess.DEVNULL)

    def put(self, parameters):
        """Creates parameters by plain requests over one connection; the account checks no signature."""
        host = urlparse(self.url)
        connection = http.client.HTTPConnection(host.hostname, host.port)
        scope = f"{KEYS['AWS_ACCESS_KEY_ID']}/20260101/{REGION}/ssm/aws4_request"
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AmazonSSM.PutParameter",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00",
        }
        for name, value in parameters.items():
            body = json.dumps({"Name": name, "Value": value, "Type": "String", "Overwrite": True})
            connection.request("POST", "/", body, headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise SystemExit(f"{name}: {answer.read()!r}")
            answer.read()
        connection.close()


class Proxy:
    """Passes connections on to the account, byte for byte; while it is shut, what comes waits without an answer."""

    def __init__(self, url):
        self.target = (urlparse(url).hostname, urlparse(url).port)
        self.open = threading.Event()
        self.open.set()
        self.held = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.server.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            upstream = socket.create_connection(self.target)
        except OSError:
            client.close()
            return
        threading.Thread(target=self.pass_on, args=(upstream, client, False), daemon=True).start()
        self.pass_on(client, upstream, True)

    def pass_on(self, source, sink, held):
        try:
            while piece := source.recv(1 << 16):
                if held and not self.open.is_set():
                    self.held += 1
                    self.open.wait()
                sink.sendall(piece)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def project(directory, url, count):
    """A repository whose config asks for so many parameters; returns what they would be."""
    directory = Path(directory)
    (directory / "config").mkdir(parents=True)
    (directory / "plumb.toml").write_text(
        f"""name = "bench"

[[config]]
files = ["config/{{service}}-{{env}}.json"]
parameter = "/{{service}}/{{env}}/{{key}}"
type = "String"
layers = "merged"

[environments.prod]
protection = "open"
region = "{REGION}"
endpoint_url = "{url}"
"""
    )
    values = {f"key{number:06}": f"value of {number}" for number in range(count)}
    (directory / "config" / "shop-prod.json").write_text(json.dumps(values, indent=1))
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "-C", str(directory)]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Everything"]):
        subprocess.run([*git, *arguments], check=True)
    return {f"/shop/prod/{key}": value for key, value in values.items()}
