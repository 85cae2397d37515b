# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver does to the signal: oscillator, mixer, filter and converter, each with its faults."""
from dataclasses import dataclass

import numpy as np
import scipy.fft

FILTER_BLOCK = 1024
FILTER_TAPS = 256
FILTER_CHUNK = 32
ROTATION_INTERVAL_S = 2.5e-7
"""The oscillator's phase is computed this often and interpolated in between."""
PHASE_NOISE_OFFSET_HZ = 100e3


@dataclass
class Receiver:
    """A direct-conversion receiver. The defaults are an ideal one with a 16-bit converter.

    Args:
        frequency_error_hz: offset of the local oscillator; the signal appears that much higher.
        phase_noise_dbc: of the oscillator at 100 kHz offset, dBc/Hz; falls by 20 dB a decade (a free-running
            oscillator). None for none.
        iq_gain_db, iq_phase_deg: error of the quadrature branch; gives a mirror image (`image_rejection_db`).
        dc_dbc: carrier leakage at 0 Hz over the mean power of all else, dB. None for none.
        dc_phase: phase of the leakage, rad.
        rolloff: where the filter begins to fall, as a share of half the sample rate; 1 for no filter.
        stop_db: gain of the filter at the edge of the span, dB.
        tilt_db: gain at the upper edge over that at the lower edge.
        ripple_db, ripple_periods, ripple_phase: peak ripple of the gain, periods over the span, and phase (rad).
        gain_step_db, gain_step_at: a change of gain, and the share of the stretch after which it comes.
        adc_bits: resolution of the converter.
        headroom_db: clipping level of each branch of the converter over its RMS value.
    """

    frequency_error_hz: float = 0.0
    phase_noise_dbc: float | None = None
    iq_gain_db: float = 0.0
    iq_phase_deg: float = 0.0
    dc_dbc: float | None = None
    dc_phase: float = 0.0
    rolloff: float = 1.0
    stop_db: float = -40.0
    tilt_db: float = 0.0
    ripple_db: float = 0.0
    ripple_periods: float = 3.0
    ripple_phase: float = 0.0
    gain_step_db: float = 0.0
    gain_step_at: float = 0.5
    adc_bits: int = 16
    headroom_db: float = 14.0

    def apply(self, samples, sample_rate, rng, reference_power=None):
        """Receive. `samples` is overwritten and returned.

        Args:
            samples: complex64, shape (n,), signal and noise at the antenna.
            rng: numpy Generator, for the phase noise.
            reference_power: mean power of the samples that sets leakage and converter level; measured if not
                given. Give the first stretch's to all stretches of one recording.

        Returns:
            complex64, shape (n,); 1.0 is the converter's full scale.
        """
        if reference_power is None:
            reference_power = mean_power(samples)
        _rotate(samples, sample_rate, self.frequency_error_hz, self.phase_noise_dbc, rng)
        self._mix(samples, reference_power)
        if not self.is_flat:
            _filter(samples, self.gain(np.fft.fftfreq(FILTER_BLOCK)))
        if self.gain_step_db:
            samples[int(self.gain_step_at * samples.size):] *= np.float32(10 ** (self.gain_step_db / 20))
        return self._convert(samples, reference_power)

    @property
    def is_flat(self):
        """True if there is neither roll-off nor tilt nor ripple."""
        return self.rolloff >= 1 and self.tilt_db == 0 and self.ripple_db == 0

    def gain(self, frequency):
        """Amplitude gain of the filter at frequencies given as shares of the sample rate (-0.5..0.5)."""
        frequency = np.asarray(frequency, np.float64)
        beyond = np.clip((2 * np.abs(frequency) - self.rolloff) / max(1 - self.rolloff, 1e-9), 0, 1)
        fall_db = self.stop_db * beyond ** 2
        ripple_db = self.ripple_db * np.cos(2 * np.pi * self.ripple_periods * frequency + self.ripple_phase)
        return 10 ** ((fall_db + self.tilt_db * frequency + ripple_db) / 20)

    @property
    def image_rejection_db(self):
        """Power of a signal over that of its mirror image, dB; inf for balanced branches."""
        gain, phase = 10 ** (self.iq_gain_db / 20), np.deg2rad(self.iq_phase_deg)
        image = 1 + gain ** 2 - 2 * gain * np.cos(phase)
        if image <= 0:
            return float("inf")
        return float(10 * np.log10((1 + gain ** 2 + 2 * gain * np.cos(phase)) / image))

    def quantisation_noise(self, reference_power):
        """Noise power that the converter adds over the whole span, in the units of `reference_power`.

        A step's square over 12 in either branch; a clipped converter adds more, which is not counted.
        """
        return 2 * self._step(reference_power) ** 2 / 12

    def _step(self, reference_power):
        dc = 0 if self.dc_dbc is None else 10 ** (self.dc_dbc / 10)
        full_scale = np.sqrt(reference_power * (1 + dc) / 2) * 10 ** (self.headroom_db / 20)
        return full_scale / 2 ** (self.adc_bits - 1)

    def _mix(self, samples, reference_power):
        """Quadrature error on the second branch, then leakage."""
        branches = samples.view(np.float32).reshape(-1, 2)
        if self.iq_gain_db or self.iq_phase_deg:
            gain, phase = 10 ** (self.iq_gain_db / 20), np.deg2rad(self.iq_phase_deg)
            branches[:, 1] *= np.float32(gain * np.cos(phase))
            branches[:, 1] += np.float32(gain * np.sin(phase)) * branches[:, 0]
        if self.dc_dbc is not None:
            amplitude = np.sqrt(reference_power) * 10 ** (self.dc_dbc / 20)
            samples += np.complex64(amplitude * np.exp(1j * self.dc_phase))

    def _convert(self, samples, reference_power):
        """Round and clip to the converter's steps."""
        steps = 2 ** (self.adc_bits - 1)
        scale = self._step(reference_power)
        values = samples.view(np.float32)
        if scale > 0:
            values *= np.float32(1 / scale)
        np.rint(values, out=values)
        np.maximum(values, np.float32(-steps), out=values)
        np.minimum(values, np.float32(steps - 1), out=values)
        values *= np.float32(1 / steps)
        return samples


