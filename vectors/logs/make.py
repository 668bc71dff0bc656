#!/usr/bin/env python3
"""Makes the vectors of this folder: published logs, what they state, and statement proofs, most of them broken.

Run it in this folder: python3 make.py. Needs the package cryptography. Its output is the same bytes every time.
"""

import copy
import json
import pathlib
import shutil

from logs import (ALFA_1, ALFA_2, AUTHORITY, BETA, BOMB, CHILD, OPEN_TICKS, STRANGER, all_logs, false_name, open_start, policy,
                  sealed_start, upside_down)
from published import Key, b64, files, included, moment, path, sha, statement, write
from second import canonical

LOGS = all_logs()
OPEN, SEALED, LYING = LOGS["open"], LOGS["sealed"], LOGS["lying"]
PROOFS = pathlib.Path("proofs")
shutil.rmtree(PROOFS, ignore_errors=True)
PROOFS.mkdir()
cases = []


def save(name, data):
    (PROOFS / name).write_bytes(data if isinstance(data, bytes) else data.encode())


# --- what the logs state ----------------------------------------------------------------------------------------------


def accept(name, log, camera, at, answer, reads="", now=None, **expect):
    """A question, its proof, and what follows from it. `witnessed` is a second of the vectors' day."""
    kind = log.origin.split("/")[-1]
    if "witnessed" in expect and expect["witnessed"] is not None:
        expect["in_time"] = expect["witnessed"] <= at
        expect["witnessed"] = moment(expect["witnessed"])
    save(f"accept-{name}.json", canonical(statement(log, log.checkpoint, camera, at)))
    cases.append({"file": f"accept-{name}.json", "log": kind, "policy": f"{kind}{reads}.policy", "camera": camera,
                  "at": moment(at), "now": moment(log.now if now is None else now), "expect": {"answer": answer, **expect}})


