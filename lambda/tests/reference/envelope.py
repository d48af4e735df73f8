"""The envelope once more, from its description and Python's `cryptography`, to hold the Rust one to it.

envelope.py seal VERSION MATERIAL SALT PLAINTEXT [NAME=VALUE ...]   prints the text form (arguments are UTF-8)
envelope.py open MATERIAL TEXT [NAME=VALUE ...]                     prints the plaintext

The known answer: envelope.py seal 7 0123456789abcdefghijklmnopqrstuv abcdefghijklmnopqrstuvwxyzABCDEF \
    'attack at dawn' b=2 a=1 > known_answer.txt
"""

import base64
import hmac
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEYRING = b"ring"


def number(value):
    return value.to_bytes(4, "big")


def derive(material, salt, label, version):
    info = b"plumb:v1:" + label + b":" + number(len(KEYRING)) + KEYRING + number(version)
    return HKDF(SHA512(), 32, salt, info).derive(material)


def associated(version, context):
    data = b"\x01" + number(version) + number(len(context))
    for name, value in sorted(context.items()):
        data += number(len(name)) + name + number(len(value)) + value
    return data


def seal(version, material, salt, plaintext, context):
    key = derive(material, salt, b"message-key", version)
    sealed = AESGCM(key).encrypt(bytes(12), plaintext, associated(version, context))
    body = salt + derive(material, salt, b"commitment", version) + sealed
    return f"plumb:v1:{version}:" + base64.urlsafe_b64encode(body).decode().rstrip("=")


def unseal(material, text, context):
    _, _, version, body = text.split(":")
    body = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    salt, commitment, sealed = body[:32], body[32:64], body[64:]
    assert hmac.compare_digest(commitment, derive(material, salt, b"commitment", int(version)))
    key = derive(material, salt, b"message-key", int(version))
    return AESGCM(key).decrypt(bytes(12), sealed, associated(int(version), context))


if __name__ == "__main__":
    command, *words = [word.encode() for word in sys.argv[1:]]
    fixed, pairs = (words[:4], words[4:]) if command == b"seal" else (words[:2], words[2:])
    pairs = dict(pair.split(b"=", 1) for pair in pairs)
    if command == b"seal":
        print(seal(int(fixed[0]), *fixed[1:], pairs))
    else:
        sys.stdout.buffer.write(unseal(fixed[0], fixed[1].decode(), pairs))
