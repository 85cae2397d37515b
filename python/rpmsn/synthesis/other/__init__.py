# SPDX-License-Identifier: GPL-3.0-or-later
"""Transmissions that are neither LTE nor NR: the kinds of class `other`.

Each function makes a `Baseband`, the signal at a low rate of its own, of unit power while on the air; `place` puts it
into a wide span. Spectrum and rhythm are right, contents are random. All use the same first arguments, and plain
numbers, True and False, or lists of them as the others:

    duration_s   length
    rng          numpy Generator
    start_s      time of the first sample, so that chunks follow each other in rhythm

A parameter out of range gives a ParameterError with its name, its value and what is allowed.

============== =========================================================
`baseband`     `Baseband`, `place`
`cellular`     GSM, WCDMA
`continuous`   FM, tones, single carriers, flat OFDM
`broadcast`    DAB, DVB-T2
`private`      OFDM of drones and private networks
`short_range`  Wi-Fi (11a and 11n), Bluetooth, LoRa
`wireless_lan` Wi-Fi of every generation and width
`pulses`       radar, impulses
`fsk`, `ofdm`  what several of them share
============== =========================================================
"""

from collections.abc import Callable

from .baseband import CELLS_PER_MS, Baseband, place
from .broadcast import dab, dvb_t2
from .cellular import gsm, gsm_hopping, wcdma
from .continuous import band_noise, flat_ofdm, fm, tone
from .private import private_ofdm
from .pulses import impulses, radar
from .short_range import bluetooth, lora, wifi
from .wireless_lan import wlan

__all__ = ["CELLS_PER_MS", "KINDS", "Baseband", "place"]

KINDS: dict[str, Callable[..., Baseband]] = {
    "gsm": gsm,
    "wcdma": wcdma,
    "fm": fm,
    "tone": tone,
    "band_noise": band_noise,
    "flat_ofdm": flat_ofdm,
    "wifi": wifi,
    "bluetooth": bluetooth,
    "lora": lora,
    "radar": radar,
    "impulses": impulses,
    "gsm_hopping": gsm_hopping,
    "dab": dab,
    "dvb_t2": dvb_t2,
    "private_ofdm": private_ofdm,
    "wlan": wlan,
}
"""Name of a kind in a scene -> function."""
