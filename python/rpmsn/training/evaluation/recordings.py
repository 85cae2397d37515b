# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation by reality: what a model finds in annotated recordings, next to the annotations.

Judged are the annotations labelled `LTE` or `NR` that have both frequency edges. Each has one outcome:

============ ==================================================================================================
`found`      one carrier of its label lies in its band, with a frequency IoU of `MIN_IOU` or more
`in_pieces`  carriers of its label lie in its band, but several, or too narrow a one
`swapped`    none of its label, but one of the other label that is no other annotated carrier
`missed`     neither
`not_judged` no frame of the recording was fit to be judged
============ ==================================================================================================

A carrier lies in a band where half of its own is, or where their IoU is `MIN_IOU`; all bands are cut to the span. LTE
and NR carriers that are none of these are `false` or, where a cell proves them, `not_annotated`.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import ParameterError
from ...files import whole_file
from ...models.model import Model
from ...progress import progress_bar
from ...recording import open_recording
from ...recording.comparison import band_iou
from ...streaming.analysis import RecordingAnalyser
from ...tables import format_table, markdown_table
from ...tracking.verdict import PROVEN
from ...version import __version__
from .carrier_scores import CELLULAR, MIN_IOU, MIN_SHARED
from .report import JSON_NAME, MARKDOWN_NAME

FOUND, IN_PIECES, SWAPPED, MISSED, NOT_JUDGED = "found", "in_pieces", "swapped", "missed", "not_judged"
OUTCOMES = (FOUND, IN_PIECES, SWAPPED, MISSED, NOT_JUDGED)
POLICY = "annotations"
"""What stands in a report for the label policy of a set."""
EDGE_INSIDE = 0.49
"""An annotated edge farther from the centre than this fraction of the sample rate is the span's, not the carrier's."""
COUNTS = ("true", *OUTCOMES, "false", "not_annotated")
COLUMNS = ("recording", "judged", *(name.replace("_", " ") for name in COUNTS), "edges kHz")


class Band(NamedTuple):
    """A carrier's label, edges in Hz, and whether a cell proves it."""

    label: str
    lower: float
    upper: float
    is_proven: bool = False

    @property
    def edges(self) -> tuple[float, float]:
        """Lower and upper edge, Hz."""
        return self.lower, self.upper

    def cut(self, span: tuple[float, float]) -> "Band":
        """What of it lies in a span."""
        return self._replace(lower=max(self.lower, span[0]), upper=min(self.upper, span[1]))


@dataclass
class RecordingScore:
    """What became of the annotated carriers of one recording.

    Attributes:
        outcomes: (carrier, one of `OUTCOMES`) of every annotated carrier.
        false: carriers where none is.
        not_annotated: the same, but proven by a cell.
        edge_errors_hz: distance of the edges found from those annotated, of the carriers found.
    """

    outcomes: list[tuple[Band, str]] = field(default_factory=list)
    false: list[Band] = field(default_factory=list)
    not_annotated: list[Band] = field(default_factory=list)
    edge_errors_hz: list[float] = field(default_factory=list)


def annotated_carriers(annotations: Sequence[Mapping[str, Any]]) -> list[Band]:
    """The LTE and NR carriers among SigMF annotations, those with both edges."""
    edges = "core:freq_lower_edge", "core:freq_upper_edge"
    return [
        Band(entry["core:label"], float(entry[edges[0]]), float(entry[edges[1]]))
        for entry in annotations
        if entry.get("core:label") in CELLULAR and all(edge in entry for edge in edges)
    ]


