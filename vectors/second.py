"""A second implementation of what every log of Placet is made of, in Python and openssl: the vectors' makers share it.

It shares no code with the product. Canonical JSON (RFC 8785) needs no library here, since all keys are ASCII and all
numbers whole.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import tempfile

PKCS8 = bytes.fromhex("302e020100300506032b657004220420")  # RFC 8410: what precedes an Ed25519 seed


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def expand(key, info, length):
    out, block, number = b"", b"", 1
    while len(out) < length:
        block = mac(key, block, info, bytes([number]))
        out, number = out + block, number + 1
    return out[:length]


def hkdf(secret, info, length=32):
    return expand(mac(bytes(32), secret), info, length)


def vkey(name, seed):
    """The verifier key of a published, worthless seed."""
    with tempfile.TemporaryDirectory() as folder:
        key = pathlib.Path(folder, "key")
        key.write_bytes(PKCS8 + seed)
        args = ["openssl", "pkey", "-inform", "DER", "-in", str(key), "-pubout", "-outform", "DER"]
        public = subprocess.run(args, check=True, capture_output=True).stdout[-32:]
    key_id = sha(name.encode(), b"\n\x01", public)[:4].hex()
    return f"{name}+{key_id}+" + base64.b64encode(b"\x01" + public).decode()


# --- slots ------------------------------------------------------------------------------------------------------------

PURPOSES = ["victim_search", "missing_person", "threat", "terrorist_threat", "suspect", "convict"]


def plain(state):
    if state["state"] != "on":
        return bytes([1, ["unused", "off", None, "unknown"].index(state["state"])]) + bytes(94)
    head = bytes([1, 2, 1 + PURPOSES.index(state["purpose"]), 0]) + bytes.fromhex(state["order"])
    for key, size in [("frames_compared", 4), ("candidates", 2), ("confirmed", 2), ("rejected", 2)]:
        head += state[key].to_bytes(size, "big")
    return head + bytes(50)


def seal(salt, tick, slot, text):
    tag = mac(salt, b"placet/v1/slot\0", tick.to_bytes(8, "big"), slot.to_bytes(4, "big"), text)
    stream = expand(salt, b"placet/v1/slot-pad\0" + tag, 96)
    return tag + bytes(a ^ b for a, b in zip(text, stream))


def salt(seed, slot):
    return mac(seed, b"placet/v1/slot-salt\0", slot.to_bytes(4, "big"))


def seal_all(seed, tick, states, capacity):
    states = states + [{"state": "unused"}] * (capacity - len(states))
    return [seal(salt(seed, i), tick, i, plain(state)) for i, state in enumerate(states)]


def tree(leaves):
    if len(leaves) == 1:
        return sha(b"\0", leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1", tree(leaves[:split]), tree(leaves[split:]))


def path(leaves, i):
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if i < split:
        return path(leaves[:split], i) + [tree(leaves[split:])]
    return path(leaves[split:], i - split) + [tree(leaves[:split])]
