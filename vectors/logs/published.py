"""Published logs and statement proofs by a second implementation: docs/formats/published-log.md read anew, in Python.

It shares no code with the product: Ed25519 is that of the package cryptography (48.0.0), the rest the standard library's.
"""

import base64
import datetime
import pathlib
import shutil
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from second import b64, canonical, path, seal_all, sha, tree  # noqa: E402

DAY = datetime.datetime(2026, 11, 22, tzinfo=datetime.timezone.utc)


def unix(second):
    """The Unix time of a second of the vectors' day."""
    return int(DAY.timestamp()) + second


def moment(second):
    return (DAY + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- keys, notes, checkpoints -----------------------------------------------------------------------------------------


class Key:
    """A key grown from a published, worthless seed. Kind 1 signs for a log, kind 4 for a witness."""

    def __init__(self, name, kind, seed=None):
        self.name, self.kind = name, kind
        self.secret = Ed25519PrivateKey.from_private_bytes(sha((seed or f"the seed of {name}").encode()))
        public = bytes([kind]) + self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = sha(name.encode(), b"\n", public)[:4]
        self.text = f"{name}+{self.id.hex()}+{base64.b64encode(public).decode()}"

    def line(self, payload):
        return f"\u2014 {self.name} {base64.b64encode(self.id + payload).decode()}\n"

    def sign(self, text):
        return self.line(self.secret.sign(text.encode()))

    def cosign(self, text, time):
        signed = self.secret.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
        return self.line(time.to_bytes(8, "big") + signed)


def checkpoint_text(origin, size, root):
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def leaf_hash(entry):
    return sha(b"\0", entry)


# --- a log ------------------------------------------------------------------------------------------------------------


class Log:
    """A log in memory. `tree` of second.py hashes a leaf itself, so it is given entries."""

    def __init__(self, name, **genesis):
        self.origin = f"vectors.placet.example/{name}"
        self.key = Key(self.origin, 1)
        self.entries, self.values = [], []
        self.rosters, self.sides, self.cosigned, self.seeds = {}, [], [], []
        self.genesis = {"type": "genesis", "v": 1, "origin": self.origin, **genesis}
        self.add(self.genesis)

    def add(self, value):
        self.values.append(value)
        self.entries.append(canonical(value).encode())
        return len(self.entries) - 1

    def size(self):
        return len(self.entries)

    def text(self, size=None):
        size = self.size() if size is None else size
        return checkpoint_text(self.origin, size, tree(self.entries[:size]))

    def note(self, cosigners=(), size=None, key=None):
        """The checkpoint with the cosignatures of (key, second) pairs."""
        text = self.text(size)
        lines = [(key or self.key).sign(text)] + [w.cosign(text, unix(second)) for w, second in cosigners]
        return text + "\n" + "".join(lines)

    def roster(self, second, slots, side=None):
        lines = "".join(canonical({"camera": camera, "slot": slot}) + "\n" for camera, slot in slots)
        side = lines if side is None else side
        digest = sha(side.encode())
        self.rosters[digest] = side
        self.add({"type": "roster", "v": 1, "t": moment(second), "of": "cameras", "count": len(slots), "digest": b64(digest)})
        self.newest = digest

    def witnesses(self, second, policy, count):
        digest = sha(policy.encode())
        self.rosters[digest] = policy
        self.add({"type": "roster", "v": 1, "t": moment(second), "of": "witnesses", "count": count, "digest": b64(digest)})

    def tick(self, second, states, roster=None, slots=None):
        """Seals the states (slot -> state; the rest unused) for the interval that starts at `second`."""
        n = len(self.sides)
        seed = sha(self.origin.encode(), b" tick ", str(n).encode())
        capacity = self.genesis["slots"]
        listed = [states.get(slot, {"state": "unused"}) for slot in range(capacity)]
        slots = slots or seal_all(seed, n, listed, capacity)
        interval, delay = self.genesis["interval"], self.genesis["reveal_delay"]
        self.add({"type": "tick", "v": 1, "n": n, "t": moment(second), "roster": b64(roster or self.newest),
                  "slots": b64(tree(slots)), "reveal_by": moment(second + interval + delay)})
        self.sides.append(slots)
        self.seeds.append(seed)
        return n

    def reveal(self, second, n):
        return self.add({"type": "reveal", "v": 1, "t": moment(second), "n": n, "seed": b64(self.seeds[n])})

    def event(self, second, kind, **rest):
        name = f"{self.origin} event {self.size()}".encode()
        return self.add({"type": "event", "v": 1, "t": moment(second), "kind": kind, "id": b64(sha(name)[:16]),
                         "c": b64(sha(name, b" record")), **rest})


# --- the folder -------------------------------------------------------------------------------------------------------


def number(index):
    text = f"{index % 1000:03}"
    while index >= 1000:
        index //= 1000
        text = f"x{index % 1000:03}/" + text
    return text


def bundle(items):
    return b"".join(len(item).to_bytes(2, "big") + item for item in items)


def rows(items):
    """(number in a path, items) of each full 256 and of the rest."""
    for start in range(0, len(items), 256):
        part = items[start:start + 256]
        yield number(start // 256) + ("" if len(part) == 256 else f".p/{len(part)}"), part


def files(log, checkpoint):
    """Every file of the published folder by its path."""
    out = {"checkpoint": checkpoint.encode()}
    for name, part in rows(log.entries):
        out[f"tile/entries/{name}"] = bundle(part)
    level, hashes = 0, [leaf_hash(entry) for entry in log.entries]
    while hashes:
        for name, part in rows(hashes):
            out[f"tile/{level}/{name}"] = b"".join(part)
        full = range(0, len(hashes) // 256 * 256, 256)
        hashes, level = [join(hashes[at:at + 256]) for at in full], level + 1
    for name, part in rows([b"".join(side) for side in log.sides]):
        out[f"slots/{name}"] = b"".join(part)
    for name, part in rows(log.cosigned):
        out[f"cosigned/{name}"] = bundle([item.encode() for item in part])
    for digest, side in log.rosters.items():
        out[f"roster/{digest.hex()}"] = side.encode()
    return out


def join(hashes):
    while len(hashes) > 1:
        hashes = [sha(b"\1", hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def write(folder, contents):
    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


# --- statement proofs -------------------------------------------------------------------------------------------------


def find(log, wanted):
    return [index for index, value in enumerate(log.values) if wanted(value)]


def included(log, index):
    hashes = [b64(node) for node in path(log.entries, index)]
    return {"index": index, "entry": log.entries[index].decode(), "path": hashes}


def statement(log, checkpoint, camera, at):
    """What the log can show about the camera at the second `at`, everything optional with it."""
    proof = {"type": "statement-proof", "v": 1, "camera": camera, "at": moment(at), "checkpoint": checkpoint,
             "genesis": included(log, 0)}
    ticks = find(log, lambda v: v["type"] == "tick")
    before = [index for index in ticks if log.values[index]["t"] <= moment(at)]
    over = bool(before) and moment(at - log.genesis["interval"]) >= log.values[before[-1]]["t"]
    if (not before or over) and len(before) < len(ticks):
        proof["next"] = included(log, ticks[len(before)])
    if not before:
        return proof
    tick = log.values[before[-1]]
    n, digest = tick["n"], tick["roster"]
    side = next(side for key, side in log.rosters.items() if b64(key) == digest)
    proof |= {"tick": included(log, before[-1]), "roster": side}
    if over:
        return proof
    if n < len(log.cosigned) and log.cosigned[n]:
        item = log.cosigned[n]
        size = int(item.split("\n")[1])
        proof["cosigned"] = {"checkpoint": item, "path": [b64(h) for h in path(log.entries[:size], before[-1])]}
    slot = slot_of(side, camera)
    if slot is None:
        return proof
    slots = log.sides[n]
    proof["slot"] = {"bytes": b64(slots[slot]), "path": [b64(node) for node in path(slots, slot)]}
    for index in find(log, lambda v: v["type"] == "reveal" and v["n"] == n):
        proof["reveal"] = included(log, index)
        order = order_event(log, before[-1], n, slot, camera)
        if order is not None:
            proof["order"] = included(log, order)
    return proof


def slot_of(side, camera):
    for line in side.splitlines():
        if line.startswith(f'{{"camera":"{camera}",'):
            return int(line.split(":")[-1].rstrip("}"))
    return None


def order_event(log, before, n, slot, camera):
    """The last event before the tick that names the slot's order, camera and purpose; else the first after it."""
    state = log.states[n].get(slot, {})
    if state.get("state") != "on":
        return None

    def names(value):
        public = value.get("public", {})
        order = b64(bytes.fromhex(state["order"]))
        return public.get("order") == order and public["purpose"] == state["purpose"] and camera in public["cameras"]

    found = find(log, names)
    return max([i for i in found if i < before], default=min(found, default=None))
