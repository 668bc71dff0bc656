"""Pictures with faces that carry a canary, and the search for canaries and faces in recordings.

The canary is two squares, magenta and green, painted on the forehead of every face before the picture is encoded.
Everything else is grey or skin. So whoever sees these colours in a redacted recording sees a part of a face that was
not hidden, whatever a detector says of it.
"""

import json
import pathlib
import subprocess
import tempfile
import time
import tomllib
import zipfile

import live

SIZE, SMALL = (640, 360), (480, 270)
SECONDS = 12
# Chroma from which a sample counts as the canary: no skin, no picture of the benches comes near.
MAGENTA = (168, 168)
GREEN = (92, 86)
LEAST = 4
# A picture of which less than this share is near one of the cameras' scenes, within so many steps of luma, came spoilt: what
# was cut or flipped can decode without a complaint, to any colour. One sample of so many is compared.
NEAR, WHOLE, SPARSE = 24, 0.6, 31

BACKGROUNDS = ["brick.png", "gravel.png", "grass.png", "text.png"]
# Two faces each: the picture in truth/stills.toml of bench/leak, and the face's height in the 360 rows.
CASTS = [(("astronaut.png", 110), ("biden.jpg", 72)), (("obama.jpg", 120), ("obama3.jpg", 64)),
         (("biden.jpg", 96), ("astronaut.png", 56)), (("obama2.jpg", 80), ("astronaut.png", 130))]
# Where only scikit-image's pictures are at hand: its one face, near and far.
FEW = [[("astronaut.png", 110 + 10 * n), ("astronaut.png", 56 + 8 * n)] for n in range(4)]


def material():
    """The folder of pictures: bench/fetch's where it ran, else those of scikit-image, fetched by hash (14 MB)."""
    if (live.DATA / "complete").exists():
        return live.DATA / "pictures"
    folder = live.TARGET / "bench-live" / "pictures"
    if not (folder / "astronaut.png").exists():
        pins = (live.HERE.parent / "material.txt").read_text().splitlines()
        with tempfile.TemporaryDirectory() as work:
            wanted = pathlib.Path(work) / "requirements.txt"
            wanted.write_text(next(line for line in pins if line.startswith("scikit-image")) + "\n")
            subprocess.run(["python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                            "--require-hashes", "--only-binary=:all:", "--platform=manylinux_2_28_x86_64", "--python-version=311",
                            "--dest", work, "--requirement", wanted], check=True)
            folder.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(next(pathlib.Path(work).glob("*.whl"))) as wheel:
                for name in sorted({*BACKGROUNDS, "astronaut.png"}, reverse=True):
                    (folder / name).write_bytes(wheel.read(f"skimage/data/{name}"))
    return folder


def faces():
    table = tomllib.loads((live.HERE.parent / "leak/truth/stills.toml").read_text())["face"]
    boxes = {}
    for face in table:
        boxes.setdefault(face["picture"], face["box"])
    return boxes


def scene(number, fps):
    """ffmpeg's arguments for one clip: two faces that wander, each with its canary, over something grey."""
    boxes, pictures = faces(), material()
    cast = (CASTS if (pictures / "biden.jpg").exists() else FEW)[number % len(CASTS)]
    inputs = ["-loop", "1", "-framerate", fps, "-i", pictures / BACKGROUNDS[number % len(BACKGROUNDS)]]
    graph = "[0:v]scale=640:360:force_original_aspect_ratio=increase,crop=640:360,format=gray,format=yuv444p[p0]"
    for place, (picture, height) in enumerate(cast):
        x, y, w, h = boxes[picture]
        inputs += ["-loop", "1", "-framerate", fps, "-i", pictures / picture]
        scale = height / h
        square = round(h * 0.13)
        middle, top = x + w // 2, y + round(h * 0.06)
        left, up = max(0, x - round(w * 0.5)), max(0, y - round(h * 0.45))
        wide, high = round(w * 2), round(h * 1.75)
        graph += (
            f";[{place + 1}:v]format=rgb24,drawbox={middle - square}:{top}:{square}:{square}:magenta:fill,"
            f"drawbox={middle}:{top}:{square}:{square}:0x00ff00:fill,"
            f"crop='min({wide},iw-{left})':'min({high},ih-{up})':{left}:{up},scale=iw*{scale:.5f}:-2:flags=area,"
            f"format=yuv444p[f{place}]")
        span = f"(W-w)*(0.5+0.5*sin(t*{0.5 + 0.23 * place + 0.1 * number:.2f}+{2.6 * place + number}))"
        if place == 0:
            span = f"(W/2-w)*(0.5+0.5*sin(t*{0.5 + 0.1 * number:.2f}+{number}))"
        else:
            span = f"W/2+(W/2-w)*(0.5+0.5*sin(t*{0.73 + 0.1 * number:.2f}+{2.6 + number}))"
        graph += f";[p{place}][f{place}]overlay=x='{span}':y='(H-h)*(0.6+0.4*sin(t*0.9+{place}))':shortest=0[p{place + 1}]"
    return [*inputs, f"{graph};[p{len(cast)}]null[out]"]


