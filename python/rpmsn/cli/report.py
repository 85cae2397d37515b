# SPDX-License-Identifier: GPL-3.0-or-later
"""How results are told: tables for people, on the command line and in Markdown; JSON for machines."""

import json
import sys

from ..messages.results import carrier_fields
from ..recording.comparison import matched
from ..tables import format_table

COLUMNS = ("label", "lower MHz", "upper MHz", "width MHz", "from s", "to s", "on air s", "SNR dB", "confidence")
COMPARED = ("truth", "lower MHz", "upper MHz", "found", "lower MHz", "upper MHz", "SNR dB", "confidence")


def print_table(recording, model, result, written):
    """Carriers as a table on stdout; warnings on stderr."""
    for warning in result.warnings:
        print(f"rpmsn: {recording.path.name}: {warning}", file=sys.stderr)
    absolute = recording.center_frequency is not None
    if result.carriers:
        rows = [row(carrier, recording.sample_rate) for carrier in result.carriers]
        print(format_table(COLUMNS, rows))
        if not absolute:
            print("Frequencies are relative to the centre, which is not known; --center-frequency tells it.")
    else:
        print("No carrier found.")
    print(
        f"{len(result.carriers)} carriers in {recording.duration:.3f} s, coverage {result.coverage:.3f}, "
        f"model {model.card.name} {model.card.version}; written to {written}"
    )


def row(carrier, sample_rate):
    """A carrier in words, in the order of `COLUMNS`."""
    return (
        carrier.label,
        f"{carrier.freq_lower / 1e6:.3f}",
        f"{carrier.freq_upper / 1e6:.3f}",
        f"{carrier.bandwidth / 1e6:.2f}",
        f"{carrier.sample_start / sample_rate:.3f}",
        f"{carrier.sample_end / sample_rate:.3f}",
        f"{carrier.time_on_air:.3f}",
        f"{carrier.snr_db:.1f}",
        f"{carrier.confidence:.2f}",
    )


def format_comparison(annotations, carriers):
    """Annotated carriers beside those found, as a table: each with the one that covers most of it, then the rest.

    Args:
        annotations: list of dict, as in SigMF metadata; those without both frequency edges are left out.
        carriers: list of Carrier.
    """
    rows = []
    for annotation, carrier in matched(annotations, carriers):
        truth = ("-", "-", "-")
        if annotation is not None:
            truth = (
                annotation.get("core:label", "?"),
                f"{annotation['core:freq_lower_edge'] / 1e6:.2f}",
                f"{annotation['core:freq_upper_edge'] / 1e6:.2f}",
            )
        rows.append((*truth, *_found(carrier)))
    return format_table(COMPARED, rows)


def _found(carrier):
    """The right half of a row of `format_comparison`."""
    if carrier is None:
        return ("-",) * 5
    return (
        carrier.label,
        f"{carrier.freq_lower / 1e6:.2f}",
        f"{carrier.freq_upper / 1e6:.2f}",
        f"{carrier.snr_db:.1f}",
        f"{carrier.confidence:.2f}",
    )


def print_json(recording, model, result, written):
    """The whole result as one JSON object on stdout."""
    print(
        json.dumps(
            {
                "recording": str(recording.path),
                "output": str(written),
                "model": model.card.name,
                "model_version": model.card.version,
                "sample_rate": recording.sample_rate,
                "center_frequency": recording.center_frequency,
                "samples": result.samples,
                "samples_analysed": result.samples_analysed,
                "coverage": result.coverage,
                "frames": result.frames,
                "runtime": result.runtime,
                "warnings": result.warnings,
                "carriers": [carrier_fields(carrier) for carrier in result.carriers],
            },
            indent=1,
        )
    )


def print_recording(recording):
    """What a recording is, one fact a line."""
    frequency = recording.center_frequency
    facts = [
        ("data", recording.path),
        ("metadata", recording.meta_path or "none"),
        ("format", recording.datatype),
        ("sample rate", f"{recording.sample_rate / 1e6:g} Msps"),
        ("centre", "not known" if frequency is None else f"{frequency / 1e6:g} MHz"),
        ("samples", f"{recording.sample_count} ({recording.duration:.6g} s)"),
        ("capture segments", len(recording.captures)),
        ("annotations", len(recording.annotations)),
    ]
    for name, value in facts:
        print(f"{name + ':':<18}{value}")
    for annotation in recording.annotations:
        edges = [annotation.get(key) for key in ("core:freq_lower_edge", "core:freq_upper_edge")]
        band = " to ".join("?" if edge is None else f"{edge / 1e6:.3f}" for edge in edges)
        print(f"  {annotation.get('core:label', 'without label')}: {band} MHz")
    for warning in recording.warnings:
        print(f"warning: {warning}")


def print_models(models):
    """The models that ship, one a line."""
    from ..runtimes import available

    rows = [
        (
            model.card.name,
            model.card.version,
            ", ".join(model.card.classes),
            model.card.features,
            "{:g} to {:g}".format(*(rate / 1e6 for rate in model.card.sample_rates)),
            str(model.card.scores.get("validation", {}).get("mean_iou", "-")),
            ", ".join(available(model)) or "none",
        )
        for model in models
    ]
    print(format_table(("model", "version", "classes", "image", "Msps", "mean IoU", "runtimes here"), rows))
