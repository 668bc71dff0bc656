#!/usr/bin/env python3
"""Makes deposits.json: deposits sealed by a second implementation, the Python package cryptography (48.0.0).

Run it in this folder: python3 make.py. HPKE draws fresh random bytes, so its output differs every time; what the
files hold is the same.
"""

import base64
import hashlib
import json
import pathlib

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
PLAIN = 4352
ORIGIN = "vectors.placet.example/log"
EVENT = bytes(range(16))


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def clamp(seed):
    return bytes([seed[0] & 248]) + seed[1:31] + bytes([seed[31] & 127 | 64])


SECRET = clamp(hashlib.sha256(b"an oversight body").digest())  # published, worthless
KEY = X25519PrivateKey.from_private_bytes(SECRET).public_key()
RAW = KEY.public_bytes(Encoding.Raw, PublicFormat.Raw)


def whole(record, kind="request"):
    value = {"kind": kind, "record": record, "secret": b64(hashlib.sha256(b"a secret").digest()), "v": 1}
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def pad(text):
    return (len(text).to_bytes(2, "big") + text).ljust(PLAIN, b"\0")


def case(why, expect, plain, stated, origin=ORIGIN, event=EVENT):
    info = b"placet/v1/deposit\0" + origin.encode() + b"\0" + event
    sealed = SUITE.encrypt(plain, KEY, info=info)
    file = b"placet-deposit-v1\n" + hashlib.sha256(RAW).digest()[:8] + sealed
    return {"why": why, "expect": expect, "origin": ORIGIN, "event_id": EVENT.hex(), "key": "placet-oversight-v1+" + b64(RAW),
            "secret_key": "PRIVATE+placet-oversight-v1+" + b64(SECRET), "whole": stated, "file": file.hex()}


ONE, NONE, OTHER = whole({"case_number": "2026/117", "officer": "Ana Çelik"}), whole({}), whole({"case_number": "2026/118"})
FULL = whole({chr(97 + i) * 8: "x" * 240 for i in range(16)})
good = ONE.encode()
CASES = [
    case("a record", "accept", pad(good), ONE),
    case("no field", "accept", pad(NONE.encode()), NONE),
    case("as long as a record can nearly be", "accept", pad(FULL.encode()), FULL),
    case("another log", "sealed", pad(good), ONE, origin="vectors.placet.example/other"),
    case("another event", "sealed", pad(good), ONE, event=bytes(16)),
    case("padding that is not zero", "padding", pad(good)[:-1] + b"\1", ONE),
    case("a length beyond the end", "padding", b"\x10\xff" + pad(good)[2:], ONE),
    case("a length too short by one", "padding", (len(good) - 1).to_bytes(2, "big") + pad(good)[2:], ONE),
    case("no record", "record", pad(b"nothing"), ONE),
    case("a record that is not canonical", "record", pad(good.replace(b":", b": ", 1)), ONE),
    case("another record", "commitment", pad(OTHER.encode()), ONE),
    case("another kind", "commitment", pad(whole({"case_number": "2026/117", "officer": "Ana Çelik"}, "note").encode()), ONE),
]
pathlib.Path("deposits.json").write_text(json.dumps(CASES, indent=1, ensure_ascii=False) + "\n")