def clips(folder, fps):
    """The clips: four at the full size, and the first once more in a small one."""
    frames = round(SECONDS * fps)
    made = [live.stamped(folder, f"canary{n}", scene(n, fps), *SIZE, fps, frames) for n in range(len(CASTS))]
    made.append(live.stamped(folder, "canary-small", scene(0, fps), *SMALL, fps, frames))
    return made


def scenes(made):
    """Every sixth picture of each clip, as luma samples, by which a picture of a camera is told from a spoilt one."""
    size = SIZE[0] * SIZE[1]
    known = []
    for path in made:
        luma = subprocess.run(
            ["ffmpeg", "-v", "quiet", "-nostdin", "-i", path, "-vf",
             f"select='not(mod(n,6))',scale={SIZE[0]}:{SIZE[1]}:flags=area,format=gray", "-vsync", "passthrough", "-f", "rawvideo", "-"],
            stdout=subprocess.PIPE, check=True).stdout
        known += [luma[at:at + size:SPARSE] for at in range(0, len(luma), size)]
    return known


def likeness(luma, known):
    """The share of a picture's samples that are near those of the scene it is most like (0 to 1)."""
    sample = luma[::SPARSE]
    return max(sum(abs(a - b) <= NEAR for a, b in zip(sample, scene)) for scene in known) / len(sample)


def canaries(path, known):
    """Frames of a recording, and of those that show the canary's colours: number, how many chroma samples do, and how like
    the picture is to the scenes of the cameras."""
    width, height = SIZE
    luma, chroma = width * height, width * height // 4
    reader = subprocess.Popen(
        ["ffmpeg", "-v", "quiet", "-nostdin", "-i", path, "-vf", f"scale={width}:{height}:flags=area,format=yuv420p",
         "-vsync", "passthrough", "-f", "rawvideo", "-"], stdout=subprocess.PIPE)
    table = lambda test: bytes(int(test(value)) for value in range(256))
    tables = [(table(lambda v: v >= MAGENTA[0]), table(lambda v: v >= MAGENTA[1])),
              (table(lambda v: v <= GREEN[0]), table(lambda v: v <= GREEN[1]))]
    frames, shown = 0, []
    while len(frame := reader.stdout.read(luma + 2 * chroma)) == luma + 2 * chroma:
        u, v = frame[luma:luma + chroma], frame[luma + chroma:]
        count = sum((int.from_bytes(u.translate(a), "little") & int.from_bytes(v.translate(b), "little")).bit_count()
                    for a, b in tables)
        if count >= LEAST:
            shown.append((frames, count, round(likeness(frame[:luma], known), 2)))
        frames += 1
    reader.wait()
    return frames, shown


def hidden(path, folder):
    """The recording with its faces hidden by `placet redact`, in `folder`."""
    film, out = folder / "film.mp4", folder / "hidden.mp4"
    subprocess.run(["ffmpeg", "-v", "quiet", "-nostdin", "-y", "-r", "15", "-i", path, "-c:v", "libx264", "-crf", "14", film], check=True)
    subprocess.run([live.PLACET, "redact", "-q", "-y", "--manifest", "none", "-o", out, film], env=live.models(), check=True)
    return out


def faces_found(path, every=1):
    """What both detectors of `placet redact --verify full` find in every nth frame of a recording: frames looked at,
    tracks of the first detector, finds of the second, at full size, in what the first left."""
    with tempfile.TemporaryDirectory() as folder:
        thin, out = pathlib.Path(folder) / "thin.mp4", pathlib.Path(folder) / "out.mp4"
        subprocess.run(
            ["ffmpeg", "-v", "quiet", "-nostdin", "-y", "-i", path, "-vf",
             f"select='not(mod(n,{every}))',scale={SIZE[0]}:{SIZE[1]},setpts=N/15/TB,fps=15,format=yuv420p",
             "-c:v", "libx264", "-preset", "veryfast", "-crf", "14", thin], check=True)
        told = subprocess.run([live.PLACET, "redact", "--verify", "full", "--json", "-q", "-o", out, thin],
                              env={**live.models(), "XDG_DATA_HOME": folder}, capture_output=True, text=True)
        if told.returncode:
            raise RuntimeError(f"placet redact on {path.name}: {told.stderr[-500:]}")
        manifest = json.loads(told.stdout)["files"][0]["manifest"]
        tracks = [(t["first_frame"] * every, t["detected"], t["max_height_px"]) for t in manifest["tracks"]
                  if not t["found_by_check"]]
        return manifest["check"]["frames_checked"], tracks, manifest["check"]["faces_found"]


if __name__ == "__main__":
    import sys
    known = scenes(sorted((live.TARGET / "bench-live" / "clips").glob("canary*.h264")))
    for path in map(pathlib.Path, sys.argv[1:]):
        start = time.monotonic()
        frames, shown = canaries(path, known)
        print(path.name, frames, "frames,", len(shown), "with a canary", shown[:20], f"{time.monotonic() - start:.1f} s")
