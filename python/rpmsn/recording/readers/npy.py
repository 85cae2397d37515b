# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays that numpy has saved (.npy): the samples stay where they are, and nothing is unpickled."""

from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from ...errors import RecordingError
from ..stores import FileStore
from .found import Found, capture, described

MAGIC = b"\x93NUMPY"
SIZES = {"i": (1, 2, 4), "u": (1, 2, 4), "f": (4, 8)}
"""Kind of number -> bytes of those that SigMF has."""


def open_npy(path: Path, store: FileStore) -> Found:
    """Open it; only the header is read.

    Raises:
        RecordingError: the file is damaged, or its array is none of samples.
    """
    file = store.reader()
    try:
        version = npy_format.read_magic(file)
        read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, is_fortran, dtype = read(file)
    except Exception as error:  # whatever the parser of Python raises for a damaged header
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RecordingError(f"{path} is a damaged file of numpy: {reason:.200}. Save it again.") from error
    start = file.tell()
    datatype, channels, count = _datatype(path, shape, is_fortran, dtype)
    length = min(count, max(0, store.size - start))
    return Found(
        path,
        store,
        described(
            datatype,
            captures=[capture(start)],
            num_channels=channels,
            trailing_bytes=max(0, store.size - start - length),
        ),
    )


def _datatype(path: Path, shape: tuple[int, ...], is_fortran: bool, dtype: np.dtype) -> tuple[str, int, int]:
    """(SigMF name, channels, bytes of the samples) of an array."""
    fields = [dtype[name] for name in dtype.names or ()]
    number, is_complex = dtype, dtype.kind == "c"
    if len(fields) == 2 and fields[0] == fields[1] and dtype.itemsize == 2 * fields[0].itemsize:
        number, is_complex = fields[0], True
    elif is_complex:
        number = np.dtype(f"{dtype.byteorder}f{dtype.itemsize // 2}")
    channels = 1
    is_flat = len(shape) == 1 or len(shape) == 2 and 1 in shape
    if not is_flat and len(shape) == 2 and not is_fortran and not is_complex and shape[1] == 2:
        is_complex = True
    elif not is_flat and len(shape) == 2 and not is_fortran and shape[1] <= 16:
        channels = shape[1]
    elif not is_flat:
        raise RecordingError(
            f"{path} holds an array of shape {shape}; samples are one axis of complex numbers, or lines of I and Q. "
            "Save one channel as x.astype('complex64') with one axis."
        )
    order = "_be" if number.str[0] == ">" else "_le"
    name = f"{'c' if is_complex else 'r'}{number.kind}{8 * number.itemsize}{'' if number.itemsize == 1 else order}"
    if number.itemsize not in SIZES.get(number.kind, ()):
        raise RecordingError(f"{path} holds {dtype}, which is none of samples: save it as x.astype('complex64').")
    return name, channels, int(np.prod(shape, dtype=object)) * dtype.itemsize
