# SPDX-License-Identifier: GPL-3.0-or-later
"""The status line of `rpmsn monitor`, one a second; docs/monitor.md explains every column."""

import time

from ..classes import CLASS_NAMES, LTE, NR, OTHER

COLUMNS = (
    ("time", 9),
    ("MHz", 10),
    ("Msps", 7),
    ("coverage", 8),
    ("late", 6),
    ("lost", 9),
    ("clock ms", 8),
    ("LTE", 4),
    ("NR", 4),
    ("other", 5),
    ("cut", 4),
)
CLASSES_TOLD = (LTE, NR, OTHER)


def header():
    """The names of the columns."""
    return "  ".join(name.rjust(width) for name, width in COLUMNS) + "  health"


def status_line(status, carriers, drift_s, now):
    """What there is to say about the last second, in one line.

    Args:
        status: dict, as `StreamAnalyser.status` gives it.
        carriers: list of Carrier that are on the air.
        drift_s: seconds by which the host's clock has run ahead of the count of samples since the start.
        now: seconds since 1970.
    """
    labels = [carrier.label for carrier in carriers]
    cells = (
        time.strftime("%H:%M:%SZ", time.gmtime(now)),
        f"{status['center_frequency'] / 1e6:.3f}",
        f"{status['input_rate'] / 1e6:.3f}",
        f"{100 * status['coverage']:.1f} %",
        str(status["frames_dropped"]),
        str(status["samples_lost"]),
        f"{1e3 * drift_s:+.0f}",
        *(str(labels.count(CLASS_NAMES[class_id])) for class_id in CLASSES_TOLD),
        str(sum(is_cut(carrier) for carrier in carriers)),
    )
    words = status.get("error") or status["health"]
    return "  ".join(cell.rjust(width) for cell, (_, width) in zip(cells, COLUMNS)) + f"  {words}"


def carriers_on_air(carriers, offset, hold_s):
    """Those of some carriers that were seen within the last `hold_s` seconds before a sample."""
    return [carrier for carrier in carriers if offset - carrier.sample_end <= hold_s * carrier.sample_rate]


def is_cut(carrier):
    """Whether a carrier reaches beyond the span, so that its bandwidth is not known."""
    return carrier.cut_lower or carrier.cut_upper


def carrier_row(carrier):
    """A carrier in words, in the order of `CARRIER_COLUMNS`."""
    width = f"{carrier.bandwidth / 1e6:.2f}"
    return (
        carrier.label,
        ("< " if carrier.cut_lower else "") + f"{carrier.freq_lower / 1e6:.3f}",
        ("> " if carrier.cut_upper else "") + f"{carrier.freq_upper / 1e6:.3f}",
        ("> " if is_cut(carrier) else "") + width,
        f"{carrier.time_on_air:.1f}",
        f"{carrier.snr_db:.1f}",
        f"{carrier.confidence:.2f}",
    )


CARRIER_COLUMNS = ("label", "lower MHz", "upper MHz", "width MHz", "on air s", "SNR dB", "confidence")
