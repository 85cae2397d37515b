# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast this machine analyses: each part of the analysis of a frame, the live chain, and what to compare with.

Samples are written into a `StreamAnalyser` in pieces, at the times at which a radio would send them; where GNU Radio is
installed, they also go through a flowgraph.
"""

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from .. import network
from ..detection.segmenter import Segmenter
from ..errors import MissingLibraryError
from ..models.model import Model
from ..radios import flowgraphs
from ..recording import open_recording
from ..runtimes import BFLOAT16_FEATURES
from ..runtimes.libraries import multiplies
from ..signal import image as spectrogram
from ..streaming.analysis import RecordingAnalyser
from ..streaming.live import Settings, StreamAnalyser
from ..synthesis.scene.presets import random_scene
from ..synthesis.scene.rendering import render

SCENE_RATE = 61.44e6
REPLAY_SECONDS = 1.2, 3.6
"""Of the two recordings for the rate of replay; the longer one takes 0.9 GB at 61.44 Msps in 16 bits."""
PIECE_SECONDS = 1e-3
FULL_SCALE = {np.dtype(np.int16): 32767, np.dtype(np.int8): 127}
PUBLISHED, UNET = "RPMSN as published, torch", "U-Net, ResNet-34, torch"
PUBLISHED_BF16 = "RPMSN as published, torch, bfloat16"
PUBLISHED_GPU = "RPMSN as published, CUDA, bfloat16"
GPU_BATCH = 8
RATES = (15.36e6, 30.72e6, 46.08e6, 61.44e6, 76.8e6, 92.16e6, 107.52e6, 122.88e6)
"""Rates among which the highest one that is held is looked for, Hz."""


@dataclass(frozen=True)
class LiveRun:
    """What became of a stream that came in at a radio's pace.

    Attributes:
        sample_rate: Hz.
        status: `StreamAnalyser.status` at the end.
        latencies: seconds from a frame's last sample to its result.
        late_s: how far the writer itself was behind at the worst; the machine was too slow for it where this grows.
        cores: CPU time of the process per second.
    """

    sample_rate: float
    status: dict
    latencies: list
    late_s: float
    cores: float

    @property
    def is_whole(self) -> bool:
        """Whether every sample was analysed in time."""
        return self.status["coverage"] == 1.0 and self.status["frames_dropped"] == 0


def scene(dtype: npt.DTypeLike = np.complex64) -> np.ndarray:
    """40 ms of a busy band of 61.44 MHz, as samples of a type; for other rates they are taken as they are."""
    samples, _ = render(random_scene("wideband", 1))
    samples = np.resize(samples, spectrogram.frame_length(SCENE_RATE)) * np.float32(0.5 / np.abs(samples).max())
    dtype = np.dtype(dtype)
    if dtype == np.complex64:
        return samples
    return np.round(samples.view(np.float32) * FULL_SCALE[dtype]).astype(dtype).reshape(-1, 2)


def frame_of(samples: np.ndarray, sample_rate: float) -> np.ndarray:
    """As many of the samples as a frame at a rate has, repeated where there are too few."""
    n = spectrogram.frame_length(sample_rate)
    return np.concatenate([samples] * math.ceil(n / len(samples)))[:n]


def seconds_of(work: Callable[[], object]) -> float:
    """Time of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Median time of a call, after one to warm up."""
    work()
    return statistics.median(seconds_of(work) for _ in range(repeats))


def fft_alone(sample_rate: float) -> tuple[str, Callable[[], object]]:
    """The fastest library here for 256-point FFTs, and one pass of them over a frame, one thread.

    Nothing that looks at every sample can go below that by much.
    """
    samples = frame_of(scene(), sample_rate)
    blocks = samples[: len(samples) // spectrogram.COLUMNS * spectrogram.COLUMNS].reshape(-1, spectrogram.COLUMNS)
    passes: dict[str, Callable[[], object]] = {"scipy": partial(scipy.fft.fft, blocks, axis=1, workers=1)}
    with suppress(ImportError):
        import torch

        torch.set_num_threads(1)
        passes["torch"] = partial(torch.fft.fft, torch.from_numpy(blocks.copy()), dim=1)
    fastest = min(passes, key=lambda name: median_seconds(passes[name], 3))
    return fastest, passes[fastest]


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, lower and upper quartile."""
    return statistics.median(values), float(np.quantile(values, 0.25)), float(np.quantile(values, 0.75))


