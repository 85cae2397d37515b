# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters over long chunks in blocks, circular, in place: receivers' pass bands, coloured noise, clock errors.

A block of `BLOCK` samples is transformed, multiplied and transformed back; `BLOCK - TAPS` of its samples are kept
(overlap-save). A few blocks are worked on at a time, so that they stay in the processor's cache; the generators below
yield each piece when it is done, so that further steps find it in the cache.
"""

from collections.abc import Callable, Iterator

import numpy as np
import scipy.fft

from . import phasors

BLOCK = 1024
TAPS = 192
HOP = BLOCK - TAPS
HALF = TAPS // 2
BLOCKS_AT_A_TIME = 32

EVEN_EDGE = 0.47
"""Fraction of the sample rate above which a delayed signal is not delayed any more; see `_delay_angle`."""

MAX_DRIFT = 50e-6


def filter_in_pieces(samples: np.ndarray, gain: Callable[[np.ndarray], np.ndarray]) -> Iterator[tuple[int, int]]:
    """Filter in place without delay.

    Args:
        samples: complex64, shape (n,); the chunk is taken as one period of a periodic signal.
        gain: function of the frequency, an array of fractions of the sample rate (-0.5..0.5) -> amplitude gain. It is
            smoothed to the resolution of `TAPS` taps.

    Yields:
        (first, last): samples[first:last] are done; the pieces follow each other without gap.
    """
    response = np.repeat(_smooth_response(gain), 2)
    n = samples.size
    head, before = _wrapped(samples, 0, BLOCK), _wrapped(samples, -HALF, 0)
    for first in range(0, n, BLOCKS_AT_A_TIME * HOP):
        n_blocks = min(BLOCKS_AT_A_TIME, -(-(n - first) // HOP))
        last = first + n_blocks * HOP
        chunk = np.concatenate([before, samples[first : last + HALF]])
        missing = n_blocks * HOP + TAPS - chunk.size
        if missing > 0:
            chunk = np.concatenate([chunk, head[:missing]])
        before = samples[last - HALF : last].copy()
        spectra = scipy.fft.fft(_overlapping(chunk), axis=1)
        spectra.view(np.float32)[...] *= response
        kept = scipy.fft.ifft(spectra, axis=1, overwrite_x=True)[:, HALF : HALF + HOP]
        yield first, _put(samples, first, kept)


def drift_in_pieces(
    samples: np.ndarray, gain: Callable[[np.ndarray], np.ndarray], drift: float
) -> Iterator[tuple[int, int]]:
    """Filter and read at another clock, in place: sample i of the result is what lay at i * (1 + drift).

    The delay of a block's middle is exact, and its change within a block is followed to first order: in 97 % of the
    band the error lies more than 60 dB below the signal. Arguments and pieces are those of `filter_in_pieces`.

    Args:
        drift: -`MAX_DRIFT`..`MAX_DRIFT`.
    """
    n = samples.size
    reach = HALF + int(np.ceil(abs(drift) * (n + BLOCK))) + 1
    source = np.concatenate([_wrapped(samples, -reach, 0), samples, _wrapped(samples, 0, BLOCK + reach)])
    response, angle = _smooth_response(gain), _delay_angle().astype(np.float32)
    within = (drift * (np.arange(HOP) - (HOP - 1) / 2)).astype(np.float32)
    for first in range(0, n, BLOCKS_AT_A_TIME * HOP):
        starts = np.arange(first, min(first + BLOCKS_AT_A_TIME * HOP, n), HOP)
        ahead = drift * (starts + (HOP - 1) / 2)
        whole = np.rint(ahead).astype(int)
        blocks = np.stack([source[start : start + BLOCK] for start in starts + whole - HALF + reach])
        spectra = scipy.fft.fft(blocks, axis=1, overwrite_x=True)
        spectra *= response * phasors.of_angles((ahead - whole).astype(np.float32)[:, None] * angle)
        slope = scipy.fft.ifft(spectra * (1j * angle), axis=1, overwrite_x=True)
        kept = scipy.fft.ifft(spectra, axis=1, overwrite_x=True)[:, HALF : HALF + HOP]
        kept += within * slope[:, HALF : HALF + HOP]
        yield first, _put(samples, first, kept)


def _wrapped(samples, first, last):
    """samples[first:last] of the periodic signal, as a copy; `first` may be negative."""
    return samples.take(np.arange(first, last), mode="wrap")


def _overlapping(chunk):
    """Blocks of a chunk as a view, (n_blocks, BLOCK), each `HOP` after the one before it."""
    n_blocks = (chunk.size - TAPS) // HOP
    step = chunk.strides[0]
    return np.lib.stride_tricks.as_strided(chunk, (n_blocks, BLOCK), (HOP * step, step), writeable=False)


def _put(samples, first, blocks):
    """Write blocks from `first` on, as far as there is room; returns where they end."""
    last = min(first + blocks.size, samples.size)
    if last - first == blocks.size:
        samples[first:last].reshape(blocks.shape)[...] = blocks
    else:
        samples[first:last] = blocks.reshape(-1)[: last - first]
    return last


def _smooth_response(gain):
    """Response of `TAPS` taps round time 0 (zero phase), float32 (BLOCK,), so that blocks join without a seam."""
    whole = np.fft.ifft(gain(np.fft.fftfreq(BLOCK, 1.0)))
    window = np.hanning(TAPS + 1)
    taps = np.zeros(BLOCK, complex)
    taps[: HALF + 1] = whole[: HALF + 1] * window[HALF:]
    taps[-HALF:] = whole[-HALF:] * window[:HALF]
    return np.fft.fft(taps).real.astype(np.float32)


def _delay_angle():
    """Phase (rad) of every bin for a signal read one sample later, float64 (BLOCK,).

    Half a sample of delay has opposite phases at both ends of the span, a jump that no short filter can follow. So
    the phase goes back to zero between `EVEN_EDGE` and the end of the span, smoothly.
    """
    frequency = np.fft.fftfreq(BLOCK, 1.0)
    beyond = np.clip((np.abs(frequency) - EVEN_EDGE) / (0.5 - EVEN_EDGE), 0, 1)
    return 2 * np.pi * frequency * np.cos(np.pi / 2 * beyond) ** 2
