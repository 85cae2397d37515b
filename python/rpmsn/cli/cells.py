# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn cells`: the LTE and NR cells in a recording, or that a radio receives, by their own signals."""

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import interrupts
from ..errors import ParameterError, RadioError
from . import options as given

if TYPE_CHECKING:
    from ..cells.scan import CellScan, FoundCell, Scan, Wanted
    from ..standards.nr_sib1 import Sib1

TECHNOLOGIES = ("LTE", "NR", "NB-IoT")
COLUMNS = (
    "technology", "PCI", "evidence", "frequency MHz", "offset kHz", "ppm", "band", "channel", "bandwidth MHz", "duplex",
    "SNR dB", "MIB",
)  # fmt: skip


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "cells",
        help="find the LTE and NR cells in a recording, or that a radio receives, by their synchronisation signals and "
        "broadcast channel",
        description="Finds cells by the signals that the standards have every cell send, anywhere in the span of a "
        "recording or a radio, or in a range that a radio is tuned through. docs/cells.md says what the columns mean.",
        epilog="Example: rpmsn cells band.sigmf-meta; rpmsn cells band.sigmf-meta --at 1867.5M; "
        "rpmsn cells --device driver=rtlsdr --from 791M --to 821M",
    )
    given.add_input(
        parser,
        metavar="RECORDING",
        nargs="?",
        words="SigMF recording (.sigmf-meta or .sigmf-data), or raw samples; none for a radio",
    )
    what = parser.add_argument_group("what is searched")
    what.add_argument(
        "--seconds",
        type=given.scan_seconds,
        default=given.DEFAULT_SCAN_SECONDS,
        metavar="S",
        help="of every capture of the recording, or in every step of the radio, up to 2; more finds weaker cells "
        "(default: %(default)s)",
    )
    what.add_argument(
        "--from", dest="lower", type=given.center_hertz, metavar="HZ", help="lowest frequency: limits the search of a "
        "recording; a radio is tuned through the range, where LTE and NR bands are",
    )  # fmt: skip
    what.add_argument("--to", dest="upper", type=given.center_hertz, metavar="HZ", help="highest frequency")
    what.add_argument(
        "--at",
        type=given.place_hertz,
        action="append",
        default=[],
        metavar="HZ",
        help="search here instead: the centre of an LTE carrier or of an SS/PBCH block; from the recording's centre, "
        "as --at=-1.26M, where its frequency is not known; may be given again",
    )
    what.add_argument(
        "--everywhere",
        action="store_true",
        help="search every frequency of the span in full, and of a range what is outside the bands; takes minutes at "
        "high rates",
    )
    what.add_argument(
        "--technology",
        choices=TECHNOLOGIES,
        action="append",
        help="search for this only; may be given again (default: LTE and NR)",
    )
    given.add_radio(parser, needs_frequency=False, needs_device=False)
    parser.add_argument("--json", action="store_true", help="print the result as JSON, for machines")
    given.add_quiet(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Search, print; returns the exit status."""
    from ..cells.scan import DEFAULT_TECHNOLOGIES, Wanted
    from ..cells.threads import on_threads

    _check(options)
    technologies = options.technology or DEFAULT_TECHNOLOGIES
    wanted = Wanted(options.seconds, options.at, options.everywhere, technologies, _range(options))
    with on_threads(given.CORES):
        return _search_radio(options, wanted) if options.device is not None else _search_recording(options, wanted)


def _check(options: argparse.Namespace) -> None:
    """Raise ParameterError where options do not go together."""
    if (options.input is None) == (options.device is None):
        both = f"RECORDING is {options.input} and --device is {options.device}" if options.input else "neither is given"
        raise ParameterError(f"one source is needed, RECORDING or --device, and {both}")
    if options.input is not None and options.frequency is not None:
        raise ParameterError("--frequency is a radio's; of a recording, --center-frequency gives it")
    if options.device is not None:
        if options.lower is None and options.upper is None and options.frequency is None:
            raise ParameterError("a radio needs --frequency, or a range by --from and --to")
        if options.frequency is not None and (options.lower is not None or options.upper is not None):
            raise ParameterError("--frequency is given, and a range as well; choose one of the two")


def _range(options: argparse.Namespace) -> tuple[float, float] | None:
    """The range that is asked for; None without one."""
    if options.lower is None and options.upper is None:
        return None
    if options.lower is None or options.upper is None:
        missing = "--from" if options.lower is None else "--to"
        raise ParameterError(f"{missing} is missing; a range needs both ends")
    return options.lower, options.upper


def _search_recording(options: argparse.Namespace, wanted: "Wanted") -> int:
    from ..cells.scan import CellScan, search_captures

    with given.open_input(options.input, options) as recording:
        scan = CellScan(recording.sample_rate, wanted)
        stop = None
        try:
            with _shown(recording.path.name, options.quiet) as progress:
                search_captures(scan, recording, progress)
        except KeyboardInterrupt as interrupt:
            stop = interrupt
            scan.abandon()
        scan.warnings[:0] = recording.warnings
        source = {"recording": str(recording.path)}
    _print(source, scan, options)
    return 0 if stop is None else _stopped(stop)


def _search_radio(options: argparse.Namespace, wanted: "Wanted") -> int:
    from ..cells.scan import CellScan, part_of
    from ..radios.steps import RadioSteps
    from ..scanning.cell_plan import CellPlan

    lower, upper = wanted.between or (options.frequency, options.frequency)
    # A place that is named is searched in one step at a time, as everything is.
    plan = CellPlan(lower, upper, options.rate, options.everywhere or wanted.between is None)
    scan = CellScan(options.rate, wanted)
    steps = RadioSteps(options, plan, options.seconds)
    fault: RadioError | None = None
    stop = None
    try:
        with steps, _shown(options.device, options.quiet) as progress:
            for dwell in steps:
                scan.search(dwell.samples, dwell.center_frequency, progress=part_of(progress, dwell.step, plan.steps))
    except RadioError as error:
        if not scan.searches:
            raise
        fault = error
    except KeyboardInterrupt as interrupt:
        stop = interrupt
    if steps.refused:
        scan.warnings.append(f"{steps.refused} of {plan.steps} steps were left out: the radio did not tune to them")
    if fault is not None or stop is not None:
        scan.abandon()
    _print({"device": options.device}, scan, options)
    if fault is not None:
        print(f"rpmsn cells: {fault} What was found so far is above.", file=sys.stderr, flush=True)
    status = _stopped(stop) if stop is not None else 1 if fault is not None else 0
    if not steps.has_ended:
        sys.stdout.flush()
        os._exit(status)  # the driver's thread still runs, and would keep Python from ending
    return status


def _stopped(stop: KeyboardInterrupt) -> int:
    """Say that the search was stopped; returns the exit status."""
    print(f"rpmsn cells: {interrupts.describe(stop)}; what was found until then is above", file=sys.stderr)
    return interrupts.exit_status(stop)


@contextmanager
def _shown(name: str, quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """Show progress, with the time left; yields the function that takes technology and fraction."""
    from ..progress import progress_bar

    look = "{desc}: {percentage:3.0f}% {postfix} {elapsed}, {remaining} left"
    with progress_bar(1.0, "", name, quiet, in_logs=False, bar_format=look) as progress:

        def show(technology: str, fraction: float) -> None:
            progress.set_postfix_str(technology, refresh=False)
            progress.update(fraction - progress.n)
            progress.refresh()

        yield show


def _print(source: dict[str, str], scan: "CellScan", options: argparse.Namespace) -> None:
    """The result on stdout, what goes with it on stderr."""
    result = scan.result()
    for warning in result.warnings:
        print(f"rpmsn cells: {warning}", file=sys.stderr)
    if options.json:
        print(json.dumps(as_json(source, result), indent=2), flush=True)
        if not result.cells:
            print(f"rpmsn cells: no cell found; {_where(result)}", file=sys.stderr)
    else:
        print(as_text(result), flush=True)


def as_text(scan: "Scan") -> str:
    """A table of the cells, or that there are none, and what was searched."""
    from ..tables import format_table

    where = _where(scan)
    where = where[0].upper() + where[1:]
    if not scan.cells:
        return f"No cell found. {where}"
    return f"{format_table(COLUMNS, [_row(found) for found in scan.cells])}\n{where}"


def _where(scan: "Scan") -> str:
    """What was searched, a sentence."""
    pieces = f" in {scan.captures} pieces" if scan.captures > 1 else f" from {scan.start_s:.3g} s on"
    begun = "" if scan.is_complete else " (not to the end)"
    return f"searched {scan.seconds:.3g} s{pieces}{begun}: {'; '.join(scan.searched) or 'nothing'}."


def _row(found: "FoundCell") -> list[str]:
    cell = found.cell
    sign = "" if found.center_frequency else "+"
    return [
        cell.technology,
        str(cell.cell_id),
        cell.evidence,
        f"{round(found.frequency / 1e6, 4) + 0.0:{sign}.4f}",
        "-" if found.offset is None else f"{round(found.offset / 1e3, 1) + 0.0:+.1f}",
        "-" if found.ppm is None else f"{round(found.ppm, 1) + 0.0:+.1f}",
        _band(found),
        _channel(found),
        "-" if cell.channel_bandwidth is None else f"{cell.channel_bandwidth / 1e6:g}",
        found.duplex or "-",
        f"{cell.snr_db:.1f}" if math.isfinite(cell.snr_db) else "-",
        ", ".join(filter(None, (_mib(cell.mib), _sib1(cell.sib1)))),
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


def _sib1(sib1: "Sib1 | None") -> str:
    """What NR's SIB1 says, in short."""
    if sib1 is None:
        return ""
    tac = "" if sib1.tac is None else f", TAC {sib1.tac}"
    return f"PLMN {' '.join(sib1.plmns)}{tac}, NCI {sib1.nci}"


def as_json(source: dict[str, str], scan: "Scan") -> dict[str, Any]:
    """The scan for machines: keys of a cell as in messages, where these have them; what is not known is left out.

    Args:
        source: `recording` or `device`, and which.
        scan: the result.
    """
    return {
        **source,
        "sample_rate": scan.sample_rate,
        "center_frequency": scan.center_frequency,
        "start_s": scan.start_s,
        "seconds": scan.seconds,
        "captures": scan.captures,
        "complete": scan.is_complete,
        "receiver_ppm": None if scan.receiver_ppm is None else round(scan.receiver_ppm, 3),
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
        "frequency_offset_ppm": None if found.ppm is None else round(found.ppm, 3),
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
        "start_s": found.start_s + cell.start_s,
        "frames": cell.frames,
        "mib": cell.mib or None,
        "plmn": ", ".join(cell.sib1.plmns) if cell.sib1 else None,
        "tac": cell.sib1.tac if cell.sib1 else None,
        "nci": cell.sib1.nci if cell.sib1 else None,
        "freq_lower": found.edges[0] if found.edges else None,
        "freq_upper": found.edges[1] if found.edges else None,
    }
    return {name: value for name, value in values.items() if value is not None}