def parts(
    model: Model, sample_rate: float, runtime: str, samples: np.ndarray, fft: Callable[[], object], repeats: int = 20
) -> dict[str, Any]:
    """Every part of the analysis of a frame, one thread, in turn with the FFT alone.

    Returns:
        dict with `seconds` and `x_fft`: dicts of part -> median, and (median, lower, upper quartile) of the ratios to
        the FFT just before it; a part `whole` is all together.
    """
    segmenter = Segmenter(model, sample_rate, 1, runtime)
    frame = frame_of(samples, sample_rate)
    segmenter.analyse(frame)
    fft()
    taken: list[dict[str, float]] = []
    passes: list[float] = []
    for _ in range(repeats):
        passes.append(seconds_of(fft))
        begun = time.perf_counter()
        found = segmenter.analyse(frame).seconds
        taken.append({**found, "whole": time.perf_counter() - begun})
    names = list(taken[0])
    return {
        "seconds": {name: statistics.median(one.get(name, 0.0) for one in taken) for name in names},
        "x_fft": {name: spread([one.get(name, 0.0) / alone for one, alone in zip(taken, passes)]) for name in names},
    }


def replay(model: Model, sample_rate: float, runtime: str, workers: int, samples: np.ndarray) -> float:
    """How many times real time a long recording on the disk is analysed, cells and all, the start counted out.

    Two recordings are analysed, and their times subtracted: both are so long that cells are searched for as in any
    longer one.

    Args:
        model, sample_rate, runtime: of the analysis.
        workers: frames analysed at the same time.
        samples: int16 or int8, shape (n, 2), or complex64; repeated over and over.
    """
    frame = frame_of(samples, sample_rate)
    kind = {np.dtype(np.int16): "ci16_le", np.dtype(np.int8): "ci8"}.get(frame.dtype, "cf32_le")
    with tempfile.TemporaryDirectory(prefix="rpmsn-bench-") as folder:
        path = Path(folder) / "samples.bin"
        took = []
        for seconds in REPLAY_SECONDS:
            with path.open("wb") as file:
                for _ in range(round(seconds / len(frame) * sample_rate)):
                    frame.tofile(file)
            with open_recording(path, datatype=kind, sample_rate=sample_rate) as recording:
                took.append(seconds_of(RecordingAnalyser(recording, model, workers, runtime).run))
    return (REPLAY_SECONDS[1] - REPLAY_SECONDS[0]) / max(took[1] - took[0], 1e-9)


def in_flowgraph(model: str, sample_rate: float, settings: Settings, samples: np.ndarray, seconds: float) -> "LiveRun":
    """The sink in a GNU Radio flowgraph, fed from memory through a throttle.

    Args:
        model: name or path.
        sample_rate: Hz.
        settings: those of the sink.
        samples: of the settings' type; repeated over and over.
        seconds: how long.

    Raises:
        MissingLibraryError: GNU Radio is not installed.
    """
    flowgraph = flowgraphs.load("bench_flowgraph").BenchFlowgraph(
        frame_of(samples, sample_rate), sample_rate, model, settings.runtime, settings.workers
    )
    flowgraph.start()
    try:
        begun, cpu = time.perf_counter(), time.process_time()
        time.sleep(seconds)
        cores = (time.process_time() - cpu) / (time.perf_counter() - begun)
        status, latencies = flowgraph.sink.status(), list(flowgraph.sink.latencies())
    finally:
        flowgraph.stop()
        flowgraph.wait()
    return LiveRun(sample_rate, status, latencies, 0.0, cores)


def live(model: Model, sample_rate: float, settings: Settings, samples: np.ndarray, seconds: float) -> LiveRun:
    """Feed the live chain at a radio's pace for a while.

    Args:
        model: rpmsn.models.model.Model.
        sample_rate: Hz.
        settings: rpmsn.streaming.live.Settings.
        samples: of the settings' type; repeated over and over.
        seconds: how long.

    Returns:
        LiveRun.
    """
    analyser = StreamAnalyser(model, sample_rate, settings=replace(settings, live=True))
    piece = max(1, round(PIECE_SECONDS * sample_rate))
    samples = frame_of(samples, sample_rate)
    offset, late = 0, 0.0
    analyser.start()
    try:
        begun, cpu = time.perf_counter(), time.process_time()
        while offset < seconds * sample_rate:
            place = offset % len(samples)
            part = samples[place : place + piece]
            due = begun + (offset + len(part)) / sample_rate
            wait = due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            late = max(late, -wait)
            offset += analyser.write(part, offset)
        taken = time.perf_counter() - begun
        cores = (time.process_time() - cpu) / taken
    finally:
        analyser.stop()
    return LiveRun(sample_rate, analyser.status(), list(analyser.latencies), late, cores)


def reference_networks(threads: int) -> Iterator[tuple[str, float | None]]:
    """Seconds for one image, with random weights (the time does not depend on them): yields (name, seconds or None).

    None where torch or the library that the network comes from is not installed, there is no GPU, or the CPU does not
    multiply bfloat16.
    """
    try:
        import torch
    except ImportError:
        yield from ((name, None) for name in (PUBLISHED_GPU, PUBLISHED_BF16, PUBLISHED, UNET))
        return

    yield PUBLISHED_GPU, _published_on_gpu() if torch.cuda.is_available() else None

    torch.set_num_threads(threads)
    image = torch.rand(1, 3, spectrogram.ROWS, spectrogram.COLUMNS).contiguous(memory_format=torch.channels_last)
    for name, architecture, arguments in (
        (PUBLISHED_BF16, "rpmsn", {}),
        (PUBLISHED, "rpmsn", {}),
        (UNET, "unet", {"in_channels": 3, "classes": 3}),
    ):
        is_half = name == PUBLISHED_BF16
        if is_half and not multiplies(BFLOAT16_FEATURES):
            yield name, None
            continue
        try:
            built = network.create(architecture, **arguments).eval()
        except MissingLibraryError:
            yield name, None
            continue
        built = built.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=is_half):
            once = seconds_of(partial(built, image))
            yield name, once if once > 2 else median_seconds(partial(built, image), 3)


