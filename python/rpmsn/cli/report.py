# SPDX-License-Identifier: GPL-3.0-or-later
"""How results are reported: tables for people, on the command line and in Markdown; JSON for machines."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..archive.annotating import document
from ..messages import keys
from ..messages.fields import column_of
from ..recording.comparison import matched
from ..tables import format_table

if TYPE_CHECKING:
    from pathlib import Path

    from ..models.model import Model
    from ..recording import Recording
    from ..streaming.analysis import Analysis
    from ..tracking.carrier import Carrier

BAND = (keys.LABEL, keys.FREQ_LOWER, keys.FREQ_UPPER)
QUALITY = (keys.SNR_DB, keys.CONFIDENCE)


def headings(names: Iterable[str]) -> tuple[str, ...]:
    """What stands over the columns of fields."""
    return tuple(column_of(name).heading for name in names)


def cells(carrier: "Carrier", names: Iterable[str]) -> tuple[str, ...]:
    """Fields of a carrier in words."""
    return tuple(column_of(name).text(getattr(carrier, name)) for name in names)


PROOF = (keys.VERDICT, keys.CELL_ID)
COLUMNS = (*headings((*BAND, keys.BANDWIDTH)), "from s", "to s", "on air s", *headings((*QUALITY, *PROOF)))
COMPARED = ("truth", *headings(BAND)[1:], "found", *headings((*BAND, *QUALITY))[1:])


def print_table(recording: "Recording", model: "Model", result: "Analysis", written: "Path | None") -> None:
    """Carriers as a table on stdout; warnings on stderr. `written` is None where nothing was."""
    for warning in result.warnings:
        print(f"rpmsn: {recording.path.name}: {warning}", file=sys.stderr)
    absolute = recording.center_frequency is not None
    if result.carriers:
        rows = [row(carrier, recording.sample_rate) for carrier in result.carriers]
        print(format_table(COLUMNS, rows))
        if not absolute:
            print("Frequencies are relative to the centre, which is not known; --center-frequency sets it.")
    else:
        print("No carrier found." if result.judged else "Nothing was judged: of what is on the air nothing is known.")
    part = "" if result.judged == 1 else f"judged {result.judged:.3f}, "
    end = "nothing written" if written is None else f"written to {written}"
    print(
        f"{len(result.carriers)} carriers in {recording.duration:.3f} s, coverage {result.coverage:.3f}, {part}"
        f"model {model.card.name} {model.card.version}; {end}"
    )


def row(carrier: "Carrier", sample_rate: float) -> tuple[str, ...]:
    """A carrier in words, in the order of `COLUMNS`."""
    return (
        *cells(carrier, (*BAND, keys.BANDWIDTH)),
        f"{carrier.sample_start / sample_rate:.3f}",
        f"{carrier.sample_end / sample_rate:.3f}",
        f"{carrier.time_on_air:.3f}",
        *cells(carrier, (*QUALITY, *PROOF)),
    )


def format_comparison(annotations: "Sequence[Mapping[str, Any]]", carriers: "Sequence[Carrier]") -> str:
    """Annotated carriers beside those found, as a table: each with the one that covers most of it, then the rest.

    Args:
        annotations: list of dict, as in SigMF metadata; those without both frequency edges are left out.
        carriers: list of Carrier.
    """
    rows = []
    for annotation, carrier in matched(annotations, carriers):
        truth = ("-",) * len(BAND)
        if annotation is not None:
            named = {name: annotation.get(keys.FIELDS[name].sigmf, "?") for name in BAND}
            truth = tuple(column_of(name).text(value) for name, value in named.items())
        names = (*BAND, *QUALITY)
        rows.append((*truth, *(("-",) * len(names) if carrier is None else cells(carrier, names))))
    return format_table(COMPARED, rows)


def print_json(recording: "Recording", model: "Model", result: "Analysis", written: "Path | None") -> None:
    """The whole result as one JSON object on stdout; `output` is null where nothing was written."""
    print(json.dumps(document(recording, model, result, written), indent=1))


def print_recording(recording: "Recording") -> None:
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


def print_models(models: "Iterable[Model]") -> None:
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
