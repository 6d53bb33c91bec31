"""Reads a data set that `echoif dataset merge` completed as EchoNet-Dynamic's public loader does, by OpenCV.

    pip install numpy opencv-python-headless
    python tests/dataset_layout.py DATASET [--echoif target/release/echoif]

Lists, file names, codec, size, rate, numbers of frames, tracings; with --echoif the pixels, too, against that program's own
reading (which takes the word in the corner away). Prints what it saw; the exit status is 1 at the first that is wrong.
"""
import argparse
import collections
import csv
import os
import subprocess
import sys
import tempfile

import cv2
import numpy as np

COLUMNS = ["FileName", "EF", "ESV", "EDV", "FrameHeight", "FrameWidth", "FPS", "NumberOfFrames", "Split"]
LINES = ["FileName", "X1", "Y1", "X2", "Y2", "Frame"]
# Where the word stands in every clip: rows, columns.
WORD = (slice(0, 8), slice(0, 39))


def check(good, what):
    if not good:
        sys.exit(f"wrong: {what}")


def table(path, columns):
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    check(rows[0] == columns, f"{path} begins with {rows[0]}")
    return [dict(zip(columns, row)) for row in rows[1:]]


def frames(path):
    """As the loader: frame by frame, as many as the container says."""
    video = cv2.VideoCapture(path)
    check(video.isOpened(), f"{path} does not open")
    codec = int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
    check(codec == b"MJPG", f"{path} is {codec}")
    count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    out = np.zeros((count, 112, 112, 3), np.uint8)
    for i in range(count):
        there, frame = video.read()
        check(there, f"{path}: frame {i} of {count} cannot be read")
        out[i] = frame
    check(not video.read()[0], f"{path} has more than {count} frames")
    return out, video.get(cv2.CAP_PROP_FPS)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("dataset")
    arguments.add_argument("--echoif")
    given = arguments.parse_args()
    rows = table(os.path.join(given.dataset, "FileList.csv"), COLUMNS)
    tracings = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in table(os.path.join(given.dataset, "VolumeTracings.csv"), LINES):
        ends = [float(line[name]) for name in LINES[1:5]]
        tracings[line["FileName"]][int(line["Frame"])].append(ends)
    farthest = 0
    for row in rows:
        name = row["FileName"]
        check("." not in name, f"{name} has an ending: the loader adds .avi")
        path = os.path.join(given.dataset, "Videos", name + ".avi")
        video, rate = frames(path)
        check(len(video) == int(row["NumberOfFrames"]), f"{name} has {len(video)} frames")
        check(abs(rate - float(row["FPS"])) < 1e-3, f"{name} has {rate} frames a second")
        check((row["FrameHeight"], row["FrameWidth"]) == ("112", "112"), f"{name}'s size")
        check(row["Split"] in ("TRAIN", "VAL", "TEST"), f"{name}'s split")
        check(0 < float(row["EF"]) < 100, f"{name}'s EF")
        check((video == video[..., :1]).all(), f"{name} is not gray")
        check(video[:, 10:].max() > 100 and (video[1:] != video[:-1]).any(), f"{name} shows nothing that moves")
        check((video[:, WORD[0], WORD[1]].max(axis=(1, 2, 3)) > 60).all(), f"{name} has no word in its corner")
        # The loader passes over what has not two traced frames.
        traced = tracings[name + ".avi"]
        check(len(traced) == 2 and all(len(lines) == 21 for lines in traced.values()), f"{name}'s tracings")
        check(all(0 <= frame < len(video) for frame in traced), f"{name}'s traced frames")
        if given.echoif:
            with tempfile.TemporaryDirectory() as folder:
                still = os.path.join(folder, "frame.png")
                command = [given.echoif, "open", path, "--frame", "0", "--png", still]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                own = cv2.imread(still, cv2.IMREAD_GRAYSCALE).astype(int)
            own[WORD], theirs = 0, video[0, ..., 0].astype(int)
            theirs[WORD] = 0
            check(own.shape == theirs.shape, f"{name}: {own.shape} by echoif")
            # Two decoders of JPEG may round otherwise.
            farthest = max(farthest, int(np.abs(own - theirs).max()))
            check(farthest <= 3, f"{name}: {farthest} levels between the two")
    kept = sum(len(frames) == 2 for frames in tracings.values())
    print(f"{len(rows)} clips, {kept} with tracings; at most {farthest} levels from echoif's own reading")


if __name__ == "__main__":
    main()
