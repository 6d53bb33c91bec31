"""What pydicom gives for the first and last frame of a file, as 8 bits.

The rules of src/media/dicom/samples.rs: colour as RGB (16-bit colour by its highest 8 stored bits),
palettes applied, MONOCHROME1 inverted, single bits as 0 and 255, 8-bit gray as it is, wider gray by
the file's window or else by the first frame's range.
"""

import warnings

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, convert_color_space, pixel_array


def rounded(values):
    return np.floor(values + 0.5).clip(0, 255).astype(np.uint8)


def ybr_to_rgb(a):
    y, cb, cr = (a[..., i].astype(np.float32) for i in range(3))
    cb, cr = cb - 128, cr - 128
    parts = [y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb]
    return rounded(np.stack(parts, -1))


def scale(ds, frame, first):
    """Gray of more than 8 bits."""
    slope = float(ds.get("RescaleSlope", 1) or 1)
    intercept = float(ds.get("RescaleIntercept", 0) or 0)
    def of(name):
        value = ds.get(name)
        if value is None or value == "":
            return None
        return float(value[0] if hasattr(value, "__len__") and not isinstance(value, str) else value)
    centre, width = of("WindowCenter"), of("WindowWidth")
    if centre is not None and width is not None and width >= 2:
        low = centre - 0.5 - (width - 1) / 2
        high = low + width - 1
    else:
        values = first.astype(np.float64) * slope + intercept
        low, high = values.min(), values.max()
    if low >= high:
        low, high = 0.0, 1.0
    values = frame.astype(np.float64) * slope + intercept
    return np.floor(((values - low) / (high - low)).clip(0, 1) * 255 + 0.5).astype(np.uint8)


def frames(path):
    """(count, first, last) as uint8 arrays; raises what pydicom raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(path, force=True)
        count = int(ds.get("NumberOfFrames", 1) or 1)
        if not hasattr(ds.file_meta, "TransferSyntaxUID"):
            ds.file_meta.TransferSyntaxUID = guessed(ds)
        # As the file codes it: a conversion of pydicom's own would hide what the decoder gave.
        got = [pixel_array(ds, index=i, raw=False) for i in (0, count - 1)]
        photometric = ds.PhotometricInterpretation
        return count, *(eight_bits(ds, a, got[0], photometric) for a in got)


def guessed(ds):
    if ds.original_encoding[0]:
        return pydicom.uid.ImplicitVRLittleEndian
    little = ds.original_encoding[1]
    return pydicom.uid.ExplicitVRLittleEndian if little else pydicom.uid.ExplicitVRBigEndian


def eight_bits(ds, a, first, photometric):
    if photometric == "PALETTE COLOR":
        rgb = apply_color_lut(a, ds)
        wide = rgb.max() > 255
        return (rgb >> 8 if wide else rgb).astype(np.uint8)
    if a.ndim == 3:
        stored = ds.BitsStored
        return (a >> max(stored - 8, 0)).astype(np.uint8)
    if ds.BitsAllocated == 1:
        return (a * 255).astype(np.uint8)
    plain = ds.BitsAllocated == 8 and ds.BitsStored == 8 and ds.PixelRepresentation == 0
    gray = a.astype(np.uint8) if plain else scale(ds, a, first)
    return 255 - gray if photometric == "MONOCHROME1" else gray
