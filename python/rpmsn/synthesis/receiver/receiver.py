# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver does to the signal: the impairments of amplifier, oscillator, mixer, filter, clock and converter."""

from dataclasses import dataclass, field

import numpy as np

from ...errors import ParameterError, require
from ..checking import require_number, require_whole
from ..filtering import MAX_DRIFT, drift_in_pieces, filter_in_pieces

ROTATION_INTERVAL_S = 2.5e-7
"""The oscillator's phase is computed this often and interpolated in between."""
PHASE_NOISE_OFFSET_HZ = 100e3
PIECE = 1 << 15
"""Samples that go through several steps at a time, few enough for the processor's cache."""


@dataclass
class Receiver:
    """A direct-conversion receiver. The defaults are an ideal one with a 16-bit converter.

    Steps of gain, lost samples and the drift of the clock have a place in the chunk given to `apply`; each call
    starts over.

    Args:
        frequency_error_hz: offset of the local oscillator; the signal appears that much higher.
        clock_error_ppm: the sampling clock is slow by this: frequencies appear higher in that ratio and later parts
            come earlier. -50..50.
        im3_dbc: third-order products of two equal tones that make up the reference power, over each of the tones,
            -120..-25 dB. None for none.
        phase_noise_dbc: of the oscillator at 100 kHz offset, dBc/Hz; falls by 20 dB a decade (a free-running
            oscillator). -200..-50, None for none.
        iq_gain_db, iq_phase_deg: error of the quadrature branch; gives an I/Q image (`image_rejection_db`).
        dc_dbc: carrier leakage at 0 Hz over the mean power of all else, dB. None for none.
        dc_phase: phase of the leakage, rad.
        rolloff: where the filter begins to fall, as a fraction of half the sample rate; 1 for no filter.
        stop_db: gain of the filter at the edge of the span, dB.
        tilt_db: gain at the upper edge over that at the lower edge.
        ripple_db, ripple_periods, ripple_phase: peak ripple of the gain, periods over the span, and phase (rad).
        gain_steps: list of [fraction of the chunk, dB]: from that fraction on, the gain relative to that at the
            beginning (not to the step before).
        lost_s, lost_at: a length of samples that is lost, and where, as a fraction of the chunk. What follows moves
            up, and the chunk is filled from its beginning. See `time_map`.
        adc_bits: resolution of the converter, 4..16.
        headroom_db: clipping level of each branch of the converter over its RMS value.

    Raises:
        ParameterError: a value outside its range.
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
    adc_bits: int = 16
    headroom_db: float = 14.0
    clock_error_ppm: float = 0.0
    im3_dbc: float | None = None
    gain_steps: list = field(default_factory=list)
    lost_s: float = 0.0
    lost_at: float = 0.5

    def __post_init__(self):
        for name, (lower, upper) in _RANGES.items():
            require_number("the receiver", name, getattr(self, name), lower, upper)
        for name, (lower, upper) in _RANGES_OR_NONE.items():
            if getattr(self, name) is not None:
                require_number("the receiver", name, getattr(self, name), lower, upper, "or None")
        for name in ("frequency_error_hz", "dc_phase", "ripple_phase"):
            require_number("the receiver", name, getattr(self, name))
        require_whole("the receiver", "adc_bits", self.adc_bits, 4, 16)
        require(
            "the receiver",
            "gain_steps",
            self.gain_steps,
            _are_steps(self.gain_steps),
            "a list of [fraction of the chunk from 0 to 1, dB from -100 to 100] in ascending order of time",
        )
        self.gain_steps = [[float(fraction), float(step_db)] for fraction, step_db in self.gain_steps]

    def apply(
        self, samples: np.ndarray, sample_rate: float, rng: np.random.Generator, reference_power: float | None = None
    ) -> np.ndarray:
        """Receive. `samples` is overwritten and returned.

        Args:
            samples: complex64, shape (n,), signal and noise at the antenna.
            rng: numpy Generator, for the phase noise.
            reference_power: mean power of the samples that sets leakage, intermodulation and converter level;
                measured if not given. Give the first chunk's to all chunks of one recording.

        Returns:
            complex64, shape (n,); 1.0 is the converter's full scale.
        """
        if reference_power is None:
            reference_power = mean_power(samples)
        rotation = _Rotation(samples.size, sample_rate, self.frequency_error_hz, self.phase_noise_dbc, rng)
        last = 0
        for last_mixed in self._mix_in_pieces(samples, rotation, reference_power):
            if not self._is_filtered:
                self._convert(samples, last, last_mixed, reference_power)
                last = last_mixed
        if self._is_filtered:
            for first, last in self._filter_in_pieces(samples):
                self._convert(samples, first, last, reference_power)
        return self._lose(samples, sample_rate)

    @property
    def is_flat(self) -> bool:
        """True if there is neither roll-off nor tilt nor ripple."""
        return self.rolloff >= 1 and self.tilt_db == 0 and self.ripple_db == 0

    @property
    def _is_filtered(self):
        return bool(self.clock_error_ppm) or not self.is_flat

    def gain(self, frequency: np.ndarray) -> np.ndarray:
        """Amplitude gain of the filter at frequencies given as fractions of the sample rate (-0.5..0.5)."""
        frequency = np.asarray(frequency, np.float64)
        beyond = np.clip((2 * np.abs(frequency) - self.rolloff) / max(1 - self.rolloff, 1e-9), 0, 1)
        fall_db = self.stop_db * beyond**2
        ripple_db = self.ripple_db * np.cos(2 * np.pi * self.ripple_periods * frequency + self.ripple_phase)
        return 10 ** ((fall_db + self.tilt_db * frequency + ripple_db) / 20)

    @property
    def image_rejection_db(self) -> float:
        """Power of a signal over that of its I/Q image, dB; inf for balanced branches."""
        gain, phase = 10 ** (self.iq_gain_db / 20), np.deg2rad(self.iq_phase_deg)
        image = 1 + gain**2 - 2 * gain * np.cos(phase)
        if image <= 0:
            return float("inf")
        return float(10 * np.log10((1 + gain**2 + 2 * gain * np.cos(phase)) / image))

    def quantisation_noise(self, reference_power: float) -> float:
        """Noise power that the converter adds over the whole span, in the units of `reference_power`.

        A step's square over 12 in either branch; a clipped converter adds more, which is not counted.
        """
        return 2 * self._step(reference_power) ** 2 / 12

    def time_map(self, fractions: np.ndarray, duration_s: float) -> np.ndarray:
        """Which moment at the antenna a moment of the recording holds.

        Args:
            fractions: moments of the recording as fractions of the chunk, array.
            duration_s: length of the chunk.

        Returns:
            float64 of the same shape: moments at the antenna as fractions of the chunk, 0..1.
        """
        fractions = np.asarray(fractions, np.float64)
        lost = min(self.lost_s / duration_s, 1.0)
        kept = np.where(fractions < min(self.lost_at, 1 - lost), fractions, fractions + lost)
        return np.mod(np.mod(kept, 1) * (1 + self.clock_error_ppm * 1e-6), 1)

    def _step(self, reference_power):
        dc = 0 if self.dc_dbc is None else 10 ** (self.dc_dbc / 10)
        full_scale = np.sqrt(reference_power * (1 + dc) / 2) * 10 ** (self.headroom_db / 20)
        return full_scale / 2 ** (self.adc_bits - 1)

    def _mix_in_pieces(self, samples, rotation, reference_power):
        """Amplifier, oscillator and mixer, in place; yields where each piece ends."""
        for first in range(0, samples.size, rotation.piece):
            part = samples[first : first + rotation.piece]
            if self.im3_dbc is not None and reference_power > 0:
                _distort(part, self.im3_dbc, reference_power)
            rotation.apply(part, first)
            self._mix(part, reference_power)
            yield first + part.size

    def _mix(self, samples, reference_power):
        """Quadrature error on the second branch, then leakage."""
        if self.iq_gain_db or self.iq_phase_deg:
            in_phase, quadrature = samples.real, samples.imag
            gain, phase = 10 ** (self.iq_gain_db / 20), np.deg2rad(self.iq_phase_deg)
            quadrature *= np.float32(gain * np.cos(phase))
            quadrature += np.float32(gain * np.sin(phase)) * in_phase
        if self.dc_dbc is not None:
            amplitude = np.sqrt(reference_power) * 10 ** (self.dc_dbc / 20)
            samples += np.complex64(amplitude * np.exp(1j * self.dc_phase))

    def _filter_in_pieces(self, samples):
        if self.clock_error_ppm:
            return drift_in_pieces(samples, self.gain, self.clock_error_ppm * 1e-6)
        return filter_in_pieces(samples, self.gain)

    def _convert(self, samples, first, last, reference_power):
        """Set the gain of samples[first:last], and round and clip them to the converter's steps."""
        steps = 2 ** (self.adc_bits - 1)
        values = samples[first:last].view(np.float32)
        self._amplify(samples, first, last, 1 / (self._step(reference_power) or 1.0))
        np.rint(values, out=values)
        np.clip(values, np.float32(-steps), np.float32(steps - 1), out=values)
        values *= np.float32(1 / steps)

    def _amplify(self, samples, first, last, gain):
        """Multiply samples[first:last] by a gain and the steps of gain."""
        starts = [0, *(int(fraction * samples.size) for fraction, _ in self.gain_steps), samples.size]
        for start, end, step_db in zip(starts, starts[1:], [0.0, *(step_db for _, step_db in self.gain_steps)]):
            part = samples[max(start, first) : max(min(end, last), first)].view(np.float32)
            part *= np.float32(gain * 10 ** (step_db / 20))

    def _lose(self, samples, sample_rate):
        """Take `lost_s` out; the beginning fills the end."""
        n_lost = min(round(self.lost_s * sample_rate), samples.size)
        if n_lost:
            start = min(round(self.lost_at * samples.size), samples.size - n_lost)
            head = np.concatenate([samples[:start], samples[start + n_lost :], samples[:n_lost]])
            samples[:] = head[: samples.size]
        return samples


