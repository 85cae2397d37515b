# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of Digital RF, by its library (pip install digital_rf). Samples that are missing are silence."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import RecordingError
from .found import Found, capture, described

PROPERTIES = "drf_properties.h5"


def is_digital_rf(path: Path) -> bool:
    """Whether a folder is a channel of Digital RF, or holds such."""
    return (path / PROPERTIES).is_file() or any(path.glob(f"*/{PROPERTIES}"))


def open_digital_rf(path: Path, number: int | None) -> Found:
    """Open a channel.

    Args:
        path: of the folder of the channel, or of the one above.
        number: of the channel, from 1 in the order of their names; None for the only one.

    Raises:
        RecordingError: the library is missing, the folder is damaged, or there are several channels.
    """
    try:
        import digital_rf
    except ImportError as error:
        raise RecordingError(f"{path} is a recording of Digital RF: pip install digital_rf, to read it.") from error
    is_channel = (path / PROPERTIES).is_file()
    try:
        reader = digital_rf.DigitalRFReader(str(path.parent if is_channel else path))
        names = [path.name] if is_channel else sorted(reader.get_channels())
        if len(names) > 1 and number is None:
            listed = "; ".join(f"{k} {name}" for k, name in enumerate(names[:16], 1))
            raise RecordingError(f"{path} holds {len(names)} channels: choose one by --channel ({listed}).")
        if not 1 <= (number or 1) <= len(names):
            raise RecordingError(f"channel is {number}; {path} has {len(names)} channel(s).")
        name = names[(number or 1) - 1]
        return _found(path, reader, name)
    except RecordingError:
        raise
    except Exception as error:  # whatever h5py and the library raise for a damaged folder
        raise RecordingError(f"{path} cannot be read by digital_rf: {error}") from error


def _found(path: Path, reader: Any, name: str) -> Found:
    first, last = reader.get_bounds(name)
    properties = reader.get_properties(name)
    rate = float(properties["samples_per_second"])
    (sample,) = reader.read(first, first, name).values()
    dtype = sample.dtype[0] if sample.dtype.names else sample.dtype
    is_complex = bool(properties["is_complex"]) or sample.dtype.kind == "c"
    number = np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype
    order = "" if number.itemsize == 1 else "_le"
    datatype = f"{'c' if is_complex else 'r'}{number.kind}{8 * number.itemsize}{order}"
    began = dt.datetime.fromtimestamp(first / rate, dt.timezone.utc)
    start = capture(datetime=began.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), frequency=_frequency(path, name, reader, first))
    store = _Store(path, reader, name, first, last + 1 - first, number.newbyteorder("<"), is_complex)
    channels = int(properties.get("num_subchannels", 1))
    return Found(
        path, store, described(datatype, rate, [start], num_channels=channels), warnings=store.warnings, is_plain=False
    )


def _frequency(path: Path, name: str, reader: Any, first: int) -> float | None:
    """`center_frequencies` of the channel's metadata, as the recorder `thor` writes them."""
    try:
        metadata = reader.get_digital_metadata(name)
        entry = next(iter(metadata.read(first, first + 1, method="ffill").values()))
        return float(np.ravel(entry["center_frequencies"])[0])
    except Exception:  # no metadata, or other ones: the frequency is not known
        return None


class _Store:
    """As of `stores.Store`: the samples as little-endian numbers, zero where they are missing."""

    def __init__(
        self, path: Path, reader: Any, name: str, first: int, count: int, number: np.dtype, is_complex: bool
    ) -> None:
        self._path, self._reader, self._name, self._first, self._number = path, reader, name, first, number
        properties = reader.get_properties(name)
        channels = int(properties.get("num_subchannels", 1))
        self._width = number.itemsize * (2 if is_complex else 1) * channels
        self.size = count * self._width
        blocks = reader.get_continuous_blocks(first, first + count - 1, name)
        missing = count - sum(blocks.values())
        self.warnings = [f"{missing} samples are missing in the recording and count as silence"] if missing else []

    def fill(self, position: int, view: memoryview) -> None:
        """As of Store."""
        view[:] = bytes(len(view))
        begin, skip = divmod(position, self._width)
        count = -(-(skip + len(view)) // self._width)
        start = self._first + begin
        try:
            pieces = self._reader.read(start, start + count - 1, self._name)
        except Exception as error:  # as at opening
            raise RecordingError(f"{self._path} cannot be read at sample {begin}: {error}") from error
        for at, samples in pieces.items():
            raw = _bytes(samples, self._number)
            offset = (at - start) * self._width - skip
            low, high = max(0, offset), min(len(view), offset + len(raw))
            view[low:high] = raw[low - offset : high - offset]

    def close(self) -> None:
        """As of Store."""


def _bytes(samples: np.ndarray, number: np.dtype) -> bytes:
    """Samples of any kind as numbers of one kind, one behind the other."""
    if samples.dtype.names:
        first, second = samples.dtype.names
        samples = np.stack([samples[first], samples[second]], axis=-1)
    elif samples.dtype.kind == "c":
        samples = np.ascontiguousarray(samples).view(samples.real.dtype)
    return np.ascontiguousarray(samples, number).tobytes()