def score(true: Sequence[Band], found: Sequence[Band], span: tuple[float, float], is_judged: bool) -> RecordingScore:
    """Compare carriers with annotated ones.

    Args:
        true: annotated carriers.
        found: carriers of any label.
        span: lowest and highest frequency of the recording, Hz.
        is_judged: whether any frame was fit to be judged.
    """
    left = [carrier.cut(span) for carrier in found if carrier.label in CELLULAR]
    result = RecordingScore()
    carriers = [one.cut(span) for one in true]
    own_of = [[one for one in left if one.label == carrier.label and _lies_in(one, carrier)] for carrier in carriers]
    others = [one for own in own_of for one in own]
    # What is another annotated carrier, of its label, is no swap; else it is only where there is nothing of the label.
    strange = [one for one in left if one not in others]
    for carrier, own in zip(carriers, own_of):
        wrong = [one for one in strange if _lies_in(one, carrier)]
        outcome = _outcome(carrier, own, bool(wrong), is_judged)
        result.outcomes.append((carrier, outcome))
        if outcome == SWAPPED:
            others += wrong
        if outcome == FOUND:
            result.edge_errors_hz += _edge_errors(carrier, own[0], span)
    elsewhere = [one for one in left if one not in others]
    result.false = [one for one in elsewhere if not one.is_proven]
    result.not_annotated = [one for one in elsewhere if one.is_proven]
    return result


def _outcome(carrier: Band, own: Sequence[Band], has_other: bool, is_judged: bool) -> str:
    if not is_judged:
        return NOT_JUDGED
    if len(own) == 1 and band_iou(own[0].edges, carrier.edges) >= MIN_IOU:
        return FOUND
    if own:
        return IN_PIECES
    return SWAPPED if has_other else MISSED


def _lies_in(one: Band, carrier: Band) -> bool:
    shared = min(one.upper, carrier.upper) - max(one.lower, carrier.lower)
    return shared >= MIN_SHARED * (one.upper - one.lower) or band_iou(one.edges, carrier.edges) >= MIN_IOU


def _edge_errors(carrier: Band, found: Band, span: tuple[float, float]) -> list[float]:
    middle, reach = (span[0] + span[1]) / 2, EDGE_INSIDE * (span[1] - span[0])
    return [abs(one - true) for one, true in zip(found.edges, carrier.edges) if abs(true - middle) < reach]


def is_folder_of_recordings(folder: str | os.PathLike) -> bool:
    """Whether a folder holds SigMF recordings, rather than a set."""
    return not (Path(folder) / "set.yml").exists() and any(Path(folder).glob("*.sigmf-meta"))


def evaluate_recordings(
    model: Model, folder: str | os.PathLike, runtime: str, threads: int = 1, quiet: bool = False, **analysis: Any
) -> dict[str, Any]:
    """Judge a model on a folder of annotated SigMF recordings.

    Args:
        model: rpmsn.models.model.Model.
        folder: with `.sigmf-meta` files.
        runtime: name of one of `runtimes.KINDS`, or `auto`.
        threads: frames that are analysed at the same time.
        quiet: no progress bar.
        analysis: further arguments of `RecordingAnalyser`; they stand in the report.

    Returns:
        The report: `model`, `set`, `software`, `analysis`, `recordings` (a list) and `sum`; plain numbers and words.

    Raises:
        ParameterError: there is no recording in the folder.
        RpmsnError: a recording cannot be read.
    """
    paths = sorted(Path(folder).glob("*.sigmf-meta"))
    if not paths:
        raise ParameterError(f"folder {folder} holds no .sigmf-meta file; name one with annotated SigMF recordings")
    entries, scores = [], []
    with progress_bar(len(paths), "recording", f"evaluating {model.card.name}", quiet) as progress:
        for path in paths:
            entry, made = _judge(path, model, runtime, threads, analysis)
            entries.append(entry)
            scores.append(made)
            progress.update()
    total = _figures(scores)
    seconds = sum(entry["seconds"] for entry in entries)
    return {
        "model": {"name": model.card.name, "version": model.card.version, "sha256": model.card.sha256},
        "set": {"folder": str(folder), "policy": POLICY, "recordings": len(paths)},
        "software": f"gr-rpmsn {__version__}",
        "analysis": {"runtime": runtime, **analysis},
        "recordings": entries,
        "sum": {
            **total,
            "seconds": seconds,
            "false_per_minute": round(60 * total["false"] / seconds, 2) if seconds else None,
            "judged": float(np.mean([entry["judged"] for entry in entries])),
        },
    }


