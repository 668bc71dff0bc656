#!/usr/bin/env python3
"""Makes the vectors of this folder: a second implementation of the log's entries, in Python and openssl.

Run it in this folder: python3 make.py. Its output is the same bytes every time.
"""

import json
import pathlib
import sys

sys.path.insert(0, "..")
from second import b64, canonical, hkdf, mac, path, plain, salt, seal, seal_all, sha, tree, vkey  # noqa: E402

ORIGIN = "vectors.placet.example/log"

SEED = sha(b"a seed")
ON = {"state": "on", "purpose": "missing_person", "order": sha(b"an order").hex(), "frames_compared": 1500,
      "candidates": 3, "confirmed": 1, "rejected": 2}
MOST = {"state": "on", "purpose": "convict", "order": "ff" * 32, "frames_compared": 2**32 - 1,
        "candidates": 65535, "confirmed": 65535, "rejected": 65535}


def tick_vector(name, n, states, capacity):
    slots = seal_all(SEED, n, states, capacity)
    return {
        "name": name, "seed": SEED.hex(), "tick": n, "states": states, "capacity": capacity,
        "slots": [slot.hex() for slot in slots], "root": tree(slots).hex(),
        "salts": [salt(SEED, i).hex() for i in range(capacity)],
        "paths": [[node.hex() for node in path(slots, i)] for i in range(capacity)],
    }


TICKS = [
    tick_vector("one slot", 0, [{"state": "off"}], 1),
    tick_vector("every state", 41237, [ON, {"state": "off"}, {"state": "unknown"}, MOST, {"state": "off"}], 7),
    tick_vector("no camera", 2**53 - 1, [], 4),
]

# What a log might seal wrongly: the tag is right, the layout is not.
BAD_LAYOUTS = [
    ("version 2", 0, b"\2\1" + bytes(94)),
    ("version 0", 0, b"\0\1" + bytes(94)),
    ("state 4", 1, b"\1\4" + bytes(94)),
    ("purpose 0 in a search", 2, b"\1\2" + bytes(94)),
    ("purpose 7", 2, b"\1\2\7" + bytes(93)),
    ("a purpose beside off", 2, b"\1\1\1" + bytes(93)),
    ("the reserved byte", 3, b"\1\2\1\1" + bytes(92)),
    ("an order beside unknown", 4, b"\1\3\0\0\1" + bytes(91)),
    ("counts beside off", 36, b"\1\1" + bytes(34) + b"\1" + bytes(59)),
    ("padding of a search", 46, b"\1\2\1" + bytes(43) + b"\1" + bytes(49)),
    ("the last byte", 95, b"\1\0" + bytes(93) + b"\1"),
]
LAYOUTS = [{"why": why, "offset": offset, "salt": salt(SEED, 3).hex(), "tick": 9, "slot": 3,
            "sealed": seal(salt(SEED, 3), 9, 3, text).hex()} for why, offset, text in BAD_LAYOUTS]

# --- committed records ------------------------------------------------------------------------------------------------


def field_salt(secret, name):
    return hkdf(secret, b"placet/v1/field-salt\0" + name.encode())


def field_digest(secret, name, value):
    return mac(field_salt(secret, name), b"placet/v1/field\0", name.encode(), b"\0", canonical(value).encode())


def digests(record, secret):
    out = [field_digest(secret, name, record[name]) for name in sorted(record)]
    out += [hkdf(secret, b"placet/v1/decoy\0" + bytes([j])) for j in range(len(out), 16)]
    return sorted(out)


def commitment(kind, record, secret):
    return sha(b"placet/v1/record\0", kind.encode(), b"\0", *digests(record, secret))


def disclosure(kind, record, secret, names):
    return {
        "v": 1, "kind": kind, "digests": [b64(d) for d in digests(record, secret)],
        "fields": [{"name": n, "salt": b64(field_salt(secret, n)), "value": record[n]} for n in sorted(names)],
    }


SECRET = sha(b"a secret")
RECORD = {"case_number": "2026/117", "officer": "Ana \"Bo\" Çelik\u0007", "persons": 3, "note": ""}


def committed(name, kind, record, secret):
    return {"name": name, "kind": kind, "record": canonical(record), "secret": secret.hex(),
            "digests": [d.hex() for d in digests(record, secret)], "c": commitment(kind, record, secret).hex(),
            "whole": canonical({"kind": kind, "record": record, "secret": b64(secret), "v": 1})}


