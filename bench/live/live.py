"""What the live benches share: clips with a counter in them, cameras, the gateway, viewers, and what all of it costs."""

import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
DATA = pathlib.Path(os.environ.get("BENCH_DATA", TARGET / "bench-data"))
PLACET = os.environ.get("PLACET", str(TARGET / "debug" / "placet"))
# GStreamer's bindings belong to the system's own Python.
SYSTEM_PYTHON = "/usr/bin/python3"
TICK = os.sysconf("SC_CLK_TCK")
LATEST = ["-fflags", "nobuffer", "-flags", "low_delay", "-probesize", "32", "-analyzeduration", "0"]

# The counter: so many black or white squares in a row, the least significant bit first, then one of each, by which the
# row is recognised.
BITS, CELL = 12, 16
CODE_WIDTH, CODE_HEIGHT = (BITS + 2) * CELL, CELL

# Ended from outside, what was started is ended too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def models():
    """The environment in which placet finds its models."""
    return {**os.environ, "PLACET_MODELS": os.environ.get("PLACET_MODELS", str(ROOT / "target" / "models"))}


def load():
    """One-minute load of the machine."""
    return float(pathlib.Path("/proc/loadavg").read_text().split()[0])


def free_ports(n):
    """Ports that nobody listens on just now."""
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def until(what, ready, seconds):
    """Asks until the answer is not None or False; how long it took, and the answer."""
    start = time.monotonic()
    while True:
        answer = ready()
        if answer or time.monotonic() - start > seconds:
            break
        time.sleep(0.02)
    if not answer:
        raise TimeoutError(f"{what}: not within {seconds} s")
    return time.monotonic() - start, answer


# ---- clips


def stamp(number, frame, width, x=0, y=0):
    """Draws the counter into the luma of a yuv420p frame (a bytearray)."""
    bits = [number >> bit & 1 for bit in range(BITS)] + [0, 1]
    row = b"".join((b"\xeb" if bit else b"\x10") * CELL for bit in bits)
    for line in range(y, y + CODE_HEIGHT):
        at = line * width + x
        frame[at:at + len(row)] = row


def counter(gray):
    """The number in a gray picture of nothing but the counter; none where it cannot be read."""
    middle = CODE_HEIGHT // 2 * CODE_WIDTH
    cells = [gray[middle + cell * CELL + CELL // 2] for cell in range(BITS + 2)]
    if cells[BITS] > 90 or cells[BITS + 1] < 160 or any(90 < cell < 160 for cell in cells):
        return None
    return sum(1 << bit for bit in range(BITS) if cells[bit] >= 160)


def encode_stamped(source, out, width, height, fps, frames, pad=0, quality=("-crf", "23"), group=2):
    """What the ffmpeg arguments `source` show, with the counter in it, as a byte stream that cameras.py plays.

    With `pad` the counter lies in that many rows added below, else at the upper left."""
    tall = height + pad
    graph = f"[out]fps={fps},scale={width}:{height},pad={width}:{tall}:0:0,format=yuv420p,setsar=1[v]"
    *inputs, last = source
    reader = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-nostdin", *map(str, inputs), "-filter_complex", f"{last};{graph}", "-map", "[v]",
         "-frames:v", str(frames), "-f", "rawvideo", "-"], stdout=subprocess.PIPE)
    part = out.with_suffix(".part")
    writer = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{tall}", "-r", str(fps),
         "-i", "-", "-c:v", "libx264", "-preset", "veryfast", *quality, "-profile:v", "main", "-bf", "0",
         "-g", str(max(1, round(fps * group))), "-x264-params", "aud=1:repeat-headers=1:scenecut=0:annexb=1", "-f", "h264", part],
        stdin=subprocess.PIPE)
    size = width * tall * 3 // 2
    for number in range(frames):
        frame = bytearray(reader.stdout.read(size))
        if len(frame) < size:
            sys.exit(f"{out.name}: {number} of {frames} frames")
        stamp(number % (1 << BITS), frame, width, y=height if pad else 0)
        writer.stdin.write(frame)
    writer.stdin.close()
    reader.stdout.close()
    if writer.wait() or reader.wait() not in (0, 255):
        sys.exit(f"{out.name} could not be made")
    part.rename(out)


def stamped(folder, name, source, width, height, fps, frames, **more):
    """The clip, made where it is not there yet."""
    said = json.dumps([[str(s) for s in source], width, height, fps, frames, more], sort_keys=True)
    path = folder / f"{name}-{hashlib.sha256(said.encode()).hexdigest()[:8]}.h264"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        encode_stamped(source, path, width, height, fps, frames, **more)
    return path


# ---- processes