_RANGES = {
    "clock_error_ppm": (-MAX_DRIFT * 1e6, MAX_DRIFT * 1e6),
    "iq_gain_db": (-20, 20),
    "iq_phase_deg": (-45, 45),
    "rolloff": (0, 1),
    "stop_db": (-120, 0),
    "tilt_db": (-40, 40),
    "ripple_db": (0, 20),
    "ripple_periods": (0, 20),
    "headroom_db": (-20, 60),
    "lost_s": (0, 1),
    "lost_at": (0, 1),
}
_RANGES_OR_NONE = {"phase_noise_dbc": (-200, -50), "dc_dbc": (-200, 60), "im3_dbc": (-120, -25)}


def _are_steps(steps):
    """True for a list of [fraction, dB] with rising fractions."""
    if not isinstance(steps, (list, tuple)):
        return False
    try:
        fractions = [fraction for fraction, _ in steps]
        return fractions == sorted(fractions) and all(
            0 <= fraction <= 1 and abs(step_db) <= 100 for fraction, step_db in steps
        )
    except (TypeError, ValueError):
        return False


def mean_power(samples: np.ndarray) -> float:
    """Mean squared magnitude of complex samples, summed chunk by chunk so that float32 suffices.

    Raises:
        ParameterError: they are not complex.
    """
    if samples.dtype.kind != "c":
        raise ParameterError(f"samples have type {samples.dtype}; complex numbers are needed, such as complex64")
    values = np.ascontiguousarray(samples).view(samples.real.dtype)
    parts = [float(np.dot(part, part)) for part in np.array_split(values, max(1, values.size // 65536))]
    return sum(parts) / max(len(samples), 1)


def _distort(samples, im3_dbc, reference_power):
    """x (1 - c |x|^2) in place; beyond its peak, at |x|^2 = 1 / (3 c), the gain stays at 2/3."""
    # Tones of amplitude a come out as a (1 - 3 c a^2), each product as c a^3.
    ratio = 10 ** (im3_dbc / 20)
    curvature = ratio / (1 + 3 * ratio) / (reference_power / 2)
    values = samples.view(np.float32)
    squares = values * values
    power = squares[0::2] + squares[1::2]
    np.minimum(power, np.float32(1 / (3 * curvature)), out=power)
    power *= np.float32(-curvature)
    power += np.float32(1)
    samples *= power


class _Rotation:
    """The oscillator's error as a factor on the samples, linear between points `ROTATION_INTERVAL_S` apart."""

    def __init__(
        self,
        n_samples: int,
        sample_rate: float,
        frequency_error_hz: float,
        phase_noise_dbc: float | None,
        rng: np.random.Generator,
    ) -> None:
        self.step = max(1, int(round(sample_rate * ROTATION_INTERVAL_S)))
        self.piece = max(1, PIECE // self.step) * self.step
        """Length of the pieces to be given to `apply`."""
        self._is_none = not frequency_error_hz and phase_noise_dbc is None
        if self._is_none:
            return
        n_points = -(-n_samples // self.step) + 1
        phase = 2 * np.pi * frequency_error_hz * self.step / sample_rate * np.arange(n_points)
        if phase_noise_dbc is not None:
            # A Wiener phase of variance 4 pi w t gives a line of half width w, (w / pi) / f^2 at an offset f.
            width = np.pi * PHASE_NOISE_OFFSET_HZ**2 * 10 ** (phase_noise_dbc / 10)
            deviation = np.sqrt(4 * np.pi * width * self.step / sample_rate)
            phase += deviation * np.cumsum(rng.standard_normal(n_points))
        self._points = np.exp(1j * phase).astype(np.complex64).view(np.float32).reshape(-1, 2)
        rise = np.arange(self.step, dtype=np.float32) / np.float32(self.step)
        # (real, imaginary) of a point and of the next one -> (real, imaginary) of all samples between them.
        branches = np.eye(2, dtype=np.float32)
        self._between = np.concatenate([np.kron(1 - rise, branches), np.kron(rise, branches)])

    def apply(self, part: np.ndarray, first: int) -> None:
        """Turn a piece of the samples that begins at sample `first`, in place."""
        if self._is_none:
            return
        points = self._points[first // self.step : -(-(first + part.size) // self.step) + 1]
        # One matrix product, because rows of a few samples each would cost a loop of their own.
        turn = np.hstack([points[:-1], points[1:]]) @ self._between
        part *= turn.reshape(-1)[: 2 * part.size].view(np.complex64)
