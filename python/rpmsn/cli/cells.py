# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn cells`: the LTE and NR cells in a recording, by their own signals."""

import argparse
import json
import math
import sys
from typing import TYPE_CHECKING, Any

from . import options as given

if TYPE_CHECKING:
    from ..cells.scan import FoundCell, Scan
    from ..recording import Recording

TECHNOLOGIES = ("LTE", "NR", "NB-IoT")
COLUMNS = (
    "technology", "PCI", "evidence", "frequency MHz", "offset kHz", "band", "channel", "bandwidth MHz", "duplex",
    "SNR dB", "MIB",
)  # fmt: skip


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "cells",
        help="find the LTE and NR cells in a recording by their synchronisation signals and broadcast channel",
        description="Finds cells in a recording by the signals that the standards have every cell send: LTE at the "
        "centre, NR on the synchronisation raster of the bands in view (at the centre where the centre frequency is "
        "not known). docs/cells.md says what the columns mean.",
        epilog="Example: rpmsn cells band.sigmf-meta; rpmsn cells band.sigmf-meta --at 1867.5M; where the centre "
        "frequency is not known: rpmsn cells band.sigmf-meta --at=-1.26M",
    )
    given.add_input(parser, metavar="RECORDING")
    parser.add_argument(
        "--seconds",
        type=given.scan_seconds,
        default=given.DEFAULT_SCAN_SECONDS,
        metavar="S",
        help="search so much of the recording, up to 2; more finds weaker cells (default: %(default)s)",
    )
    parser.add_argument(
        "--at",
        type=given.place_hertz,
        action="append",
        default=[],
        metavar="HZ",
        help="search here instead: the centre of an LTE carrier or of an SS/PBCH block; from the recording's centre, "
        "as --at=-1.26M, where its frequency is not known; may be given again",
    )
    parser.add_argument("--everywhere", action="store_true", help="search the whole span; takes minutes at high rates")
    parser.add_argument(
        "--technology",
        choices=TECHNOLOGIES,
        action="append",
        help="search for this only; may be given again (default: LTE and NR)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON, for machines")
    given.add_quiet(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Search, print."""
    from tqdm import tqdm

    from ..cells.scan import DEFAULT_TECHNOLOGIES, scan_recording

    with (
        given.open_input(options.input, options) as recording,
        tqdm(
            total=1.0,
            desc=recording.path.name,
            bar_format="{desc}: {percentage:3.0f}% {postfix} {elapsed}",
            file=sys.stderr,
            disable=options.quiet or None,
        ) as progress,
    ):

        def show(technology: str, fraction: float) -> None:
            progress.set_postfix_str(technology, refresh=False)
            progress.update(fraction - progress.n)
            progress.refresh()

        scan = scan_recording(
            recording, options.seconds, options.at, options.everywhere, options.technology or DEFAULT_TECHNOLOGIES, show
        )
    for warning in [*recording.warnings, *scan.warnings]:
        print(f"rpmsn cells: {warning}", file=sys.stderr)
    if options.json:
        print(json.dumps(as_json(recording, scan), indent=2))
    else:
        print(as_text(scan))


def as_text(scan: "Scan") -> str:
    """A table of the cells, or that there are none, and what was searched."""
    from ..tables import format_table

    where = f"Searched {scan.seconds:.3g} s from {scan.start_s:.3g} s on: {'; '.join(scan.searched)}."
    if not scan.cells:
        return f"No cell found. {where}"
    return f"{format_table(COLUMNS, [_row(found) for found in scan.cells])}\n{where}"


def _row(found: "FoundCell") -> list[str]:
    cell = found.cell
    sign = "" if found.center_frequency else "+"
    return [
        cell.technology,
        str(cell.cell_id),
        cell.evidence,
        f"{round(found.frequency / 1e6, 4) + 0.0:{sign}.4f}",
        "-" if found.offset is None else f"{round(found.offset / 1e3, 1) + 0.0:+.1f}",
        _band(found),
        _channel(found),
        "-" if cell.channel_bandwidth is None else f"{cell.channel_bandwidth / 1e6:g}",
        found.duplex or "-",
        f"{cell.snr_db:.1f}" if math.isfinite(cell.snr_db) else "-",
        _mib(cell.mib),
    ]


def _band(found: "FoundCell") -> str:
    if found.channel is None:
        return "-"
    return found.channel.band or "none"


def _channel(found: "FoundCell") -> str:
    """`EARFCN 1503`, one for each band; `GSCN 7929, ARFCN 641280`; `-` where it is not clear."""
    channel = found.channel
    if channel is None:
        return "-"
    if channel.gscn is not None:
        return f"GSCN {channel.gscn}, ARFCN {channel.nr_arfcn}"
    return f"EARFCN {', '.join(map(str, channel.earfcns))}" if channel.earfcns else "-"


def _mib(mib: dict[str, int | str | bool]) -> str:
    """The broadcast channel in short."""
    if not mib:
        return "-"
    words = [f"SFN {mib['systemFrameNumber']}"]
    if "dl-Bandwidth" in mib:
        ports = mib["antennaPortsCount"]
        words += [f"{mib['dl-Bandwidth']} RB", f"{ports} port{'s' if ports != 1 else ''}"]
    else:
        words += [f"k_SSB {mib['ssb-SubcarrierOffset']}", f"CORESET 0: {mib['controlResourceSetZero']}"]
        words += ["barred"] if mib["cellBarred"] else []
    return ", ".join(words)


def as_json(recording: "Recording", scan: "Scan") -> dict[str, Any]:
    """The scan for machines: keys of a cell as in messages, where these have them; what is not known is left out."""
    return {
        "recording": str(recording.path),
        "sample_rate": scan.sample_rate,
        "center_frequency": scan.center_frequency,
        "start_s": scan.start_s,
        "seconds": scan.seconds,
        "searched": scan.searched,
        "warnings": scan.warnings,
        "cells": [_cell(found) for found in scan.cells],
    }


def _cell(found: "FoundCell") -> dict[str, Any]:
    cell, channel = found.cell, found.channel
    earfcns = channel.earfcns if channel else ()
    values = {
        "technology": cell.technology,
        "cell_id": cell.cell_id,
        "evidence": cell.evidence,
        "ssb_frequency" if cell.technology == "NR" else "center_frequency": found.frequency,
        "frequency_offset": found.offset,
        "band": channel.band or None if channel else None,
        # A number is of one band; where several fit, each has its own.
        "earfcn": earfcns[0] if len(earfcns) == 1 else None,
        "earfcns": dict(zip((band.name for band in channel.bands), earfcns)) if channel and earfcns else None,
        "nr_arfcn": channel.nr_arfcn if channel else None,
        "gscn": channel.gscn if channel else None,
        "channel_bandwidth": cell.channel_bandwidth,
        "duplex": found.duplex,
        "snr_db": round(cell.snr_db, 2) if math.isfinite(cell.snr_db) else None,
        "subcarrier_spacing": cell.subcarrier_spacing,
        "extended_prefix": cell.extended_prefix if cell.technology == "LTE" else None,
        "ssb_index": cell.block_index,
        "start_s": cell.start_s,
        "frames": cell.frames,
        "mib": cell.mib or None,
    }
    return {name: value for name, value in values.items() if value is not None}
