"""A camera of GStreamer's RTSP server, told what to do over stdin.

server.py PORT h264|h265 FPS USER:PASSWORD|- tcp|udp|both FILE [FILE...]

Each FILE is a byte stream with access unit delimiters; the first is played round and round at /cam.
Says `port N` once it listens, and `client N` with the number of open connections whenever that changes.
Commands: `hang` (keep connections, send nothing), `go`, `play N` (the Nth file from here on).
"""

import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

Gst.init(None)
port, codec, fps, user, transports, *files = sys.argv[1:]
delimiter = {"h264": b"\0\0\0\1\x09", "h265": b"\0\0\0\1\x46\x01"}[codec]
state = {"hang": False, "file": 0, "clients": 0}
lock = threading.Lock()


def say(text):
    with lock:
        print(text, flush=True)


def units(path):
    with open(path, "rb") as file:
        return [delimiter + unit for unit in file.read().split(delimiter)[1:]]


clips = [units(path) for path in files]


def feed(source):
    idx, playing = 0, state["file"]
    while True:
        time.sleep(1 / float(fps))
        if state["hang"]:
            continue
        if playing != state["file"]:
            idx, playing = 0, state["file"]
        clip = clips[playing]
        buffer = Gst.Buffer.new_wrapped(clip[idx % len(clip)])
        idx += 1
        if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
            return


def configure(_, media):
    source = media.get_element().get_child_by_name("source")
    threading.Thread(target=feed, args=(source,), daemon=True).start()


def connected(_, client):
    state["clients"] += 1
    say(f"client {state['clients']}")
    client.connect("closed", closed)


def closed(_):
    state["clients"] -= 1
    say(f"client {state['clients']}")


def commands():
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "hang":
            state["hang"] = True
        elif word == "go":
            state["hang"] = False
        elif word == "play":
            state["file"] = int(rest[0])
    loop.quit()


server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1")
server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory.new()
factory.set_launch(
    "( appsrc name=source is-live=true do-timestamp=true format=time "
    f"caps=video/x-{codec},stream-format=byte-stream,alignment=au "
    f"! {codec}parse ! rtp{codec}pay name=pay0 pt=96 config-interval=1 )"
)
factory.set_shared(True)
kinds = {"tcp": GstRtsp.RTSPLowerTrans.TCP, "udp": GstRtsp.RTSPLowerTrans.UDP}
if transports != "both":
    factory.set_protocols(kinds[transports])
factory.connect("media-configure", configure)

if user != "-":
    name, password = user.split(":")
    auth = GstRtspServer.RTSPAuth.new()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(name, password, token)
    server.set_auth(auth)
    factory.add_role_from_structure(
        Gst.Structure.from_string("viewer, media.factory.access=(boolean)true, media.factory.construct=(boolean)true")[0]
    )

server.get_mount_points().add_factory("/cam", factory)
server.connect("client-connected", connected)
loop = GLib.MainLoop()
if server.attach(None) == 0:
    sys.exit("cannot listen")
say(f"port {server.get_bound_port()}")
threading.Thread(target=commands, daemon=True).start()
loop.run()