def mean_power(samples):
    """Mean squared magnitude, summed stretch by stretch so that float32 suffices."""
    values = np.ascontiguousarray(samples).view(np.float32)
    parts = [float(np.dot(part, part)) for part in np.array_split(values, max(1, values.size // 65536))]
    return sum(parts) / max(len(samples), 1)


def _rotate(samples, sample_rate, frequency_error_hz, phase_noise_dbc, rng):
    """Multiply by the oscillator's error, linear between points `ROTATION_INTERVAL_S` apart; in place."""
    if not frequency_error_hz and phase_noise_dbc is None:
        return
    step = max(1, int(round(sample_rate * ROTATION_INTERVAL_S)))
    n_points = -(-samples.size // step) + 1
    phase = 2 * np.pi * frequency_error_hz * step / sample_rate * np.arange(n_points)
    if phase_noise_dbc is not None:
        # A Wiener phase of variance 4 pi w t gives a line of half width w, (w / pi) / f^2 at an offset f beyond it.
        width = np.pi * PHASE_NOISE_OFFSET_HZ ** 2 * 10 ** (phase_noise_dbc / 10)
        deviation = np.sqrt(4 * np.pi * width * step / sample_rate)
        phase += deviation * np.cumsum(rng.standard_normal(n_points))
    points = np.exp(1j * phase).astype(np.complex64)
    rise = np.arange(step, dtype=np.float32) / np.float32(step)
    for first in range(0, n_points - 1, 4096):
        last = min(first + 4096, n_points - 1)
        turn = points[first:last, None] + rise * np.diff(points[first:last + 1])[:, None]
        part = samples[first * step:last * step]
        part *= turn.reshape(-1)[:part.size]


def _filter(samples, gain):
    """Circular filter by overlap-save in place; `gain` is the response at the frequencies of `FILTER_BLOCK` bins.

    The response is smoothed to `FILTER_TAPS` taps first, so that blocks join without a seam.
    """
    half = FILTER_TAPS // 2
    taps = np.zeros(FILTER_BLOCK, complex)
    whole = np.fft.ifft(gain)
    window = np.hanning(FILTER_TAPS + 1)
    taps[:half + 1] = whole[:half + 1] * window[half:]
    taps[-half:] = whole[-half:] * window[:half]
    response = np.fft.fft(taps).real.astype(np.float32)
    hop = FILTER_BLOCK - FILTER_TAPS
    n = samples.size
    n_blocks = -(-n // hop)
    first_head = samples[:FILTER_BLOCK].copy()
    before = samples[-half:].copy()
    for first in range(0, n_blocks, FILTER_CHUNK):
        count = min(FILTER_CHUNK, n_blocks - first)
        start, end = first * hop, (first + count) * hop + half
        stretch = np.concatenate([before, samples[start:end]])
        short = (end - start) - (stretch.size - half)
        if short:
            stretch = np.concatenate([stretch, np.resize(first_head, short)])
        blocks = np.lib.stride_tricks.sliding_window_view(stretch, FILTER_BLOCK)[::hop][:count]
        spectra = scipy.fft.fft(blocks, axis=1)
        spectra *= response
        filtered = scipy.fft.ifft(spectra, axis=1, overwrite_x=True)[:, half:half + hop].reshape(-1)
        before = samples[max(start + count * hop - half, 0):start + count * hop].copy()
        room = min(filtered.size, n - start)
        samples[start:start + room] = filtered[:room]
