"""Writes table.csv: every file of the pydicom wheel's test data and what is expected of it.

    python3 tests/pydicom/make_table.py

needs pydicom 3.0.2, numpy, pillow, pylibjpeg with its libjpeg, openjpeg and rle plugins. Lossless
frames are kept as SHA-256 of their 8-bit samples, lossy ones as PNG beside the table.
"""

import csv
import hashlib
import pathlib

import pydicom
from PIL import Image

import reference

HERE = pathlib.Path(__file__).parent
ROOT = pathlib.Path(pydicom.__file__).parent / "data" / "test_files"
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81",
         "1.2.840.10008.1.2.4.91"}
# Opened here though pydicom gives up on them: nothing to compare with.
UNCHECKED = {"badVR.dcm"}
JPEG_LS = {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"}


def row(path):
    name = path.relative_to(ROOT).as_posix()
    try:
        ds = pydicom.dcmread(path, stop_before_pixels=True)
    except Exception:
        ds = None
    if ds is not None and "DirectoryRecordSequence" in ds and len(ds.DirectoryRecordSequence) > 1:
        return [name, "collection", "directory", "", "", ""]
    try:
        count, first, _ = reference.frames(path)
    except Exception as e:
        if name in UNCHECKED:
            return [name, "picture", "unchecked", "", "", ""]
        if ds is not None and ds.get("BitsStored") == 12 and "JPEG" in ds.file_meta.TransferSyntaxUID.name:
            return [name, "sentence", "12-bit JPEG", "", "", ""]
        reason = "no pixel data" if "has no 'Pixel Data'" in str(e) else "damaged or incomplete"
        return [name, "sentence", reason, "", "", ""]
    syntax = str(ds.file_meta.get("TransferSyntaxUID", "")) if ds is not None else ""
    if syntax == "1.2.840.10008.1.2.4.51" and ds.BitsStored > 8:
        return [name, "sentence", "12-bit JPEG", "", "", ""]
    feature = "jpeg-ls" if syntax in JPEG_LS else ""
    shape = "x".join(map(str, first.shape))
    if syntax in LOSSY:
        Image.fromarray(first).save(HERE / (name.replace("/", "_") + ".png"), optimize=True)
        return [name, "picture", "within 3", count, shape, feature]
    return [name, "picture", hashlib.sha256(first.tobytes()).hexdigest(), count, shape, feature]


def main():
    files = sorted(p for p in ROOT.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc"))
    with open(HERE / "table.csv", "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["file", "outcome", "why_or_sha256_of_frame_0", "frames", "shape", "feature"])
        writer.writerows(row(p) for p in files)


main()
