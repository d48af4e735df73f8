"""The envelope once more, from ENVELOPE.md and Python's `cryptography`, to hold the Rust one to it.

    envelope.py known    writes the known answers, always the same, that `known_answers.json` has
    envelope.py serve    answers lines of JSON on the standard input, one line each:
                         {"seal": {keyring, version, material, salt, message, context}} -> {"text"}
                         {"open": {keyring, version, material, text, context}} -> {"message"} or {"error"}

Bytes are hexadecimal; a context is an object of strings.
"""

import base64
import hashlib
import hmac
import json
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def u32(value):
    return value.to_bytes(4, "big")


def string(value):
    return u32(len(value.encode())) + value.encode()


def derive(case, label, salt):
    info = label + string(case["keyring"]) + u32(case["version"])
    return HKDF(SHA512(), 32, salt, info).derive(bytes.fromhex(case["material"]))


def keys(case, salt):
    return derive(case, b"plumb:v1:message-key:", salt), derive(case, b"plumb:v1:commitment:", salt)


def associated_data(case):
    pairs = sorted(case["context"].items(), key=lambda pair: pair[0].encode())
    return b"\x01" + u32(case["version"]) + u32(len(pairs)) + b"".join(string(n) + string(v) for n, v in pairs)


def seal(case):
    salt = bytes.fromhex(case["salt"])
    key, commitment = keys(case, salt)
    sealed = AESGCM(key).encrypt(bytes(12), bytes.fromhex(case["message"]), associated_data(case))
    body = base64.urlsafe_b64encode(salt + commitment + sealed).decode().rstrip("=")
    return f"plumb:v1:{case['version']}:{body}"


def unseal(case):
    name, form, version, text = case["text"].split(":")
    assert (name, form, version) == ("plumb", "v1", str(case["version"]))
    body = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert base64.urlsafe_b64encode(body).decode().rstrip("=") == text
    key, commitment = keys(case, body[:32])
    if not hmac.compare_digest(commitment, body[32:64]):
        raise ValueError("commitment")
    return AESGCM(key).decrypt(bytes(12), body[64:], associated_data(case)).hex()


def known():
    contexts = [
        {"b": "2", "a": "1"},
        {},
        {"": ""},
        {"purpose": "grüße", "größe": "日本語 🔑"},
        {"ﬀ": "before the next one by bytes, after it by UTF-16", "😀": "x"},
        {f"name-{number}": "x" * number for number in range(16)},
    ]
    messages = [b"attack at dawn", b"", b"\x00", "grüße 🔑".encode(), bytes(range(256)), b"a" * 4097]
    versions = [7, 1, 2**32 - 1, 10, 65536, 2]

    def bytes_of(label, number):
        return hashlib.sha256(f"{label} {number}".encode()).digest()

    for number, (context, message, version) in enumerate(zip(contexts, messages, versions)):
        material, salt = bytes_of("material", number), bytes_of("salt", number)
        keyring = hashlib.sha256(f"keyring {number}".encode()).hexdigest()[:32]
        if number == 0:
            keyring, material, salt = "ring", b"0123456789abcdefghijklmnopqrstuv", b"abcdefghijklmnopqrstuvwxyzABCDEF"
        case = {
            "keyring": keyring, "version": version, "material": material.hex(), "salt": salt.hex(),
            "message": message.hex(), "context": context,
        }
        yield {**case, "text": seal(case)}


def answer(request):
    if "seal" in request:
        return {"text": seal(request["seal"])}
    try:
        return {"message": unseal(request["open"])}
    except (InvalidTag, ValueError):
        return {"error": "does not open"}


if __name__ == "__main__":
    if sys.argv[1:] == ["known"]:
        json.dump(list(known()), sys.stdout, ensure_ascii=False, indent=1)
        print()
    elif sys.argv[1:] == ["serve"]:
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), flush=True)
    else:
        sys.exit(__doc__)