def searched(order, purpose, minute, authority):
    counts = {"frames_compared": 1500 * bool(minute), "candidates": minute // 3, "confirmed": minute // 9, "rejected": minute // 4}
    return {"purpose": purpose, "order": order.hex(), **counts, "authority": authority}


O, S = open_start, sealed_start
accept("off", OPEN, "hall-north", O(5) + 30, "off", witnessed=O(5) - 3)
accept("off-first-second", OPEN, "gate.2_b", O(0), "off", witnessed=O(0) - 3)
accept("off-last-second", OPEN, "gate.2_b", O(69) + 59, "off", witnessed=O(69) - 3)
accept("off-after-gap", OPEN, "yard", O(70), "off", witnessed=O(70) - 3)
accept("off-not-in-time", OPEN, "hall-north", O(40) + 20, "off", witnessed=O(40) + 21)
accept("off-just-in-time", OPEN, "hall-north", O(40) + 21, "off", witnessed=O(40) + 21)
accept("off-beside-a-search", OPEN, "yard", O(35), "off", witnessed=O(35) - 3)
accept("off-unwitnessed-item", OPEN, "yard", O(33), "off", witnessed=OPEN.now)
accept("off-unwitnessed", OPEN, "hall-north", O(5) + 30, "off", reads="-unwitnessed", witnessed=None, in_time=False)
accept("off-second-roster", OPEN, "annex", O(90), "off", witnessed=O(90) - 3)
accept("on", OPEN, "hall-north", O(34) + 5, "on", witnessed=O(34) - 3, **searched(CHILD, "missing_person", 4, AUTHORITY))
accept("on-first-minute", OPEN, "gate.2_b", O(30), "on", witnessed=O(30) - 3, **searched(CHILD, "missing_person", 0, AUTHORITY))
accept("on-no-public-order", OPEN, "yard", O(51), "on", witnessed=O(51) - 3, **searched(BOMB, "threat", 2, None))
accept("no-answer", OPEN, "yard", O(21) + 1, "unknown", reason="no-answer", witnessed=O(21) - 3)
accept("gap", OPEN, "hall-north", O(70) - 1, "unknown", reason="gap")
accept("gap-first-second", OPEN, "hall-north", O(69) + 60, "unknown", reason="gap")
accept("before", OPEN, "hall-north", O(0) - 1, "unknown", reason="before")
accept("not-yet", OPEN, "hall-north", O(OPEN_TICKS - 1) + 60, "unknown", reason="not-yet")
accept("not-a-camera", OPEN, "lift-3", O(5), "unknown", reason="not-a-camera", witnessed=O(5) - 3)
accept("not-a-camera-yet", OPEN, "annex", O(89) + 59, "unknown", reason="not-a-camera", witnessed=O(89) - 3)
accept("not-a-camera-any-more", OPEN, "gate.2_b", O(90), "unknown", reason="not-a-camera", witnessed=O(90) - 3)
accept("overdue", OPEN, "hall-north", O(100), "unknown", reason="overdue", reveal_by=moment(O(100) + 360), witnessed=O(100) - 3)
accept("not-overdue-in-its-last-second", OPEN, "hall-north", O(100), "will-be-shown", now=O(100) + 360,
       reveal_by=moment(O(100) + 360), witnessed=O(100) - 3)
accept("overdue-a-second-later", OPEN, "hall-north", O(100), "unknown", now=O(100) + 361, reason="overdue",
       reveal_by=moment(O(100) + 360), witnessed=O(100) - 3)
LAST = OPEN_TICKS - 1
accept("last-tick", OPEN, "hall-north", O(LAST) + 59, "will-be-shown", reveal_by=moment(O(LAST) + 360), witnessed=OPEN.now)
accept("sealed-off", SEALED, "hall-north", S(6), "off", witnessed=S(6) - 3)
accept("sealed-on", SEALED, "gate.2_b", S(6) + 1, "on", witnessed=S(6) - 3, **searched(CHILD, "suspect", 2, AUTHORITY))
accept("sealed-will-be-shown", SEALED, "yard", S(41), "will-be-shown", reveal_by=moment(S(41) + 3660), witnessed=S(41) - 3)
accept("sealed-will-be-shown-off", SEALED, "hall-north", S(41), "will-be-shown", reveal_by=moment(S(41) + 3660), witnessed=S(41) - 3)
accept("sealed-overdue", SEALED, "hall-north", S(12), "unknown", reason="overdue", reveal_by=moment(S(12) + 3660), witnessed=S(12) - 3)
accept("sealed-before", SEALED, "hall-north", 0, "unknown", reason="before")
accept("misbehaved-no-camera", LYING, "gate.2_b", 120, "misbehaved", reason="no-camera", witnessed=LYING.now)
accept("misbehaved-does-not-open", LYING, "gate.2_b", 180, "misbehaved", reason="does-not-open", witnessed=LYING.now)
accept("misbehaved-no-slot", LYING, "gate.2_b", 240, "misbehaved", reason="no-slot", witnessed=LYING.now)

# --- broken proofs ----------------------------------------------------------------------------------------------------


def reject(name, proof, part, why, log=OPEN, now=None):
    """`part` is the key of the proof that is at fault, or `file` for its form."""
    kind = log.origin.split("/")[-1]
    save(f"reject-{name}.json", proof if isinstance(proof, (str, bytes)) else canonical(proof))
    cases.append({"file": f"reject-{name}.json", "log": kind, "policy": f"{kind}.policy",
                  "now": moment(log.now if now is None else now), "expect": "reject", "part": part, "why": why})


def base(camera="hall-north", at=O(5) + 30, log=OPEN, checkpoint=None, bare=True):
    proof = statement(log, checkpoint or log.checkpoint, camera, at)
    if bare:
        proof.pop("cosigned", None)
    return proof


def but(proof, **changes):
    """The proof with some keys changed, or left out for `...`; `slot__path` is a key within a key."""
    proof = copy.deepcopy(proof)
    for key, value in changes.items():
        *within, last = key.split("__")
        inner = proof
        for step in within:
            inner = inner[step]
        if value is ...:
            del inner[last]
        else:
            inner[last] = value
    return proof


def entry_of(wanted, log=OPEN):
    return included(log, next(i for i, value in enumerate(log.values) if wanted(value)))


def tick_entry(n, log=OPEN):
    return entry_of(lambda v: v["type"] == "tick" and v["n"] == n, log)


def reveal_entry(n):
    return entry_of(lambda v: v["type"] == "reveal" and v["n"] == n)


def event_entry(kind):
    return entry_of(lambda v: v.get("kind") == kind)


def flip(text):
    """Another base64url letter in front: other bytes in a good spelling."""
    return ("B" if text[0] == "A" else "A") + text[1:]


def other_history(log, size):
    """The log's first entries with one of them another."""
    other = copy.copy(log)
    other.entries = log.entries[:size]
    other.entries[size // 2] = canonical({**log.values[1], "t": moment(7)}).encode()
    return other


OFF, ON, GAP, NOBODY = base(), base(at=O(34)), base(at=O(70) - 1), base("lift-3")
FULL = base(bare=False)
TEXT = canonical(OFF)
OTHER_TICK, OTHER_CAMERA = base(at=O(7)), base("gate.2_b")

# The form of the file.
reject("empty", "", "file", "nothing")
reject("list", f"[{TEXT}]", "file", "a list around the object")
reject("bom", "\ufeff" + TEXT, "file", "a byte order mark")
reject("not-utf8", TEXT.encode().replace(b"hall-north", b"hall-\xff", 1), "file", "a byte that no UTF-8 has")
reject("newline", TEXT + "\n", "file", "a newline at the end")
reject("space", TEXT.replace(":", ": ", 1), "file", "a space after a colon")
reject("unsorted", '{"v":1,' + canonical(but(OFF, v=...))[1:], "file", "keys out of order")
reject("escape", TEXT.replace("statement-proof", "statement\\u002dproof"), "file", "a letter spelt as an escape")
reject("key-twice", TEXT.replace('"at":', '"at":"2026-11-22T00:06:30Z","at":', 1), "file", "a key twice")
reject("key-twice-within", TEXT.replace('"index":', '"index":0,"index":', 1), "file", "a key twice, within an entry")
reject("extra-key", but(OFF, answer="off"), "file", "a key that no proof has: it holds no answer")
reject("extra-key-within", but(OFF, slot__slot=0), "slot", "a key that no slot has")
reject("extra-key-in-entry", but(OFF, tick__leaf_hash=b64(bytes(32))), "tick", "a key that no entry has")
reject("null", but(OFF, next=None), "next", "null for what is not there")
reject("type", but(OFF, type="statement"), "type", "another type")
reject("version", but(OFF, v=2), "v", "a version to come")
reject("camera-name", but(OFF, camera="Hall North"), "camera", "no camera's name")
reject("at-no-day", but(OFF, at="2026-11-31T00:06:30Z"), "at", "a day that the calendar has not")
reject("at-fraction", but(OFF, at="2026-11-22T00:06:30.5Z"), "at", "a fraction of a second")
reject("no-checkpoint", but(OFF, checkpoint=...), "checkpoint", "no checkpoint")
reject("no-genesis", but(OFF, genesis=...), "genesis", "no genesis")
reject("index-as-text", but(OFF, tick__index="11"), "tick", "a number as text")
reject("index-negative", TEXT.replace(f'"index":{OFF["tick"]["index"]}', '"index":-1'), "tick", "a negative number")
reject("index-fraction", TEXT.replace(f'"index":{OFF["tick"]["index"]}', '"index":1.5'), "tick", "a fraction")
reject("path-null", but(OFF, tick__path=None), "tick", "null for a path")
reject("path-short-hash", but(OFF, slot__path=[b64(bytes(31))] + OFF["slot"]["path"][1:]), "slot", "a hash of 31 bytes")
reject("padded", but(OFF, slot__path=[OFF["slot"]["path"][0] + "="] + OFF["slot"]["path"][1:]), "slot", "base64 with padding")
reject("leftover-bits", but(OFF, slot__bytes=OFF["slot"]["bytes"][:-1] + "B"), "slot", "leftover bits that are not zero")
reject("standard-alphabet", but(OFF, slot__bytes="/" + OFF["slot"]["bytes"][1:]), "slot", "the other base64 alphabet")
reject("path-of-64", but(OFF, tick__path=[b64(bytes(32))] * 64), "tick", "more hashes than a path can have")

# The checkpoint.
text = OPEN.text()
reject("quorum-none", base(checkpoint=OPEN.note()), "checkpoint", "no witness has seen it")
reject("quorum-one-organisation", base(checkpoint=OPEN.note([(ALFA_1, OPEN.now), (ALFA_2, OPEN.now)])), "checkpoint",
       "two witnesses of one organisation")
reject("quorum-stranger", base(checkpoint=OPEN.note([(ALFA_1, OPEN.now), (STRANGER, OPEN.now)])), "checkpoint",
       "a witness that the policy does not have")
reject("witness-imposter", base(checkpoint=OPEN.note([(ALFA_1, OPEN.now), (Key(BETA.name, 4, "an imposter"), OPEN.now)])),
       "checkpoint", "a witness's name over another key")
forged = OPEN.key.sign(text) + ALFA_1.cosign(text, 1) + BETA.line((2).to_bytes(8, "big") + bytes(64))
reject("cosignature-broken", base(checkpoint=f"{text}\n{forged}"), "checkpoint", "a known witness's cosignature that does not fit")
reject("cosignature-time", base(checkpoint=f"{text}\n{OPEN.key.sign(text)}{ALFA_1.cosign(text, 2**63)}{BETA.cosign(text, 1)}"),
       "checkpoint", "a time that no clock tells")
reject("cosigned-as-the-log", base(checkpoint=f"{text}\n{OPEN.key.sign(text)}{ALFA_1.sign(text)}{BETA.sign(text)}"),
       "checkpoint", "witnesses' keys, but plain signatures")
reject("log-signed-twice", base(checkpoint=OPEN.checkpoint + OPEN.key.sign(text)), "checkpoint", "the log's line twice")
reject("log-key-unknown", base(checkpoint=OPEN.note([(ALFA_1, 1), (BETA, 1)], key=Key(OPEN.origin, 1, "another key"))),
       "checkpoint", "the log's name over a key that the policy does not have")
reject("other-origin", but(OFF, checkpoint=SEALED.checkpoint), "checkpoint", "another log's checkpoint")
reject("root-changed", but(OFF, checkpoint=OPEN.checkpoint.replace(text.split("\n")[2], "A" + text.split("\n")[2][1:])),
       "checkpoint", "another root under the same signatures")
reject("size-changed", but(OFF, checkpoint=OPEN.checkpoint.replace(f"\n{OPEN.size()}\n", f"\n{OPEN.size() + 1}\n")),
       "checkpoint", "another size under the same signatures")


def signed(body):
    return f"{body}\n{OPEN.key.sign(body)}{ALFA_1.cosign(body, 1)}{BETA.cosign(body, 1)}"


reject("size-too-large", base(checkpoint=signed(text.replace(f"\n{OPEN.size()}\n", f"\n{OPEN.size() + 256}\n"))), "genesis",
       "a tree of another size than the paths are for")
reject("extension-line", base(checkpoint=signed(text + "extension\n")), "checkpoint", "a fourth line")
reject("size-leading-zero", base(checkpoint=signed(text.replace(f"\n{OPEN.size()}\n", f"\n0{OPEN.size()}\n"))), "checkpoint",
       "a leading zero")
reject("checkpoint-cut", but(OFF, checkpoint=OPEN.checkpoint[:-1]), "checkpoint", "the last newline is missing")
reject("checkpoint-base64", but(OFF, checkpoint=OPEN.checkpoint.replace("=\n\n", "\n\n", 1)), "checkpoint", "base64 without padding")
reject("older-checkpoint", but(OFF, checkpoint=signed(OPEN.text(OFF["tick"]["index"]))), "genesis",
       "a checkpoint that was there before the tick")

# The genesis.
reject("genesis-other-entry", but(OFF, genesis=included(OPEN, 1)), "genesis", "an entry that is no genesis")
reject("genesis-other-log", but(OFF, genesis=included(SEALED, 0)), "genesis", "another log's genesis")
reject("genesis-changed", but(OFF, genesis__entry=OFF["genesis"]["entry"].replace('"slots":8', '"slots":7')), "genesis",
       "a genesis that is not in the log")
reject("genesis-index", but(OFF, genesis__index=1), "genesis", "the genesis at another place")
reject("genesis-path", but(OFF, genesis__path=OFF["genesis"]["path"][:-1]), "genesis", "a hash too few")

# The tick and the next one.
reject("tick-index", but(OFF, tick__index=OFF["tick"]["index"] + 1), "tick", "the path of another place")
reject("tick-path-long", but(OFF, tick__path=OFF["tick"]["path"] + [b64(bytes(32))]), "tick", "a hash too many")
reject("tick-path-changed", but(OFF, tick__path=[flip(OFF["tick"]["path"][0])] + OFF["tick"]["path"][1:]), "tick", "another hash")
reject("tick-is-a-reveal", but(OFF, tick=reveal_entry(5)), "tick", "a reveal where the tick belongs")
reject("tick-spelt-otherwise", but(OFF, tick__entry=OFF["tick"]["entry"].replace(":", ": ", 1)), "tick", "an entry that is not canonical")
reject("tick-roster-changed", but(OFF, tick__entry=OFF["tick"]["entry"].replace('"roster":"', '"roster":"A', 1)[:]), "tick",
       "a tick whose roster is no digest")
reject("tick-later", but(base(at=O(5) + 30), at=moment(O(5) - 1)), "tick", "a tick that starts after the instant")
reject("tick-earlier", but(OFF, at=moment(O(6))), "slot", "a slot, and the instant is after the tick's interval")
reject("tick-without-roster", but(NOBODY, roster=...), "roster", "a tick without its roster")
reject("next-not-needed", but(OFF, next=tick_entry(6)), "next", "the next tick, and the instant is in the tick")
reject("next-skips", but(GAP, next=tick_entry(71)), "next", "a next tick that is not the next")
reject("next-is-the-tick", but(GAP, next=GAP["tick"]), "next", "the tick itself as the next")
reject("next-is-in-time", but(base(at=O(69) + 60), tick=tick_entry(68), next=tick_entry(69)), "next",
       "an earlier tick, to make a gap of a stated minute")
reject("next-hides-the-first", but(base(at=O(0) - 1), at=moment(O(0))), "next", "a first tick that starts at the instant")
reject("next-is-not-the-first", but(base(at=O(0) - 1), next=tick_entry(1)), "next", "a second tick as the first")
reject("roster-without-tick", but(base(at=O(0) - 1), roster=OFF["roster"]), "roster", "a roster, and no tick")
reject("slot-without-tick", but(base(at=O(0) - 1), slot=OFF["slot"]), "slot", "a slot, and no tick")
reject("slot-in-a-gap", but(GAP, slot=OFF["slot"]), "slot", "a slot in a gap")
reject("reveal-in-a-gap", but(GAP, reveal=reveal_entry(69)), "reveal", "a reveal in a gap")
reject("cosigned-in-a-gap", but(GAP, cosigned=base(at=O(69), bare=False)["cosigned"]), "cosigned", "a witnessing in a gap")

# The roster and the slot.
reject("roster-other", but(OFF, roster=base(at=O(90))["roster"]), "roster", "a roster of another digest")
reject("roster-changed", but(OFF, roster=OFF["roster"].replace("hall-north", "hall-south")), "roster", "a camera with another name")
reject("roster-empty", but(NOBODY, roster=""), "roster", "an empty roster")
reject("camera-swapped", but(OFF, camera="gate.2_b"), "slot", "another camera's slot")
reject("camera-not-listed", but(OFF, camera="lift-3"), "slot", "a slot of a camera that is not on the roster")
reject("slot-left-out", but(OFF, slot=..., reveal=...), "slot", "a camera on the roster, and no slot")
reject("slot-bytes", but(OFF, slot__bytes=flip(OFF["slot"]["bytes"])), "slot", "other bytes")
reject("slot-short", but(OFF, slot__bytes=OFF["slot"]["bytes"][:-2]), "slot", "too few bytes")
reject("slot-path-of-another", but(OFF, slot__path=OTHER_CAMERA["slot"]["path"]), "slot", "the path of another slot")
reject("slot-path-short", but(OFF, slot__path=OFF["slot"]["path"][:-1]), "slot", "a hash too few")
reject("slot-path-long", but(OFF, slot__path=OFF["slot"]["path"] + [b64(bytes(32))]), "slot", "a hash too many")
reject("slot-of-another-tick", but(OFF, slot=OTHER_TICK["slot"]), "slot", "the slot of another tick")
reject("slot-of-another-camera", but(OFF, slot=OTHER_CAMERA["slot"]), "slot", "another camera's slot with its path")

# The reveal and the order.
reject("reveal-of-another-tick", but(OFF, reveal=reveal_entry(6)), "reveal", "the reveal of another tick")
reject("reveal-seed", but(OFF, reveal__entry=OFF["reveal"]["entry"].replace('"seed":"', '"seed":"A', 1)), "reveal", "no seed")
seed = json.loads(OFF["reveal"]["entry"])["seed"]
reject("reveal-other-seed", but(OFF, reveal__entry=OFF["reveal"]["entry"].replace(seed, flip(seed))), "reveal", "another seed")
reject("reveal-is-a-tick", but(OFF, reveal=OFF["tick"]), "reveal", "a tick where the reveal belongs")
reject("reveal-not-needed", but(NOBODY, reveal=reveal_entry(5)), "reveal", "a reveal, and no slot to open")
reject("order-beside-off", but(OFF, order=event_entry("authorisation")), "order", "an order in a statement of off")
reject("order-without-reveal", but(base(at=O(100)), order=event_entry("opening")), "order", "an order, and nothing opened")
reject("order-not-public", but(ON, order=event_entry("request")), "order", "an event that names no order")
reject("order-of-another", but(base("yard", O(51)), order=event_entry("opening")), "order", "another order's event")
reject("order-is-a-tick", but(ON, order=ON["tick"]), "order", "a tick where the event belongs")
reject("order-path", but(ON, order__path=ON["order"]["path"][::-1]), "order", "hashes in another order")

# What the witnesses had seen.
ITEM = FULL["cosigned"]["checkpoint"]
reject("cosigned-of-another-tick", but(FULL, cosigned=base(at=O(7), bare=False)["cosigned"]), "cosigned", "another tick's item")
reject("cosigned-too-early", but(FULL, cosigned=base(at=O(4), bare=False)["cosigned"]), "cosigned", "an item of a tree without the tick")
reject("cosigned-path", but(FULL, cosigned__path=FULL["tick"]["path"]), "cosigned", "the path under the other checkpoint")
reject("cosigned-signature", but(FULL, cosigned__checkpoint=ITEM.replace(ITEM.split("\n")[2], "A" + ITEM.split("\n")[2][1:])),
       "cosigned", "another root under the same signatures")
reject("cosigned-other-log", but(FULL, cosigned__checkpoint=SEALED.checkpoint), "cosigned", "another log's checkpoint")
LATER = OPEN.note([(ALFA_1, 1), (BETA, 2)], size=OPEN.size() - 1)
size = OFF["tick"]["index"] + 40
SMALL = statement(OPEN, OPEN.note([(ALFA_1, 1), (BETA, 2)], size=size), "hall-north", O(5) + 30)
for part in ["genesis", "tick", "reveal"]:
    index = SMALL[part]["index"]
    SMALL[part]["path"] = [b64(node) for node in path(OPEN.entries[:size], index)]
later = {"checkpoint": LATER, "path": [b64(node) for node in path(OPEN.entries[:-1], SMALL["tick"]["index"])]}
reject("cosigned-larger", but(SMALL, cosigned=later), "cosigned", "an item of a larger tree than the checkpoint's")
other = other_history(OPEN, OPEN.size())
twin = [b64(node) for node in path(other.entries, FULL["tick"]["index"])]
reject("cosigned-fork", but(FULL, cosigned={"checkpoint": other.note([(ALFA_1, 1), (BETA, 2)]), "path": twin}), "cosigned",
       "an item of the same size with another root: the log has forked")
reject("cosigned-empty", but(FULL, cosigned__checkpoint=""), "cosigned", "an empty item")
reject("cosigned-extra", but(FULL, cosigned__time=1), "cosigned", "a key that is not there")

# What only a log that misbehaves can prove.
reject("lying-roster", base("gate.2_b", 300, LYING), "roster", "a roster that is not canonical", LYING)
reject("lying-reveal", base("gate.2_b", 360, LYING), "reveal", "a tick opened before its interval was over", LYING)
reject("lying-order-camera", but(base("hall-north", 420, LYING), order=entry_of(lambda v: "public" in v, LYING)), "order",
       "an order that does not name the camera", LYING)
reject("lying-order-purpose", but(base("gate.2_b", 480, LYING), order=entry_of(lambda v: "public" in v, LYING)), "order",
       "an order with another purpose than the slot", LYING)
reject("lying-reveal-by", base("gate.2_b", 540, LYING), "tick", "a date of showing that is not the genesis'", LYING)
beyond = base("gate.2_b", 60, LYING)
beyond |= {"tick": tick_entry(10, LYING), "roster": LYING.rosters[LYING.newest], "at": moment(901)}
del beyond["reveal"]
reject("lying-slot-beyond", beyond, "roster", "a slot that no tick of the log has", LYING)
FALSE = false_name()
reject("lying-origin", base("gate.2_b", 60, FALSE), "genesis", "a genesis that names another log than the checkpoint", FALSE)
DOWN = upside_down()
GOING = {"type": "statement-proof", "v": 1, "camera": "gate.2_b", "at": moment(190), "checkpoint": DOWN.checkpoint,
         "genesis": included(DOWN, 0), "tick": tick_entry(0, DOWN), "roster": DOWN.rosters[DOWN.newest]}
reject("lying-genesis-again", but(GOING, genesis=included(DOWN, 6)), "genesis", "a second genesis", DOWN)
reject("lying-tick-before-log", but(GOING, at=moment(70), tick=tick_entry(5, DOWN)), "tick", "a tick that starts before its log", DOWN)
reject("lying-order-of-ticks", but(GOING, next=tick_entry(1, DOWN)), "next", "a next tick that stands before its tick", DOWN)
side = [b64(node) for node in path(DOWN.sides[0], 1)]
reject("lying-reveal-first", but(GOING, at=moment(120), slot={"bytes": b64(DOWN.sides[0][1]), "path": side}, reveal=entry_of(
    lambda v: v["type"] == "reveal", DOWN)), "reveal", "a reveal that stands before its tick", DOWN)
reject("lying-number", but(base("gate.2_b", 590, LYING), at=moment(600), slot=..., tick=tick_entry(7, LYING),
                           next=tick_entry(10, LYING)), "next", "a tick left out", LYING)


def main():
    for name in ["open", "sealed"]:
        write(name, files(LOGS[name], LOGS[name].checkpoint))
    for name, log in LOGS.items():
        pathlib.Path(f"{name}.policy").write_text(policy(log))
    pathlib.Path("open.fork").write_text(other_history(OPEN, 250).note([(ALFA_1, 1), (BETA, 2)]))
    pathlib.Path("open-unwitnessed.policy").write_text(policy(OPEN, "none"))
    listed = [canonical(case) for case in cases]
    pathlib.Path("cases.json").write_text("[\n" + ",\n".join(listed) + "\n]\n")
    good = sum(case["expect"] != "reject" for case in cases)
    print(f"{good} statements, {len(cases) - good} broken proofs; logs of {OPEN.size()} and {SEALED.size()} entries")


main()
