#!/usr/bin/env python3
"""Makes the manifest vectors of this folder: a second implementation of the format, in Python and openssl.

Run it in this folder: python3 make.py. Its output is the same bytes every time. Canonical JSON (RFC 8785) needs no
library here, since all keys are ASCII and all numbers whole.
"""

import base64
import copy
import hashlib
import json
import pathlib
import subprocess
import tempfile

FIRST = "placet/redaction-manifest/v1"
NAME = "vectors.placet.example/redaction"
KEYS = {"placet": bytes(range(32)), "stranger": bytes(range(100, 132))}  # published, worthless
PKCS8 = bytes.fromhex("302e020100300506032b657004220420")  # RFC 8410: what precedes an Ed25519 seed


def openssl(*args, seed=None, data=None):
    with tempfile.TemporaryDirectory() as folder:
        key, message = pathlib.Path(folder, "key"), pathlib.Path(folder, "message")
        key.write_bytes(PKCS8 + seed)
        message.write_bytes(data or b"")
        args = [a.replace("KEY", str(key)).replace("MESSAGE", str(message)) for a in args]
        return subprocess.run(["openssl", *args], check=True, capture_output=True).stdout


def public(seed):
    return openssl("pkey", "-inform", "DER", "-in", "KEY", "-pubout", "-outform", "DER", seed=seed)[-32:]


def key_id(seed):
    return hashlib.sha256(NAME.encode() + b"\n\x01" + public(seed)).digest()[:4]


def vkey(seed):
    return f"{NAME}+{key_id(seed).hex()}+" + base64.b64encode(b"\x01" + public(seed)).decode()


def signature_line(text, seed):
    raw = openssl("pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", "KEY", "-in", "MESSAGE", seed=seed, data=text.encode())
    return f"— {NAME} {base64.b64encode(key_id(seed) + raw).decode()}\n"


def sign(text, key="placet"):
    return text + "\n" + signature_line(text, KEYS[key])


def canonical(manifest):
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def note(manifest, key="placet"):
    return sign(f"{FIRST}\n{canonical(manifest)}\n", key)