RECORDS = [
    committed("four fields", "request", RECORD, SECRET),
    committed("no field", "note", {}, SECRET),
    committed("sixteen fields", "opening", {"f" * (i + 1): i for i in range(16)}, SECRET),
    committed("a name of 32 and the largest number", "deletion", {"z" * 32: 2**53 - 1, "_": "\U0001f512 ẞ \\ / \u007f\u2028"}, SECRET),
]

# --- leaves -----------------------------------------------------------------------------------------------------------

OLD, NEW = vkey(ORIGIN, bytes(range(32))), vkey(ORIGIN, bytes(range(100, 132)))
ROSTER = '{"camera":"hall-north","slot":0}\n{"camera":"gate.2_b","slot":7}\n'

GENESIS = {"type": "genesis", "v": 1, "t": "2026-11-22T00:00:00Z", "origin": ORIGIN, "interval": 60, "mode": "sealed",
           "reveal_delay": 15552000, "slots": 7}
TICK = {"type": "tick", "v": 1, "n": 41237, "t": "2026-12-20T15:17:00Z", "roster": b64(sha(ROSTER.encode())),
        "slots": b64(bytes.fromhex(TICKS[1]["root"])), "reveal_by": "2027-06-18T15:18:00Z"}
REVEAL = {"type": "reveal", "v": 1, "t": "2027-06-18T15:18:00Z", "n": 41237, "seed": b64(SEED)}
KEY = {"type": "key", "v": 1, "t": "2027-01-04T09:00:00Z", "old": OLD, "new": NEW, "from": 90210}
CAMERAS = {"type": "roster", "v": 1, "t": "2026-11-22T00:00:00Z", "of": "cameras", "count": 2,
           "digest": b64(sha(ROSTER.encode()))}
WITNESSES = {"type": "roster", "v": 1, "t": "2026-11-22T00:00:00Z", "of": "witnesses", "count": 3,
             "digest": b64(sha(b"a policy"))}
PUBLIC = {"order": b64(sha(b"an order")), "purpose": "missing_person", "authority": "Rechtbank Gent",
          "cameras": ["gate.2_b", "hall-north"], "from": "2026-12-20T15:00:00Z", "until": "2026-12-21T03:00:00Z"}
REQUEST = {"type": "event", "v": 1, "t": "2026-12-20T14:02:11Z", "kind": "request", "id": b64(bytes(range(16))),
           "c": b64(bytes.fromhex(RECORDS[0]["c"]))}
OPENING = {"type": "event", "v": 1, "t": "2026-12-20T15:16:30Z", "kind": "opening", "id": b64(bytes(range(16, 32))),
           "c": b64(commitment("opening", {}, SECRET)), "about": 41240, "deposit": b64(sha(b"a deposit")), "public": PUBLIC}
MANY = {**PUBLIC, "cameras": [f"c{i:02}" for i in range(64)], "authority": "Ελεγκτικό Συνέδριο"}

cases = []


def write(name, kind, data, expect, why):
    data = data if isinstance(data, bytes) else data.encode()
    pathlib.Path(name).write_bytes(data)
    cases.append({"file": name, "as": kind, "expect": expect, "why": why})


def accept(name, value, why, kind="leaf"):
    write(f"accept-{name}.json", kind, value if isinstance(value, str) else canonical(value), "accept", why)


def reject(name, value, ground, why, kind="leaf"):
    write(f"reject-{name}.json", kind, value if isinstance(value, (str, bytes)) else canonical(value), ground, why)


def but(value, /, **changes):
    value = {**value, **changes}
    return {key: v for key, v in value.items() if v is not ...}


def within(**changes):
    return but(OPENING, public=but(PUBLIC, **changes))


