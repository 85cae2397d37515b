# SPDX-License-Identifier: GPL-3.0-or-later
"""How results are told: tables for people, on the command line and in Markdown; JSON for machines."""
import json
import sys

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
    print(f"{len(result.carriers)} carriers in {recording.duration:.3f} s, coverage {result.coverage:.3f}, "
          f"model {model.card.name} {model.card.version}; written to {written}")


def row(carrier, sample_rate):
    """A carrier in words, in the order of `COLUMNS`."""
    return (carrier.label, f"{carrier.freq_lower / 1e6:.3f}", f"{carrier.freq_upper / 1e6:.3f}",
            f"{carrier.bandwidth / 1e6:.2f}", f"{carrier.sample_start / sample_rate:.3f}",
            f"{carrier.sample_end / sample_rate:.3f}", f"{carrier.time_on_air:.3f}", f"{carrier.snr_db:.1f}",
            f"{carrier.confidence:.2f}")


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
            truth = (annotation.get("core:label", "?"), f"{annotation['core:freq_lower_edge'] / 1e6:.2f}",
                     f"{annotation['core:freq_upper_edge'] / 1e6:.2f}")
        rows.append((*truth, *_found(carrier)))
    return format_table(COMPARED, rows)


def matched(annotations, carriers):
    """Pairs of annotation and carrier: each annotation with the carrier that covers most of it, or None; then None with
    every carrier that is left. Annotations without both frequency edges are left out."""
    left, pairs = list(carriers), []
    for annotation in annotations:
        band = annotation.get("core:freq_lower_edge"), annotation.get("core:freq_upper_edge")
        if None in band:
            continue
        best = max(left, key=lambda carrier: _shared(carrier, band), default=None)
        if best is not None and _shared(best, band) > 0:
            left.remove(best)
        else:
            best = None
        pairs.append((annotation, best))
    return pairs + [(None, carrier) for carrier in left]


def _shared(carrier, band):
    """Share of the union of both bands that both cover; negative where they are apart."""
    both = min(carrier.freq_upper, band[1]) - max(carrier.freq_lower, band[0])
    return both / (max(carrier.freq_upper, band[1]) - min(carrier.freq_lower, band[0]))


def _found(carrier):
    """The right half of a row of `format_comparison`."""
    if carrier is None:
        return ("-",) * 5
    return (carrier.label, f"{carrier.freq_lower / 1e6:.2f}", f"{carrier.freq_upper / 1e6:.2f}",
            f"{carrier.snr_db:.1f}", f"{carrier.confidence:.2f}")


def format_table(header, rows):
    """Rows of words as a table, numbers to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return "\n".join("  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))).rstrip()
                     for row in (header, *rows))


def markdown_table(header, rows, right=True):
    """Rows of words as lines of a Markdown table; columns but the first go to the right, as numbers do, if `right`."""
    rule = ["---", *["---:" if right else "---"] * (len(header) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]


def percent(value, missing="-"):
    """A share as the number of percent; `missing` for None."""
    return missing if value is None else f"{100 * value:.2f}"


def print_json(recording, model, result, written):
    """The whole result as one JSON object on stdout."""
    print(json.dumps({
        "recording": str(recording.path), "output": str(written), "model": model.card.name,
        "model_version": model.card.version, "sample_rate": recording.sample_rate,
        "center_frequency": recording.center_frequency, "samples": result.samples,
        "samples_analysed": result.samples_analysed, "coverage": result.coverage, "frames": result.frames,
        "runtime": result.runtime, "warnings": result.warnings,
        "carriers": [carrier_fields(carrier) for carrier in result.carriers],
    }, indent=1))


def carrier_fields(carrier):
    """A carrier as plain numbers and words, in the names of the segment messages."""
    return {
        "burst_id": carrier.carrier_id, "label": carrier.label, "confidence": round(carrier.confidence, 4),
        "freq_lower": carrier.freq_lower, "freq_upper": carrier.freq_upper,
        "center_frequency": carrier.center_frequency, "bandwidth": carrier.bandwidth,
        "start_offset": carrier.sample_start, "end_offset": carrier.sample_end,
        "time_on_air": round(carrier.time_on_air, 6), "snr_db": round(carrier.snr_db, 2),
        "pwr_db": round(carrier.pwr_db, 2),
    }


def print_recording(recording):
    """What a recording is, one fact a line."""
    frequency = recording.center_frequency
    facts = [("data", recording.path), ("metadata", recording.meta_path or "none"), ("format", recording.datatype),
             ("sample rate", f"{recording.sample_rate / 1e6:g} Msps"),
             ("centre", "not known" if frequency is None else f"{frequency / 1e6:g} MHz"),
             ("samples", f"{recording.sample_count} ({recording.duration:.6g} s)"),
             ("capture segments", len(recording.captures)), ("annotations", len(recording.annotations))]
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
    from .inference.runtimes import available

    rows = [(model.card.name, model.card.version, ", ".join(model.card.classes), model.card.recipe,
             "{:g} to {:g}".format(*(rate / 1e6 for rate in model.card.sample_rates)),
             str(model.card.scores.get("validation", {}).get("mean_iou", "-")),
             ", ".join(available(model)) or "none") for model in models]
    print(format_table(("model", "version", "classes", "image", "Msps", "mean IoU", "runtimes here"), rows))
