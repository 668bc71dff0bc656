#!/usr/bin/python3
"""Cameras on loopback: files played round and round in real time, each by an RTSP server of GStreamer on a port of its own.

    bench/live/loopback.py CAMERAS.toml

CAMERAS.toml has `[[camera]]` once for each:

    name = "hall"                     # its address is rtsp://127.0.0.1:PORT/hall
    file = "hall.h264"                # a byte stream with access unit delimiters and no B frames, beside CAMERAS.toml
    codec = "h264"                    # or "h265"
    fps = 15
    transport = "tcp"                 # or "udp"; without it both
    credentials_file = "hall.secret"  # user and password on two lines, asked for by Digest; without it anybody may watch

Says `NAME URL` of each, then `ready`; ends when its standard input does, so that nothing is left of it when whoever started
it is gone. Needs python3-gi, gir1.2-gst-rtsp-server-1.0 and gstreamer1.0-plugins-{base,good,bad}.
"""

import pathlib
import sys
import threading
import time
import tomllib

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

DELIMITERS = {"h264": b"\0\0\0\1\x09", "h265": b"\0\0\0\1\x46\x01"}
TRANSPORTS = {"tcp": GstRtsp.RTSPLowerTrans.TCP, "udp": GstRtsp.RTSPLowerTrans.UDP}


def feed(source, units, fps):
    """Pushes one access unit after the other at its time, until the last viewer is gone."""
    begun = time.monotonic()
    number = 0
    while True:
        time.sleep(max(0.0, begun + number / fps - time.monotonic()))
        # A buffer may be written to on its way, so each is a new one.
        buffer = Gst.Buffer.new_wrapped(units[number % len(units)])
        buffer.pts = buffer.dts = number * Gst.SECOND // fps
        buffer.duration = Gst.SECOND // fps
        if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
            return
        number += 1


def camera(folder, about):
    """A server with this one camera; its port."""
    codec, fps = about["codec"], about["fps"]
    delimiter = DELIMITERS[codec]
    units = [delimiter + unit for unit in (folder / about["file"]).read_bytes().split(delimiter)[1:]]
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(
        f"( appsrc name=source is-live=true format=time caps=video/x-{codec},stream-format=byte-stream,alignment=au"
        f" ! {codec}parse ! rtp{codec}pay name=pay0 pt=96 config-interval=1 )"
    )
    factory.set_shared(True)
    if "transport" in about:
        factory.set_protocols(TRANSPORTS[about["transport"]])

    def configure(_, media):
        source = media.get_element().get_child_by_name("source")
        threading.Thread(target=feed, args=(source, units, fps), daemon=True).start()

    factory.connect("media-configure", configure)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service("0")
    if "credentials_file" in about:
        user, password = (folder / about["credentials_file"]).read_text().split()
        auth = GstRtspServer.RTSPAuth.new()
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_digest(user, password, token)
        server.set_auth(auth)
        role = "viewer, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
        factory.add_role_from_structure(Gst.Structure.from_string(role)[0])
    server.get_mount_points().add_factory(f"/{about['name']}", factory)
    if server.attach(None) == 0:
        sys.exit("loopback.py: cannot listen")
    return server


def main():
    Gst.init(None)
    path = pathlib.Path(sys.argv[1])
    servers = []
    for about in tomllib.loads(path.read_text())["camera"]:
        servers.append(camera(path.parent, about))
        print(f"{about['name']} rtsp://127.0.0.1:{servers[-1].get_bound_port()}/{about['name']}", flush=True)
    loop = GLib.MainLoop()

    def until_left_alone():
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=until_left_alone, daemon=True).start()
    print("ready", flush=True)
    try:
        loop.run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