accept("genesis", GENESIS, "the first entry of a sealed log")
accept("genesis-open", but(GENESIS, mode="open", reveal_delay=0, interval=3600, slots=65536), "every bound of a genesis")
accept("genesis-least", but(GENESIS, interval=1, reveal_delay=31536000, slots=1, t="2000-01-01T00:00:00Z"), "every other bound")
accept("tick", TICK, "a tick")
accept("tick-first", but(TICK, n=0, t="2199-12-31T23:00:00Z", reveal_by="2199-12-31T23:59:59Z"), "the first number, the last second")
accept("tick-last", but(TICK, n=2**53 - 1), "the last number")
accept("reveal", REVEAL, "the seed of that tick")
accept("key", KEY, "a change of the log's key")
accept("roster-cameras", CAMERAS, "a roster of cameras")
accept("roster-witnesses", WITNESSES, "a roster of witnesses")
accept("request", REQUEST, "an event with what every event has")
accept("opening", OPENING, "an event with everything an event can have")
for kind in ["refusal", "authorisation", "revocation", "closing", "review", "deletion", "note"]:
    public = kind not in ["review", "deletion", "note"]
    accept(kind, but(OPENING, kind=kind, deposit=..., about=None if kind == "note" else 41240, public=PUBLIC if public else ...)
           if kind != "note" else but(REQUEST, kind=kind), f"an event of kind {kind}")
UNSEALING = but(OPENING, kind="unsealing", public=but(PUBLIC, purpose="crime", cameras=["hall-north"],
                                                      until="2026-12-20T15:30:00Z", authority="Stadsarchief"))
for ground in ["crime", "accident", "own_request"]:
    accept(f"unsealing-{ground.replace('_', '-')}", but(UNSEALING, public=but(UNSEALING["public"], purpose=ground)),
           f"a sealed original is opened: {ground}")
accept("unsealing-quiet", but(UNSEALING, public=...), "an unsealing without its public part")
accept("many-cameras", within(**MANY), "64 cameras and an authority in Greek")