def _judge(
    path: Path, model: Model, runtime: str, threads: int, analysis: Mapping[str, Any]
) -> tuple[dict[str, Any], RecordingScore]:
    """(entry of the report, score) of one recording."""
    with open_recording(path) as recording:
        analyser = RecordingAnalyser(recording, model, workers=threads, runtime=runtime, **analysis)
        fit = [frame.condition.judged for frame, _ in analyser.frames()]
        found = [
            Band(carrier.label, carrier.freq_lower, carrier.freq_upper, carrier.verdict == PROVEN)
            for carrier in analyser.result.carriers
        ]
        half, center = recording.sample_rate / 2, recording.center_frequency or 0.0
        made = score(annotated_carriers(recording.annotations), found, (center - half, center + half), any(fit))
        entry = {
            "recording": path.name,
            "sample_rate": recording.sample_rate,
            "seconds": recording.duration,
            "judged": float(np.mean(fit)) if fit else 0.0,
            **_figures([made]),
            "carriers": [[carrier.label, *carrier.edges, outcome] for carrier, outcome in made.outcomes],
            "false_carriers": [[carrier.label, *carrier.edges] for carrier in made.false],
            "proven_carriers": [[carrier.label, *carrier.edges] for carrier in made.not_annotated],
            "warnings": list(analyser.result.warnings),
        }
    return entry, made


def _figures(scores: Sequence[RecordingScore]) -> dict[str, Any]:
    """Counts of some scores together, and the median error of the edges."""
    outcomes = [outcome for made in scores for _, outcome in made.outcomes]
    errors = [error for made in scores for error in made.edge_errors_hz]
    return {
        "true": len(outcomes),
        **{name: outcomes.count(name) for name in OUTCOMES},
        "false": sum(len(made.false) for made in scores),
        "not_annotated": sum(len(made.not_annotated) for made in scores),
        "edges": len(errors),
        "edge_error_khz": round(float(np.median(errors)) / 1e3, 1) if errors else None,
    }


def _rows(report: Mapping[str, Any]) -> list[tuple[str, ...]]:
    entries = [*report["recordings"], {"recording": "sum", **report["sum"]}]
    return [
        (
            entry["recording"].removesuffix(".sigmf-meta"),
            f"{entry['judged']:.0%}",
            *(str(entry[name]) for name in COUNTS),
            "-" if entry["edge_error_khz"] is None else f"{entry['edge_error_khz']:g}",
        )
        for entry in entries
    ]


def format_recordings(report: Mapping[str, Any]) -> str:
    """The report as a table for the shell: a recording a line, and their sum."""
    total = report["sum"]
    false = f"{total['seconds']:.2f} s; false LTE and NR carriers in a minute: {total['false_per_minute']}"
    return f"{format_table(COLUMNS, _rows(report))}\n{false}"


def recordings_scores(report: Mapping[str, Any]) -> dict[str, Any]:
    """The main figures as a model's card holds them."""
    total = report["sum"]
    return {"recordings": len(report["recordings"]), **{name: total[name] for name in COUNTS}}


def write_recordings_report(report: Mapping[str, Any], folder: str | os.PathLike) -> Path:
    """Write `report.json` and `report.md`, each whole or not at all; returns the path of the latter."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = report["model"]
    wrong = [
        f"* {entry['recording']}: {label} {lower / 1e6:.2f} to {upper / 1e6:.2f} MHz, {outcome.replace('_', ' ')}"
        for entry in report["recordings"]
        for label, lower, upper, outcome in (
            *(carrier for carrier in entry["carriers"] if carrier[3] != FOUND),
            *([*carrier, "false"] for carrier in entry["false_carriers"]),
        )
    ]
    lines = [
        f"# {model['name']} {model['version']} on the recordings in {Path(report['set']['folder']).name}",
        "",
        f"Weights {model['sha256'][:12]}, {report['software']}, analysis {report['analysis']}.",
        "",
        *markdown_table(COLUMNS, _rows(report)),
        "",
        *(["## Not found, and false", "", *wrong, ""] if wrong else []),
    ]
    with whole_file(folder / JSON_NAME) as file:
        file.write((json.dumps(report, indent=1) + "\n").encode())
    with whole_file(folder / MARKDOWN_NAME) as file:
        file.write(("\n".join(lines).rstrip() + "\n").encode())
    return folder / MARKDOWN_NAME