def _published_on_gpu():
    """Seconds for one image of a batch, from numbers in the computer's memory to numbers in its memory."""
    import torch

    built = network.create("rpmsn").eval().to("cuda", torch.bfloat16)
    built = built.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # unknown to torch's stubs
    images = torch.rand(GPU_BATCH, 3, spectrogram.ROWS, spectrogram.COLUMNS).pin_memory()

    def work():
        batch = images.to("cuda", torch.bfloat16, non_blocking=True).contiguous(memory_format=torch.channels_last)
        built(batch).float().cpu()

    with torch.inference_mode():
        return median_seconds(work, 5) / GPU_BATCH


def highest_rate(
    model: Model, settings: Settings, samples: np.ndarray, seconds: float, rates: Sequence[float] = RATES
) -> tuple[float | None, list[LiveRun]]:
    """The highest of some rates at which nothing is dropped, by bisection.

    Returns:
        (rate in Hz or None, list of the LiveRuns that it took).
    """
    runs, low, high = [], -1, len(rates)
    while high - low > 1:
        middle = (low + high) // 2
        runs.append(live(model, rates[middle], settings, samples, seconds))
        low, high = (middle, high) if runs[-1].is_whole else (low, middle)
    return (rates[low] if low >= 0 else None), runs


def measure(
    model: Model,
    source: str,
    sample_rate: float,
    runtime_names: Sequence[str],
    settings: Settings,
    seconds: float,
    references: bool = True,
    search: bool = True,
    notify: Callable[[str], object] = lambda text: None,
) -> dict[str, Any]:
    """Everything that `rpmsn bench` shows, as plain types.

    Args:
        model: rpmsn.models.model.Model.
        source: its name or path.
        sample_rate: Hz, of the frame whose parts are timed and of the live runs.
        runtime_names: of the runtimes to measure.
        settings: rpmsn.streaming.live.Settings; its `runtime` is replaced by each of the names.
        seconds: how long each live run lasts.
        references: also time RPMSN as published and a U-Net.
        search: also look for the highest rate without a drop.
        notify: called with what is measured next.

    Returns:
        dict with `fft`, `parts`, `live`, `replay`, `flowgraph` (where GNU Radio is installed), `highest` and
        `references`; times in s, rates in Hz.
    """
    samples = scene(settings.dtype)
    notify("FFT alone")
    library, fft = fft_alone(sample_rate)
    found: dict[str, Any] = {
        "sample_rate": sample_rate,
        "frame_s": spectrogram.frame_length(sample_rate) / sample_rate,
        "fft": {"library": library, "seconds": median_seconds(fft, 20)},
        "parts": {},
        "live": {},
        "replay": {},
        "flowgraph": {},
        "highest": {},
        "references": {},
    }
    for name in runtime_names:
        notify(f"parts of a frame, {name}")
        found["parts"][name] = parts(model, sample_rate, name, samples, fft)
        notify(f"live at {sample_rate / 1e6:g} Msps, {name}")
        own = replace(settings, runtime=name)
        found["live"][name] = _reported(live(model, sample_rate, own, samples, seconds))
        notify(f"replay from disk, {name}")
        found["replay"][name] = replay(model, sample_rate, name, settings.workers, samples)
        notify(f"in a flowgraph at {sample_rate / 1e6:g} Msps, {name}")
        with suppress(MissingLibraryError, ImportError):
            found["flowgraph"][name] = _reported(in_flowgraph(source, sample_rate, own, samples, seconds))
        if search:
            notify(f"highest rate, {name}")
            found["highest"][name], _ = highest_rate(model, own, samples, min(seconds, 5.0))
    if references:
        notify(f"{PUBLISHED}; {UNET}")
        found["references"] = dict(reference_networks(settings.threads * settings.workers))
    return found


def _reported(run):
    """A LiveRun as plain types."""
    status = run.status
    latencies = np.array(run.latencies or [math.nan])
    return {
        "coverage": status["coverage"],
        "frames_dropped": status["frames_dropped"],
        "frames_analysed": status["frames_analysed"],
        "latency_median_s": float(np.median(latencies)),
        "latency_p99_s": float(np.quantile(latencies, 0.99)),
        "cores": run.cores,
        "writer_late_s": run.late_s,
    }
