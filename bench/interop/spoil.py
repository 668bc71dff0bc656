#!/usr/bin/env python3
"""Copies a published log once for each way to spoil it: spoil.py DIR OUT. Prints the judges that must refuse, and the copy.

A bit is flipped at the beginning, in the middle and at the end of each bundle and tile; of the checkpoint in each line that
the log signed and in its signature. Tiles of hashes are only of use to a judge that reads them.
"""

import pathlib
import shutil
import sys

source, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])


def copy(name, path, data, judges):
    target = out / f"{name}"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("slots", "cosigned", "roster"))
    if data is None:
        (target / path).unlink()
    else:
        (target / path).write_bytes(data)
    print(judges, target)


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


count = 0
for file in sorted(path for path in source.rglob("*") if path.is_file()):
    path, data = file.relative_to(source), file.read_bytes()
    if path.parts[0] == "tile":
        places = {0, len(data) // 2, len(data) - 1}
        judges = "all" if path.parts[1] == "entries" else "tiles"
    elif path.name == "checkpoint":
        lines = data.split(b"\n")
        starts = [sum(len(line) + 1 for line in lines[:i]) for i in range(5)]
        places = set(starts[:3]) | {starts[4] + len(lines[4]) // 2, starts[4] + len(lines[4]) - 8}
        judges = "all"
    else:
        continue
    for at in sorted(places):
        count += 1
        copy(count, path, flip(data, at), judges)
    count += 1
    copy(count, path, None, judges)