def children(pid):
    """A process and all that came from it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
                parents[int(entry)] = int(fields[1])
            except (OSError, IndexError):
                continue
    tree, grew = {pid}, True
    while grew:
        more = {p for p, parent in parents.items() if parent in tree} - tree
        grew = bool(more)
        tree |= more
    return tree


def cpu_seconds(pid):
    """CPU time of a process and its descendants, dead children that were waited for included."""
    total = 0
    for one in children(pid):
        try:
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(map(int, fields[11:13]))
            if one == pid:
                total += sum(map(int, fields[13:15]))
        except (OSError, IndexError):
            continue
    return total / TICK


def memory_mb(pid):
    """Resident megabytes of a process and its descendants, each shared page counted once (needs root)."""
    total = 0
    for one in children(pid):
        try:
            text = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
        except (OSError, TypeError):
            continue
    return total * 1024 / 1e6


def end(process):
    """Ends a child of ours, kindly first."""
    if process and process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Camera:
    """One camera.

    `clips` are byte streams of encode_stamped."""

    def __init__(self, fps, clips, log=None):
        self.port, = free_ports(1)
        self.fps, self.clips, self.log = fps, clips, log
        self.process = None
        self.start()

    @property
    def url(self):
        return f"rtsp://127.0.0.1:{self.port}/cam"

    def start(self, first=0):
        clips = self.clips[first:] + self.clips[:first]
        self.process = subprocess.Popen(
            [SYSTEM_PYTHON, HERE / "cameras.py", str(self.port), str(self.fps), self.log or "-", *map(str, clips)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not self.process.stdout.readline().startswith("port"):
            raise RuntimeError("a camera does not listen: are python3-gi and gir1.2-gst-rtsp-server-1.0 installed?")

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        end(self.process)


class Gateway:
    """`placet serve` over cameras given by name and URL or file."""

    def __init__(self, folder, sources, fps, redaction="", more=""):
        folder.mkdir(parents=True, exist_ok=True)
        self.rtsp, self.metrics_port = free_ports(2)
        text = ""
        for name, source in sources.items():
            kind = "url" if str(source).startswith("rtsp") else "film"
            text += f'[[camera]]\nname = "{name}"\n{kind} = "{source}"\nframe_rate = {fps}\n{more}\n'
        models_ = models()["PLACET_MODELS"]
        text += f'[redaction]\n{redaction}\n[gateway]\nmodels = "{models_}"\nmetrics = "127.0.0.1:{self.metrics_port}"\n'
        text += f'[rtsp]\nlisten = "127.0.0.1:{self.rtsp}"\n'
        (folder / "placet.toml").write_text(text)
        self.said = open(folder / "serve.log", "wb")
        self.begun = time.monotonic()
        self.process = subprocess.Popen([PLACET, "serve", "-c", folder / "placet.toml"], env=models(),
                                        stdin=subprocess.DEVNULL, stdout=self.said, stderr=self.said)
        self.pid = self.process.pid

    def url(self, name):
        return f"rtsp://127.0.0.1:{self.rtsp}/{name}"

    def metrics(self):
        """Values by (name, camera, other label)."""
        if self.process.poll() is not None:
            raise RuntimeError(f"placet serve ended with {self.process.returncode}: see {self.said.name}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except (urllib.error.URLError, OSError):
            return {}
        values = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
            labels = dict(re.findall(r'(\w+)="([^"]*)"', labels or ""))
            camera = labels.pop("camera", None)
            values[name, camera, next(iter(labels.values()), None)] = float(value)
        return values

    def wait_up(self, names, seconds=60):
        """Until every camera is live."""
        return until("cameras live", lambda: (m := self.metrics()) and all(
            m.get(("placet_camera_up", name, None)) for name in names), seconds)[0]

    def close(self):
        end(self.process)
        self.said.close()


class Viewer(threading.Thread):
    """Reads a stream as a viewer does, the decoder told not to wait; the counters that come, with when: `seen`."""

    def __init__(self, url, y=0):
        super().__init__(daemon=True)
        self.seen = []
        self.process = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-nostdin", *LATEST, "-rtsp_transport", "tcp", "-max_delay", "0", "-threads", "1",
             "-i", url, "-vf", f"crop={CODE_WIDTH}:{CODE_HEIGHT}:0:{y}:exact=1,format=gray", "-vsync", "passthrough",
             "-f", "rawvideo", "-flush_packets", "1", "-"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.start()

    def run(self):
        while len(picture := self.process.stdout.read(CODE_WIDTH * CODE_HEIGHT)) == CODE_WIDTH * CODE_HEIGHT:
            self.seen.append((counter(picture), time.monotonic()))

    def close(self):
        end(self.process)
        self.join(10)


class Drain:
    """A viewer that takes the coded stream and throws it away: the encoder runs, and little else."""

    def __init__(self, url):
        self.process = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i", url, "-c", "copy", "-f", "null", "-"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        end(self.process)


class Recorder(threading.Thread):
    """A recorder: writes the coded stream into FOLDER/NAME-n.h264, and connects anew when it is thrown out."""

    def __init__(self, url, folder, name):
        super().__init__(daemon=True)
        self.url, self.folder, self.name = url, folder, name
        self.files, self.over, self.process = [], threading.Event(), None
        self.start()

    def run(self):
        while not self.over.is_set():
            path = self.folder / f"{self.name}-{len(self.files)}.h264"
            self.process = subprocess.Popen(
                ["ffmpeg", "-v", "error", "-nostdin", "-y", "-rtsp_transport", "tcp", "-i", self.url, "-c", "copy",
                 "-f", "h264", "-flush_packets", "1", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.files.append(path)
            self.process.wait()
            self.over.wait(0.3)

    def close(self):
        self.over.set()
        end(self.process)
        self.join(10)
        self.files = [f for f in self.files if f.exists() and f.stat().st_size]
