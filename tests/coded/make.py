#!/usr/bin/env python3
"""Writes the coded frames beside this file, which tests/media/syntaxes.rs wraps into DICOM.

    pip install imagecodecs==2026.3.6 numpy
    python3 tests/coded/make.py

Each is frame 0 of that test, 32 x 24, in colour or (gray) its first component alone. Encoders for
these codings can be had here and not in Rust.
"""

from pathlib import Path

import imagecodecs
import numpy as np

HERE = Path(__file__).parent
ROWS, COLUMNS = 24, 32

y, x = np.mgrid[:ROWS, :COLUMNS]
rgb = np.stack([6 * x, 8 * y, x], axis=-1).astype(np.uint8)
gray = np.ascontiguousarray(rgb[..., 0])
deep = (gray.astype(np.uint16) * 16)  # 12 of 16 bits

coded = {
    "jpeg2000_rgb.j2k": imagecodecs.jpeg2k_encode(rgb, codecformat="J2K", reversible=True),
    "jpeg2000_gray.j2k": imagecodecs.jpeg2k_encode(gray, codecformat="J2K", reversible=True),
    "jpeg2000_lossy_rgb.j2k": imagecodecs.jpeg2k_encode(rgb, level=60, codecformat="J2K", reversible=False),
    "htj2k_rgb.j2c": imagecodecs.htj2k_encode(rgb, reversible=True, rgb=True),
    "htj2k_gray.j2c": imagecodecs.htj2k_encode(gray, reversible=True),
    "jpeg_ls_rgb.jls": imagecodecs.jpegls_encode(rgb),
    "jpeg_ls_gray.jls": imagecodecs.jpegls_encode(gray),
    "jpeg_lossless_gray.jpg": imagecodecs.ljpeg_encode(gray),
    "jpeg_lossless_deep.jpg": imagecodecs.ljpeg_encode(deep, bitspersample=12),
    "jpeg_lossless_rgb.jpg": imagecodecs.jpeg8_encode(rgb, lossless=True, colorspace="RGB", outcolorspace="RGB"),
}
for name, data in coded.items():
    (HERE / name).write_bytes(data)
    print(f"{name:24} {len(data):6} bytes")
