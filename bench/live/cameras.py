"""A camera of GStreamer's RTSP server, told what to do over stdin. Needs the system's python3 with python3-gi.

cameras.py PORT FPS LOG|- FILE [FILE...]

Each FILE is an H.264 byte stream with access unit delimiters; the first is played round and round at /cam.
Says `port N` once it listens. Into LOG goes a line `INDEX SECONDS` for each picture sent: its place in its file, and
the monotonic clock.
Commands: `hang` (keep connections, send nothing), `go` (as it was), `play N` (the Nth file from here on),
`garbage` (pictures with flipped bits, cut short, or of random bytes, until `go`). It is killed by a signal.
"""

import os
import random
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

DELIMITER = b"\0\0\0\1\x09"

Gst.init(None)
port, fps, log, *files = sys.argv[1:]
state = {"mode": "go", "file": 0, "feeders": 0}
dice = random.Random(int(port))
record = None if log == "-" else open(log, "w", buffering=1)


def units(path):
    with open(path, "rb") as file:
        return [DELIMITER + unit for unit in file.read().split(DELIMITER)[1:]]


clips = [units(path) for path in files]


def spoilt(unit):
    """The picture, damaged in one of three ways. Its first bytes (delimiter, parameter sets) mostly stay."""
    data, way = bytearray(unit), dice.randrange(3)
    if way == 0:
        for _ in range(dice.randint(1, 40)):
            data[dice.randrange(min(60, len(data) // 2), len(data))] ^= 1 << dice.randrange(8)
        return bytes(data)
    if way == 1:
        return bytes(data[: max(8, dice.randrange(len(data)))])
    # No parameter sets: GStreamer would keep them and send them again before every key frame from then on.
    return DELIMITER + b"\xf0\0\0\0\1" + bytes([dice.choice([0x41, 0x65, 0x06])]) + dice.randbytes(
        dice.randint(10, 4000))


def feed(source, turn):
    idx, playing, due = 0, state["file"], time.monotonic()
    # Only the newest stream is fed: one whose viewers are gone is let go.
    while turn == state["feeders"]:
        due = max(due + 1 / float(fps), time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))
        if state["mode"] == "hang":
            continue
        if playing != state["file"]:
            idx, playing = 0, state["file"]
        clip = clips[playing]
        place = idx % len(clip)
        unit = clip[place]
        idx += 1
        if state["mode"] == "garbage" and dice.random() < 0.6:
            unit = spoilt(unit)
        if record:
            record.write(f"{place} {time.monotonic():.6f}\n")
        if source.emit("push-buffer", Gst.Buffer.new_wrapped(unit)) != Gst.FlowReturn.OK:
            return


def configure(_, media):
    source = media.get_element().get_child_by_name("source")
    state["feeders"] += 1
    threading.Thread(target=feed, args=(source, state["feeders"]), daemon=True).start()


def commands():
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "play":
            state["file"] = int(rest[0])
        elif word in ("hang", "go", "garbage"):
            state["mode"] = word
    os._exit(0)


server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1")
server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory.new()
factory.set_launch(
    "( appsrc name=source is-live=true do-timestamp=true format=time "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au "
    "! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1 )"
)
factory.set_shared(True)
factory.set_latency(0)
factory.connect("media-configure", configure)
server.get_mount_points().add_factory("/cam", factory)
loop = GLib.MainLoop()
if server.attach(None) == 0:
    sys.exit("cannot listen")
print(f"port {server.get_bound_port()}", flush=True)
threading.Thread(target=commands, daemon=True).start()
loop.run()
