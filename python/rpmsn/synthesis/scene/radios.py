# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers as they are sold, and the sample rates that they are used at.

`everyday.random_receiver` draws every impairment by itself; here those come together that a kind of radio has together.
"""

from collections.abc import Callable

import numpy as np

from ..receiver.receiver import Receiver
from . import everyday
from .scene import Emission, PropagationPath

RADIOS = {"rtl_sdr": 0.2, "hackrf": 0.2, "usrp_b200": 0.4, "wide": 0.2}
"""Kind of radio -> fraction of the scenes."""

RATES = {
    "rtl_sdr": {1.92e6: 0.5, 2.4e6: 0.4, 3.2e6: 0.1},
    "hackrf": {4e6: 0.1, 8e6: 0.15, 10e6: 0.2, 16e6: 0.15, 19.2e6: 0.2, 20e6: 0.2},
    "usrp_b200": {15.36e6: 0.1, 23.04e6: 0.1, 30.72e6: 0.2, 46.08e6: 0.1, 50e6: 0.05, 56e6: 0.05, 61.44e6: 0.4},
    "wide": {61.44e6: 0.5, 92.16e6: 0.1, 100e6: 0.1, 122.88e6: 0.3},
}
"""Kind of radio -> sample rate (Hz) -> fraction."""

CLIPPED_FRACTION = 0.4
"""Of the receptions by an RTL-SDR: its automatic gain drives the converter to the rail."""
SPUR_RADIOS = {"rtl_sdr": (28.8e6 / 16, 0.6), "hackrf": (1e6, 0.3)}
"""Kind of radio -> (raster of the spurs that its clocks leave in the IF, fraction of the receptions with some)."""


def receiver(rng: np.random.Generator, radio: str) -> Receiver:
    """A receiver of a kind.

    Args:
        rng: numpy Generator.
        radio: a name of `RADIOS`.
    """
    return _RECEIVERS[radio](rng)


def spurs(rng: np.random.Generator, radio: str, rate: float) -> list[tuple[Emission, PropagationPath]]:
    """Tones that a radio makes itself. They are emissions of kind `tone`, since nothing tells them from one.

    Args:
        rate: sample rate, Hz.
    """
    raster, fraction = SPUR_RADIOS.get(radio, (1.0, 0.0))
    if rng.random() >= fraction:
        return []
    places = np.arange(-np.floor(0.49 * rate / raster), 0.49 * rate / raster) * raster + rng.uniform(0, raster)
    places = places[np.abs(places) < 0.49 * rate]
    chosen = rng.permutation(places)[: int(rng.integers(1, 4))]
    return [
        (Emission("tone", float(place), {"width_hz": 2e3}), PropagationPath(float(rng.uniform(5, 30))))
        for place in chosen
    ]


def _dc(rng, lowest, highest):
    """Leakage between two levels, dBc."""
    return {"dc_dbc": float(rng.uniform(lowest, highest)), "dc_phase": float(rng.uniform(0, 2 * np.pi))}


def _edges(rng, lowest, stop_db):
    """A filter that begins to fall from this fraction of half the rate on."""
    return {"rolloff": float(rng.uniform(lowest, 1)), "stop_db": float(rng.choice(stop_db))}


def _rtl_sdr(rng):
    """8 bits, a low IF (no I/Q image to speak of), steep filter edges, an automatic gain that clips and steps."""
    is_clipped = rng.random() < CLIPPED_FRACTION
    return Receiver(
        frequency_error_hz=float(rng.normal(0, 15e3)),
        clock_error_ppm=float(np.clip(rng.normal(0, 15), -50, 50)),
        phase_noise_dbc=float(rng.uniform(-98, -85)),
        iq_gain_db=float(rng.normal(0, 0.03)),
        iq_phase_deg=float(rng.normal(0, 0.2)),
        **_dc(rng, -50, -20),
        **_edges(rng, 0.65, (-6, -12, -20, -30)),
        tilt_db=float(rng.normal(0, 1.5)),
        # Gaussian values are beyond 3 to 8 dB over their RMS for 16 to 1.2 % of the time.
        headroom_db=float(rng.uniform(3, 8) if is_clipped else rng.uniform(8, 26)),
        gain_steps=everyday.gain_steps(rng) if rng.random() < 0.15 else [],
        lost_s=float(10 ** rng.uniform(-5, -2.5)) if rng.random() < 0.05 else 0.0,
        lost_at=float(rng.uniform(0.05, 0.9)),
        adc_bits=8,
    )


def _ripple(rng, most_db, most_periods):
    return {
        "ripple_db": float(rng.uniform(0, most_db)),
        "ripple_periods": float(rng.uniform(1, most_periods)),
        "ripple_phase": float(rng.uniform(0, 2 * np.pi)),
    }


def _hackrf(rng):
    """8 bits, zero IF: much leakage, a plain I/Q image, no automatic gain."""
    return Receiver(
        frequency_error_hz=float(rng.normal(0, 15e3)),
        clock_error_ppm=float(np.clip(rng.normal(0, 8), -50, 50)),
        phase_noise_dbc=float(rng.uniform(-105, -90)),
        iq_gain_db=float(rng.normal(0, 0.3)),
        iq_phase_deg=float(rng.normal(0, 2)),
        **_dc(rng, -35, 0),
        **_edges(rng, 0.7, (-3, -6, -12, -20)),
        **_ripple(rng, 0.8, 6),
        headroom_db=float(rng.uniform(5, 30)),
        adc_bits=8,
    )


def _usrp_b200(rng):
    """12 bits, zero IF with corrections: little leakage and image, and samples lost on a busy bus."""
    return Receiver(
        frequency_error_hz=float(rng.normal(0, 2e3)),
        phase_noise_dbc=float(rng.uniform(-115, -98)),
        im3_dbc=float(rng.uniform(-60, -30)) if rng.random() < 0.15 else None,
        iq_gain_db=float(rng.normal(0, 0.05)),
        iq_phase_deg=float(rng.normal(0, 0.4)),
        **_dc(rng, -65, -30),
        **_edges(rng, 0.8, (-3, -10, -20)),
        headroom_db=float(rng.uniform(10, 35)),
        lost_s=float(10 ** rng.uniform(-5, -2.5)) if rng.random() < 0.06 else 0.0,
        lost_at=float(rng.uniform(0.05, 0.9)),
        adc_bits=12,
    )


def _wide(rng):
    """14 to 16 bits, zero IF over a wide span: I/Q images that are plain and a response that is not flat."""
    return Receiver(
        frequency_error_hz=float(rng.normal(0, 500)),
        phase_noise_dbc=float(rng.uniform(-118, -100)),
        im3_dbc=float(rng.uniform(-60, -30)) if rng.random() < 0.15 else None,
        iq_gain_db=float(rng.normal(0, 0.5)),
        iq_phase_deg=float(rng.normal(0, 3)),
        **_dc(rng, -60, -15),
        **_edges(rng, 0.75, (-3, -10, -20, -40)),
        tilt_db=float(rng.normal(0, 2)),
        **_ripple(rng, 1, 8),
        headroom_db=float(rng.uniform(10, 40)),
        adc_bits=int(rng.choice([14, 16])),
    )


_RECEIVERS: dict[str, Callable[[np.random.Generator], Receiver]] = {
    "rtl_sdr": _rtl_sdr,
    "hackrf": _hackrf,
    "usrp_b200": _usrp_b200,
    "wide": _wide,
}