reject("empty", "", "json", "nothing")
reject("not-utf8", canonical(TICK).encode().replace(b"tick", b"ti\xffk"), "json", "a byte that no UTF-8 has")
reject("bom", "\ufeff" + canonical(TICK), "json", "a byte order mark")
reject("list", "[" + canonical(TICK) + "]", "json", "a list around the object")
reject("two-objects", canonical(TICK) + canonical(TICK), "json", "two objects")
reject("newline", canonical(TICK) + "\n", "json", "the newline is not part of the entry")
reject("trailing-comma", canonical(TICK)[:-1] + ",}", "json", "a comma too many")
reject("lone-surrogate", canonical(within(authority="X")).replace('"X"', '"\\ud800"'), "json", "half a character")
reject("space", canonical(TICK).replace(":", ": ", 1), "canonical", "a space after a colon")
reject("trailing-space", canonical(TICK) + " ", "canonical", "a space at the end")
reject("unsorted", '{"v":1,' + canonical(but(TICK, v=...))[1:], "canonical", "keys out of order")
reject("escape", canonical(TICK).replace("tick", "\\u0074ick"), "canonical", "a letter spelt as an escape")
reject("slash", canonical(GENESIS).replace("/", "\\/"), "canonical", "an escaped slash")
reject("duplicate-key", canonical(TICK).replace('"n":41237', '"n":41237,"n":41237'), "twice", "a key twice, both alike")
reject("duplicate-key-nested", canonical(OPENING).replace('"purpose":', '"purpose":"threat","purpose":'), "twice", "a key twice, inside")
reject("unknown-key", but(TICK, cameras=3), "unknown", "a key that no tick has")
reject("unknown-key-nested", within(person="x"), "unknown", "a key that no public part has")
reject("key-of-another-type", but(REVEAL, slots=TICK["slots"]), "unknown", "a tick's key in a reveal")
reject("missing-key", but(TICK, reveal_by=...), "missing", "a tick without its date")
reject("missing-key-nested", within(until=...), "missing", "an order without its end")
reject("missing-type", but(TICK, type=...), "missing", "no type")
reject("missing-version", but(TICK, v=...), "missing", "no version")
reject("version-2", but(TICK, v=2), "v", "a version to come")
reject("version-text", but(TICK, v="1"), "v", "the version as text")
reject("unknown-type", but(TICK, type="candidate"), "type", "a type that version 1 does not have")
reject("type-case", but(TICK, type="Tick"), "type", "a type in capitals")
reject("number-as-text", but(TICK, n="41237"), "n", "a number as text")
reject("negative", canonical(TICK).replace("41237", "-1"), "n", "a negative number")
reject("minus-zero", canonical(TICK).replace("41237", "-0"), "n", "a negative zero")
reject("fraction", canonical(TICK).replace("41237", "41237.0"), "n", "a fraction")
reject("exponent", canonical(TICK).replace("41237", "4e4"), "n", "an exponent")
reject("leading-zero", canonical(TICK).replace("41237", "041237"), "json", "a leading zero")
reject("integer-2-53", but(TICK, n=2**53), "n", "the first number on which readers differ")
reject("integer-2-64", but(TICK, n=2**64), "n", "a number beyond 64 bits")
reject("null", but(TICK, n=None), "n", "null")
reject("about-null", but(REQUEST, about=None), "about", "null for what is not there")
reject("deposit-empty", but(REQUEST, deposit=""), "deposit", "an empty text for what is not there")
reject("padding", but(REVEAL, seed=REVEAL["seed"] + "="), "seed", "base64url with padding")
reject("padding-bits", but(REVEAL, seed=b64(bytes(32))[:-1] + "B"), "seed", "leftover bits that are not zero")
reject("standard-alphabet", but(REVEAL, seed=b64(b"\xff" * 32).replace("_", "/")), "seed", "the other alphabet")
reject("short-seed", but(REVEAL, seed=b64(bytes(31))), "seed", "a byte too few")
reject("long-root", but(TICK, slots=b64(bytes(33))), "slots", "a byte too many")
reject("no-roster", but(TICK, roster=...), "missing", "a tick that says of no camera which slot it has")
reject("short-roster", but(TICK, roster=b64(bytes(31))), "roster", "a byte too few")
reject("short-id", but(REQUEST, id=b64(bytes(15))), "id", "an id a byte too short")
reject("local-time", but(TICK, t="2026-12-20T15:17:00+00:00"), "t", "an offset for the Z")
reject("fraction-of-second", but(TICK, t="2026-12-20T15:17:00.0Z"), "t", "a fraction of a second")
reject("leap-second", but(TICK, t="2026-12-31T23:59:60Z"), "t", "a leap second")
reject("no-such-day", but(TICK, t="2027-02-29T00:00:00Z"), "t", "a day that 2027 does not have")
reject("date-only", but(TICK, reveal_by="2027-06-18"), "reveal_by", "a day for a second")
reject("year-1999", but(GENESIS, t="1999-12-31T23:59:59Z"), "t", "before 2000")
reject("year-2200", but(TICK, reveal_by="2200-01-01T00:00:00Z"), "reveal_by", "after 2199")
reject("reveal-before-tick", but(TICK, reveal_by=TICK["t"]), "reveal_by", "a date that is not after its tick")
reject("interval-0", but(GENESIS, interval=0), "interval", "no interval")
reject("interval-3601", but(GENESIS, interval=3601), "interval", "too long an interval")
reject("delay-too-long", but(GENESIS, reveal_delay=31536001), "reveal_delay", "more than 365 days")
reject("slots-0", but(GENESIS, slots=0), "slots", "no slots")
reject("slots-65537", but(GENESIS, slots=65537), "slots", "too many slots")
reject("slots-beyond-32-bits", but(GENESIS, slots=2**32 + 1), "slots", "a number of slots that wraps around to one")
reject("mode", but(GENESIS, mode="secret"), "mode", "a mode there is not")
reject("origin-space", but(GENESIS, origin="log of ours"), "origin", "an origin with spaces")
reject("origin-plus", but(GENESIS, origin="a+b"), "origin", "an origin with a plus")
reject("same-key", but(KEY, new=OLD), "new", "a key replaced by itself")
reject("key-id", but(KEY, new=NEW.replace(NEW.split("+")[1], "00000000")), "new", "a key id that is not its key's")
reject("witness-key", but(KEY, new="a+00000000+BA=="), "new", "no Ed25519 key")
reject("roster-of", but(CAMERAS, of="persons"), "of", "a roster of persons")
reject("roster-count", but(CAMERAS, count=65537), "count", "more than there can be")
reject("kind", but(REQUEST, kind="match"), "kind", "a kind of event there is not")
for kind in ["request", "review", "deletion", "note"]:
    reject(f"public-{kind}", but(OPENING, kind=kind), "public", f"a public part in an event of kind {kind}")