def digest(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


SENTENCES = {
    "covers-what-was-found": "Faces the detector found are covered; a face it did not find can be visible, and small ones are missed more often.",
    "not-anonymous": "Gait, clothes, places and company can still tell who a person is.",
    "checked-nothing": "No second detector looked at the output.",
    "checked-sample": "A second detector looked at some frames of the output, not at all of them.",
    "checked-all": "A second detector looked at every frame of the output.",
    "reversible": "Faces were blurred or pixelated, which published attacks can undo in part.",
    "left-visible": "Some people were left visible on purpose.",
    "voices-identify": "Sound was kept where there was any; a voice identifies its speaker.",
    "metadata-kept": "Metadata such as place and device was kept where there was any.",
    "signed-statement": "The signature proves who stated this and that it was not changed since, not that it is true.",
}


def statements(*keys):
    return [{"key": key, "text": SENTENCES[key]} for key in keys]


def track(id, first, last, detected, weak, bridged, margin, by_check, low, high, covered, left_visible=False):
    return {
        "id": id, "left_visible": left_visible, "first_frame": first, "last_frame": last, "first_ms": first * 40, "last_ms": last * 40,
        "detected": detected, "weak": weak, "bridged": bridged, "margin": margin, "found_by_check": by_check,
        "min_height_px": low, "max_height_px": high, "box_px_total": covered,
    }


VIDEO = {
    "tool_version": "0.1.0",
    "made_at": "2026-11-22T12:00:00Z",
    "input": {"name": "street.mp4", "bytes": 10485760, "digest": digest("input")},
    "output": {"name": "street_anonymized.mp4", "bytes": 9437184, "digest": digest("output")},
    "models": [{"name": "yunet-2023mar", "digest": digest("yunet")}, {"name": "centerface", "digest": digest("centerface")}],
    "settings": {
        "mode": "thorough", "detector_input": {"width": 960, "height": 544}, "target": "face",
        "mask_scale_thousandths": 1300, "shape": "ellipse", "fill": "surround", "reversible": False,
        "color": None, "mosaic_px": None, "label_tracks": False,
        "thresholds_thousandths": {"start": 500, "extend": 250, "check": 350}, "verify": "sample", "on_found": "cover",
        "margins": {"before_ms": 400, "after_ms": 400, "bridge_ms": 1000}, "codec": "h264", "preset": "veryfast", "crf": 23, "container": "mp4",
        "audio": "keep", "metadata": "stripped", "copy_clean": False, "tracks_left_visible": [], "manual_regions": 0,
    },
    "media": {"width": 1920, "height": 1080, "rotation": 90, "frames": 250, "duration_ms": 10000, "frame_rate": "25/1"},
    "frames": {"judged": 249, "covered_whole": 1, "copied": 0},
    "track_count": 2,
    "tracks": [track(1, 0, 120, 90, 11, 10, 10, 0, 34, 61, 480000), track(2, 60, 249, 150, 20, 9, 10, 1, 18, 25, 95000)],
    "covered_area": {"mean_permille": 7, "max_permille": 1000},
    "check": {"detector": "centerface", "frames_checked": 40, "faces_found": 1, "rounds": 2},
    "statements": statements("covers-what-was-found", "not-anonymous", "checked-sample", "voices-identify", "signed-statement"),
}

PICTURE = copy.deepcopy(VIDEO)
PICTURE.update(
    input={"name": "Grüße \"vom\" Strand\\1.jpg", "bytes": 2**53 - 1, "digest": digest("picture in")},
    output={"name": "-", "bytes": 0, "digest": digest("")},
    media={"width": 4000, "height": 3000, "rotation": 0, "frames": 1, "duration_ms": 0, "frame_rate": None},
    frames={"judged": 1, "covered_whole": 0, "copied": 0},
    models=VIDEO["models"][:1], track_count=3, check=None,
    tracks=[track(n, 0, 0, 1, 0, 0, 0, 0, 40, 40, 1200, n != 5) for n in (3, 5, 7)],
    covered_area={"mean_permille": 0, "max_permille": 0},
    statements=statements("covers-what-was-found", "not-anonymous", "checked-nothing", "reversible", "left-visible", "metadata-kept", "signed-statement"),
)
PICTURE["settings"] |= {
    "mode": "fast", "fill": "mosaic", "reversible": True, "mosaic_px": 20, "label_tracks": True, "verify": "none", "codec": "mjpeg", "container": "image2",
    "audio": "drop", "metadata": "kept", "tracks_left_visible": [3, 7], "manual_regions": 2, "shape": "box", "target": "head",
}

# A fill of one color.
SOLID = copy.deepcopy(VIDEO)
SOLID["settings"] |= {"fill": "solid", "color": "00ff7f"}

cases = []


def case(name, content, expect, why, key="placet"):
    pathlib.Path(f"{name}.note").write_bytes(content if isinstance(content, bytes) else content.encode())
    cases.append({"file": f"{name}.note", "key": f"{key}.vkey", "expect": expect, "why": why})


def changed(expect, name, why, change, base=VIDEO):
    """A manifest with one change, signed like a good one."""
    manifest = copy.deepcopy(base)
    change(manifest)
    case(name, note(manifest), expect, why)


def respelt(expect, name, why, old, new, first=FIRST):
    """The good JSON with one place spelt differently, signed like a good one."""
    json_line = canonical(VIDEO)
    assert json_line.count(old) >= 1, old
    case(name, sign(f"{first}\n{json_line.replace(old, new, 1)}\n"), expect, why)


case("accept-video", note(VIDEO), "accept", "a video with two tracks, checked by sample")
case("accept-picture", note(PICTURE), "accept", "a still picture with the other word of every setting, largest number, non-ASCII name")

case("accept-solid", note(SOLID), "accept", "faces hidden by one color")

good = note(VIDEO)
case("flipped-bit", good.replace("249", "248", 1), "signature", "one digit of the signed text changed (0x39 to 0x38)")
flipped = bytearray(good.encode())
flipped[-10] ^= 1
case("flipped-signature", bytes(flipped), "signature", "one bit of the signature changed")
case("wrong-key", note(VIDEO, "stranger"), "signer", "signed by a key the reader does not trust, under the same name")
case("no-signature", f"{FIRST}\n{canonical(VIDEO)}\n\n", "note", "no signature line")
case("signed-twice", good + signature_line(f"{FIRST}\n{canonical(VIDEO)}\n", KEYS["placet"]), "note", "two signatures of one key")
case("trailing-bytes", good + "x", "note", "a byte after the last signature line")
respelt("first-line", "wrong-first-line", "a version this reader does not know", "{", "{", first="placet/redaction-manifest/v2")
respelt("first-line", "no-first-line-end", "the first line goes on", "{", "{", first=FIRST + " ")
case("second-line", sign(f"{FIRST}\n{canonical(VIDEO)}\n{canonical(VIDEO)}\n"), "lines", "a second line of JSON")
case("blank-line", sign(f"{FIRST}\n{canonical(VIDEO)}\n\n"), "lines", "an empty line after the JSON")
case("trailing-data", sign(f"{FIRST}\n{canonical(VIDEO)}null\n"), "json", "a second value on the JSON line")
case("truncated", sign(f"{FIRST}\n{canonical(VIDEO)[:-1]}\n"), "json", "the closing brace is missing")
respelt("json", "duplicate-key", "a key of the outermost object stands twice; readers differ in which they take", '{"check"', '{"track_count":2,"check"')
respelt("json", "duplicate-key-nested", "a key of an inner object stands twice", '"judged":249', '"judged":249,"judged":249')
changed("json", "unknown-key", "a key this version does not have", lambda m: m.update(note="harmless"))
changed("json", "unknown-key-nested", "a key this version does not have, inside a track", lambda m: m["tracks"][0].update(name="x"))
changed("json", "missing-key", "a key is missing", lambda m: m.pop("frames"))
changed("json", "big-integer", "2^53, which some readers take for another number", lambda m: m["input"].update(bytes=2**53))
changed("json", "huge-integer", "2^64", lambda m: m["input"].update(bytes=2**64))
changed("json", "negative", "a count below zero", lambda m: m["frames"].update(judged=-1))
respelt("json", "fraction", "a whole number written as a fraction", '"judged":249', '"judged":249.0')
respelt("json", "exponent", "a whole number written with an exponent", '"judged":249', '"judged":2.49e2')
changed("json", "number-as-text", "a number in quotes", lambda m: m["frames"].update(judged="249"))
respelt("canonical", "reordered", "two keys change places", '"copied":0,"covered_whole":1', '"covered_whole":1,"copied":0')
respelt("canonical", "space", "a space after a colon", '"judged":249', '"judged": 249')
respelt("canonical", "escape", "a letter written as an escape", "street.mp4", "\\u0073treet.mp4")
respelt("canonical", "absent-null", "an empty value left out instead of written as null", '"frame_rate":"25/1",', "")
changed("statements", "statement-missing", "the sentence about sound is left out although sound was kept", lambda m: m["statements"].pop(3))
changed("statements", "statement-reworded", "a sentence says more than it may", lambda m: m["statements"][1].update(text="The video is anonymous."))
changed("settings.reversible", "reversible-denied", "a blur that claims it cannot be undone", lambda m: m["settings"].update(fill="blur"))
changed("settings.mode", "unknown-word", "a mode that does not exist", lambda m: m["settings"].update(mode="ultra"))
changed("settings.tracks_left_visible", "left-visible-twice", "one track named twice", lambda m: m["settings"].update(tracks_left_visible=[1, 1]) or m.update(statements=statements("covers-what-was-found", "not-anonymous", "checked-sample", "left-visible", "voices-identify", "signed-statement")))
changed("input.name", "folder-in-name", "a file name with its folder", lambda m: m["input"].update(name="home/ana/street.mp4"))
changed("input.digest", "upper-case-digest", "a digest in another spelling", lambda m: m["input"].update(digest=digest("input").upper().replace("SHA", "sha")))
changed("made_at", "local-time", "a time that is not UTC", lambda m: m.update(made_at="2026-11-22T13:00:00+01:00"))
changed("made_at", "no-such-day", "30 February", lambda m: m.update(made_at="2026-02-30T12:00:00Z"))
changed("media.rotation", "slanted", "a rotation of 45 degrees", lambda m: m["media"].update(rotation=45))
changed("media.frame_rate", "endless-rate", "a rate with zero below the line", lambda m: m["media"].update(frame_rate="25/0"))
changed("check", "check-missing", "no check although one was ordered", lambda m: m.update(check=None))
changed("json", "verdict", "a check says what it came to, which follows from there being an output", lambda m: m["check"].update(verdict="clean"))
changed("settings.color", "color-missing", "a fill of one color that does not say which", lambda m: m["settings"].update(color=None), SOLID)
changed("settings.color", "color-unused", "a color where the fill has none", lambda m: m["settings"].update(color="000000"))
changed("settings.color", "color-upper-case", "a color in another spelling", lambda m: m["settings"].update(color="00FF7F"), SOLID)
changed("settings.mosaic_px", "squares-unsized", "a mosaic that does not say how coarse", lambda m: m["settings"].update(mosaic_px=None), PICTURE)
changed("tracks", "left-visible-unsaid", "a track left visible that no setting names", lambda m: m["tracks"][0].update(left_visible=True))
changed("tracks", "left-visible-unlisted", "a track named to be left visible is not among the tracks", lambda m: m["tracks"][0].update(left_visible=False), PICTURE)
changed("covered_area", "more-than-all", "more than the whole picture covered", lambda m: m["covered_area"].update(max_permille=1001))
changed("tracks", "backwards-track", "a track that ends before it begins", lambda m: m["tracks"][1].update(last_frame=59))
changed("tracks", "tracks-out-of-order", "tracks not ordered by first frame", lambda m: m["tracks"].reverse())
changed("track_count", "track-left-out", "a track counted and not listed", lambda m: m["tracks"].pop())

for name, seed in KEYS.items():
    pathlib.Path(f"{name}.vkey").write_text(vkey(seed) + "\n")
pathlib.Path("cases.json").write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
print(f"{len(cases)} vectors")