reject("public-null", but(OPENING, public=None), "public", "null for what is not there")
reject("public-list", but(OPENING, public=[]), "public", "a list for an object")
reject("purpose", within(purpose="none"), "public.purpose", "a purpose there is not")
reject("purpose-of-unsealing", within(purpose="crime"), "public.purpose", "a search for what an original is opened for")
reject("ground-of-search", but(UNSEALING, public=but(UNSEALING["public"], purpose="suspect")), "public.purpose", "an original opened for what a search is for")
reject("ground", but(UNSEALING, public=but(UNSEALING["public"], purpose="curiosity")), "public.purpose", "a ground there is not")
reject("authority-empty", within(authority=""), "public.authority", "no authority")
reject("authority-long", within(authority="é" * 121), "public.authority", "121 characters")
reject("authority-unseen", within(authority="Gent\u202e"), "public.authority", "a character that turns what follows")
reject("authority-blank", within(authority=" Gent"), "public.authority", "a space in front")
reject("no-cameras", within(cameras=[]), "public.cameras", "an order without a place")
reject("65-cameras", within(cameras=[f"c{i:02}" for i in range(65)]), "public.cameras", "65 cameras")
reject("camera-twice", within(cameras=["a", "a"]), "public.cameras", "a camera twice")
reject("cameras-unsorted", within(cameras=["b", "a"]), "public.cameras", "cameras out of order")
reject("camera-case", within(cameras=["Hall"]), "public.cameras", "a capital letter")
reject("camera-number", within(cameras=[1]), "public.cameras", "a number for a camera")
reject("camera-long", within(cameras=["x" * 65]), "public.cameras", "a name of 65 letters")
reject("order-hex", within(order=sha(b"an order").hex()), "public.order", "a digest in hex")
reject("until-before-from", within(until=PUBLIC["from"]), "public.until", "an order that ends as it begins")
reject("too-long", within(cameras=[f"{'x' * 40}{i:02}" for i in range(64)]), "length", "2,049 bytes and more")

DISCLOSED = disclosure("request", RECORD, SECRET, ["officer", "persons"])
accept("disclosure", DISCLOSED, "two of four fields", "disclosure")
accept("disclosure-nothing", disclosure("request", RECORD, SECRET, []), "no field at all", "disclosure")
accept("disclosure-all", disclosure("request", RECORD, SECRET, list(RECORD)), "every field", "disclosure")


def fields(*changed):
    return but(DISCLOSED, fields=list(changed))


OFFICER, PERSONS = DISCLOSED["fields"]
reject("disclosure-value", fields(OFFICER, but(PERSONS, value=4)), "field", "another value", "disclosure")
reject("disclosure-value-type", fields(OFFICER, but(PERSONS, value="3")), "field", "the number as text", "disclosure")
reject("disclosure-name", fields(but(OFFICER, name="judge"), PERSONS), "field", "another name", "disclosure")
reject("disclosure-salt", fields(OFFICER, but(PERSONS, salt=OFFICER["salt"])), "field", "another field's salt", "disclosure")
reject("disclosure-kind", but(DISCLOSED, kind="note"), "commitment", "another kind of event", "disclosure")
reject("disclosure-other-digest", but(DISCLOSED, digests=disclosure("request", {}, SECRET, [])["digests"]), "commitment", "another record's digests", "disclosure")
reject("disclosure-15-digests", but(DISCLOSED, digests=DISCLOSED["digests"][:15]), "digests", "fifteen digests", "disclosure")
reject("disclosure-digests-unsorted", but(DISCLOSED, digests=DISCLOSED["digests"][::-1]), "digests", "digests out of order", "disclosure")
reject("disclosure-digest-twice", but(DISCLOSED, digests=DISCLOSED["digests"][:1] + DISCLOSED["digests"][:15]), "digests", "a digest twice", "disclosure")
reject("disclosure-unsorted", fields(PERSONS, OFFICER), "canonical", "fields out of order", "disclosure")
reject("disclosure-field-twice", fields(PERSONS, PERSONS), "fields", "a field twice", "disclosure")
reject("disclosure-no-salt", fields(but(PERSONS, salt=...)), "missing", "a field without its salt", "disclosure")
reject("disclosure-null", fields(but(PERSONS, value=None)), "fields.value", "a value that is neither text nor number", "disclosure")
reject("disclosure-version", but(DISCLOSED, v=2), "v", "a version to come", "disclosure")

pathlib.Path("cases.json").write_text("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]\n")
pathlib.Path("slots.json").write_text(json.dumps({"ticks": TICKS, "bad_layouts": LAYOUTS}, indent=1) + "\n")
pathlib.Path("records.json").write_text(json.dumps(RECORDS, indent=1) + "\n")
pathlib.Path("roster.txt").write_text(ROSTER)
