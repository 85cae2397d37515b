# SPDX-License-Identifier: GPL-3.0-or-later
"""An evaluation on paper: `report.json` for machines, `report.md` with pictures for people."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import installation
from ...classes import CLASS_COLORS, CLASS_NAMES, IGNORED
from ...errors import MissingLibraryError, ParameterError
from ...files import whole_file
from ...synthesis.scene.preview import write_contact_sheet
from ...tables import format_table, markdown_table, percent
from .evaluation import Evaluation, Failure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

JSON_NAME, MARKDOWN_NAME = "report.json", "report.md"
CONFUSION, BY_SNR, RELIABILITY, WORST = "confusion.png", "iou_by_snr.png", "reliability.png", "worst.png"

DOTS_PER_INCH = 130
FEWEST_CARRIERS, FEWEST_SEGMENTS, FEWEST_PIXELS = 5, 8, 50
"""Points that rest on less are left out of the pictures (not of the tables)."""
NOISE_COLOR = "black"
BREAKDOWNS = {
    "technology": "technology",
    "snr_db": "SNR",
    "load": "load",
    "bandwidth": "nominal bandwidth",
    "sample_rate": "sample rate",
}
SCENE_BREAKDOWNS = {
    "snr_db": "SNR of the scene (all signals over the noise of the whole span)",
    "sample_rate": "sample rate",
}


def check_folder(folder: str | os.PathLike, model: str, set_folder: str | os.PathLike, policy: str) -> None:
    """Refuse a folder that holds the report of another model, set or policy.

    Args:
        folder: where the report is to go.
        model: name of the model.
        set_folder: path of the set.
        policy: of its masks.

    Raises:
        ParameterError: another report is there, or something that is none.
    """
    path = Path(folder) / JSON_NAME
    if not path.exists():
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
        about = there["model"]["name"], Path(there["set"]["folder"]).resolve(), there["set"]["policy"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ParameterError(f"{path} is no report of `rpmsn evaluate`; name another --output") from error
    if about != (model, Path(set_folder).resolve(), policy):
        raise ParameterError(
            f"{folder} holds the report on model {about[0]!r} and set {about[1]} (policy {about[2]}); "
            "name another --output, or remove that one"
        )


def write_report(evaluation: Evaluation, folder: str | os.PathLike) -> Path:
    """Write all files of a report, each whole or not at all; those of an earlier one are replaced.

    Args:
        evaluation: rpmsn.training.evaluation.evaluation.Evaluation.
        folder: where; made if it is not there.

    Returns:
        Path of `report.md`.

    Raises:
        MissingLibraryError: matplotlib or Pillow is not installed.
        OSError: a file cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    report = evaluation.report
    pictures = [
        name
        for draw, name in ((_draw_confusion, CONFUSION), (_draw_by_snr, BY_SNR), (_draw_reliability, RELIABILITY))
        if _write_figure(draw, report, folder / name)
    ]
    if evaluation.worst:
        _write_worst(evaluation.worst, folder / WORST)
        pictures.append(WORST)
    with whole_file(folder / JSON_NAME) as file:
        file.write((json.dumps(report, indent=1) + "\n").encode())
    with whole_file(folder / MARKDOWN_NAME) as file:
        file.write(markdown(report, pictures).encode())
    for name in {CONFUSION, BY_SNR, RELIABILITY, WORST} - set(pictures):
        (folder / name).unlink(missing_ok=True)
    return folder / MARKDOWN_NAME


def card_scores(report: dict[str, Any]) -> dict[str, Any]:
    """The main figures of a report as a model's card holds them: plain numbers and words, rounded.

    Args:
        report: dict, of an Evaluation.
    """
    about, pixels = report["set"], report["pixels"]
    scores = {key: about[key] for key in ("preset", "seed", "scenes", "policy") if key in about}
    scores |= {
        "runtime": report["runtime"],
        "pixel_accuracy": _rounded(pixels["pixel_accuracy"]),
        "mean_iou": _rounded(pixels["mean_iou"]),
        "iou": {label: _rounded(values["iou"]) for label, values in pixels["classes"].items()},
        "calibration_error": _rounded(report["calibration"]["card"]["ece"]),
    }
    if report["carriers"]:
        scores["carriers_f1"] = _rounded(report["carriers"]["labels"]["LTE and NR"]["f1"])
    return scores


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def format_summary(report: dict[str, Any]) -> str:
    """The main figures as a table for the shell."""
    rows = [
        (label, *(_number(values[name]) for name in ("iou", "f1", "precision", "recall", "accuracy")))
        for label, values in report["pixels"]["classes"].items()
    ]
    rows.append(
        (
            "mean",
            *(_number(report["pixels"][f"mean_{name}"]) for name in ("iou", "f1", "precision", "recall", "accuracy")),
        )
    )
    lines = [format_table(("pixels", "IoU", "F1", "precision", "recall", "accuracy"), rows)]
    if report["carriers"]:
        rows = [
            (
                label,
                str(values["true"]),
                str(values["found"]),
                str(values["wrong_label"]),
                str(values["false"]),
                *(_number(values[name]) for name in ("f1", "precision", "recall")),
            )
            for label, values in report["carriers"]["labels"].items()
        ]
        lines += ["", format_table(("carriers", "true", "found", "wrong", "false", "F1", "precision", "recall"), rows)]
    return "\n".join(lines)


def markdown(report: dict[str, Any], pictures: Sequence[str] = ()) -> str:
    """The report as Markdown.

    Args:
        report: dict, of an Evaluation.
        pictures: names of the picture files beside it.
    """
    model, about = report["model"], report["set"]
    made_of = f"preset `{about['preset']}`, seed {about['seed']}, " if "preset" in about else ""
    lines = [
        f"# {model['name']} {model['version']} on {Path(about['folder']).name}",
        "",
        f"Set `{about['folder']}`: {about['scenes']} scenes, {made_of}feature set `{model['features']}`, label policy "
        f"`{about['policy']}`. Weights {model['sha256'][:12]}, runtime {report['runtime']}, {report['software']}.",
        "",
        *(line for note in report["notes"] for line in (f"* {note}", "")),
        *_pixel_section(report, pictures),
        *_carrier_section(report["carriers"]),
        *_scene_sections(report["pixels_by"], pictures),
        *_breakdown_sections(report["carriers"]),
        *_calibration_section(report, pictures),
    ]
    if report["worst"]:
        lines += [
            "## Worst failures",
            "",
            "Scenes with the least mean IoU over the classes that fill a hundredth of "
            "the picture or more. From left to right: image, truth, wrong pixels (light), mask found.",
            "",
            *([f"![worst failures]({WORST})", ""] if WORST in pictures else []),
        ]
    return "\n".join(lines).rstrip() + "\n"


def _pixel_section(report: dict[str, Any], pictures: Sequence[str]) -> list[str]:
    pixels, classes = report["pixels"], report["model"]["classes"]
    rows = [
        (
            label,
            *map(percent, (values["iou"], values["f1"], values["precision"], values["recall"], values["accuracy"])),
            f"{values['pixels']}",
        )
        for label, values in pixels["classes"].items()
    ]
    rows.append(
        (
            "**mean**",
            *(percent(pixels[f"mean_{name}"]) for name in ("iou", "f1", "precision", "recall", "accuracy")),
            f"{pixels['pixels']}",
        )
    )
    confusion = [
        (f"true {label}", *(f"{count}" for count in row)) for label, row in zip(classes, report["confusion_matrix"])
    ]
    return [
        "## Pixels",
        "",
        *markdown_table(("class", "IoU %", "F1 %", "precision %", "recall %", "accuracy %", "pixels"), rows),
        "",
        f"Pixel accuracy (pixels with the right class / all pixels): {percent(pixels['pixel_accuracy'])} %.",
        "",
        "Pixels that the policy leaves open (255) are not counted. With a class's hits TP, misses FN, wrong calls FP "
        "and all others TN: IoU = TP / (TP + FP + FN), F1 = 2 TP / (2 TP + FP + FN), precision = TP / (TP + FP), "
        "recall = TP / (TP + FN), accuracy = (TP + TN) / all (one class against the rest). Means are plain means "
        'over the classes. "Mean accuracy" is used in papers for the mean of that accuracy, and also for what is '
        "the mean recall here.",
        "",
        "Pixels by true class (rows) and class found (columns):",
        "",
        *markdown_table(("", *(f"found {label}" for label in classes)), confusion),
        "",
        *([f"![confusion matrix]({CONFUSION})", ""] if CONFUSION in pictures else []),
    ]


def _carrier_section(carriers: dict[str, Any] | None) -> list[str]:
    if not carriers:
        return []
    counts = ("true", "found", "wrong_label", "missed", "false", "others_called_so")
    rows = [
        (
            label,
            *(f"{values[name]}" for name in counts),
            *map(percent, (values["precision"], values["recall"], values["f1"])),
        )
        for label, values in carriers["labels"].items()
    ]
    edges = [
        (label, f"{values['edges']}", _plain(values["median"]), _plain(values["quantile_90"]))
        for label, values in carriers["edge_error_khz"].items()
    ]
    without = [
        (
            name.replace("_", " "),
            f"{values['scenes']}",
            f"{values['seconds']:g}",
            f"{values['LTE']}",
            f"{values['NR']}",
            _plain(values["per_second"]),
        )
        for name, values in carriers["without_lte_and_nr"].items()
    ]
    called = [f"{entry['true']} called {entry['found']}: {entry['carriers']}" for entry in carriers["called"]]
    return [
        "## Carriers",
        "",
        f"A true carrier is found when one of the same label has a frequency IoU of at least {carriers['min_iou']} "
        "with it. Of a carrier that the mask shows in part (little traffic), that part may be found, also in "
        "pieces. Not counted either way: carriers too weak to see or hidden by stronger ones for more than half, "
        "and what is found on pixels that the policy leaves open. Each image is one frame of a stream: live, a "
        "carrier has several frames to be found in.",
        "",
        *markdown_table(
            (
                "label",
                "true",
                "found",
                "wrong label",
                "missed",
                "false",
                "others called so",
                "precision %",
                "recall %",
                "F1 %",
            ),
            rows,
        ),
        "",
        f"Wrong labels: {'; '.join(called) or 'none'}.",
        "",
        "Distance of the edges found from the true ones, for carriers that are shown whole:",
        "",
        *markdown_table(("label", "edges", "median kHz", "90 % below kHz"), edges),
        "",
        "LTE and NR carriers found in scenes that hold neither:",
        "",
        *markdown_table(("scenes", "how many", "seconds", "LTE", "NR", "false a second"), without),
        "",
    ]


def _scene_sections(groups: dict[str, Any], pictures: Sequence[str]) -> list[str]:
    lines = ["## By SNR", "", f"![IoU by SNR]({BY_SNR})", ""] if BY_SNR in pictures else []
    for name, words in SCENE_BREAKDOWNS.items():
        if not groups[name]:
            continue
        labels = list(groups[name][0]["classes"])
        rows = [
            (
                entry["range"],
                f"{entry['scenes']}",
                *map(percent, (entry["mean_iou"], entry["mean_f1"], entry["mean_accuracy"], entry["pixel_accuracy"])),
                *(percent(entry["classes"][label]["iou"]) for label in labels),
            )
            for entry in groups[name]
        ]
        lines += [
            f"### Pixels by {words}",
            "",
            *markdown_table(
                (
                    "",
                    "scenes",
                    "mean IoU %",
                    "mean F1 %",
                    "mean accuracy %",
                    "pixel accuracy %",
                    *(f"IoU {label} %" for label in labels),
                ),
                rows,
            ),
            "",
        ]
    return lines


def _breakdown_sections(carriers: dict[str, Any] | None) -> list[str]:
    if not carriers:
        return []
    lines = [
        "## Carriers by kind and circumstance",
        "",
        "Pixel recall: fraction of a carrier's own pixels with its class. Pixel IoU: the same pixels over these and "
        "the pixels of its band that were given its class wrongly. SNR is a carrier's power per occupied hertz "
        "over the noise, while on the air.",
        "",
    ]
    for name, words in BREAKDOWNS.items():
        rows = [
            (
                entry["label"],
                entry["range"],
                f"{entry['carriers']}",
                *map(percent, (entry["found_fraction"], entry["pixel_recall"], entry["pixel_iou"])),
                f"{entry['wrong_label']}",
            )
            for entry in carriers["by"][name]
        ]
        if rows:
            lines += [
                f"### By {words}",
                "",
                *markdown_table(
                    ("label", words, "carriers", "found %", "pixel recall %", "pixel IoU %", "wrong label"), rows
                ),
                "",
            ]
    return lines


def _calibration_section(report: dict[str, Any], pictures: Sequence[str]) -> list[str]:
    calibration = report["calibration"]
    rows = [
        (words, f"{calibration[name]['temperature']:g}", percent(calibration[name]["ece"]))
        for name, words in (("plain", "without"), ("card", "as in the model's card"), ("fitted", "fitted on this set"))
    ]
    segments = report["segments"]
    return [
        "## Calibration",
        "",
        f"Expected calibration error (15 bins) of the confidence of {calibration['pixels']} judged pixels, drawn "
        "at random. A temperature that is fitted on this set flatters it; what counts is the one in the card, "
        "fitted elsewhere.",
        "",
        *markdown_table(("temperature", "value", "ECE %"), rows),
        "",
        *(
            [
                f"Of {segments['segments']} segments {percent(segments['right'])} % have the class that most of their "
                f"pixels have in truth; the ECE of their confidence is {percent(segments['ece'])} %.",
                "",
            ]
            if segments
            else []
        ),
        *([f"![reliability]({RELIABILITY})", ""] if RELIABILITY in pictures else []),
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _write_figure(draw: Callable[["Figure", dict[str, Any]], bool], report: dict[str, Any], path: Path) -> bool:
    """Draw a figure and write it; False where there is nothing to draw."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingLibraryError(installation.missing("the picture of the report", "matplotlib")) from error
    figure = Figure(layout="constrained")
    FigureCanvasAgg(figure)
    if not draw(figure, report):
        return False
    with whole_file(path) as file:
        figure.savefig(file, format="png", dpi=DOTS_PER_INCH)
    return True


def _color(label: str) -> Any:
    """Colour of a class on white paper."""
    return NOISE_COLOR if label == "noise" else tuple(part / 255 for part in CLASS_COLORS[label])


def _draw_confusion(figure: "Figure", report: dict[str, Any]) -> bool:
    classes, matrix = report["model"]["classes"], np.array(report["confusion_matrix"], float)
    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure.set_size_inches(4.8, 4.2)
    axes = figure.subplots()
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(fractions.shape):
        axes.text(
            column,
            row,
            f"{100 * fractions[row, column]:.1f}",
            ha="center",
            va="center",
            color="white" if fractions[row, column] > 0.55 else "black",
        )
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("class found")
    axes.set_ylabel("true class")
    axes.set_title("Fraction of a true class's pixels, %", fontsize=11)
    return True


def _draw_by_snr(figure: "Figure", report: dict[str, Any]) -> bool:
    """IoU of scenes by their SNR where they have one, and of carriers by theirs."""
    by_carrier = (report["carriers"] or {"by": {"snr_db": []}})["by"]["snr_db"]
    by_scene = report["pixels_by"]["snr_db"]
    panels = [draw for draw, entries in ((_draw_scene_snr, by_scene), (_draw_carrier_snr, by_carrier)) if entries]
    if not panels:
        return False
    figure.set_size_inches(6.4 * len(panels), 4.2)
    for axes, draw in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        draw(axes, by_scene if draw is _draw_scene_snr else by_carrier)
        axes.set_ylim(0, 102)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8, loc="lower right")
    return True


def _draw_scene_snr(axes: "Axes", entries: list[dict[str, Any]]) -> None:
    middles = [_middle(entry["range"]) for entry in entries]
    for label in entries[0]["classes"]:
        axes.plot(
            middles,
            [_times_100(entry["classes"][label]["iou"]) for entry in entries],
            marker="o",
            ms=4,
            color=_color(label),
            label=label,
        )
    axes.plot(middles, [_times_100(entry["mean_iou"]) for entry in entries], "k--", lw=2, label="mean")
    axes.set_xlabel("SNR of the scene over the whole span, dB")
    axes.set_ylabel("IoU of pixels, %")


def _draw_carrier_snr(axes: "Axes", entries: list[dict[str, Any]]) -> None:
    for label in CLASS_NAMES[1:]:
        own = [entry for entry in entries if entry["label"] == label and entry["carriers"] >= FEWEST_CARRIERS]
        middles = [_middle(entry["range"]) for entry in own]
        if own:
            axes.plot(
                middles,
                [_times_100(entry["pixel_iou"]) for entry in own],
                marker="o",
                ms=4,
                color=_color(label),
                label=f"{label}: IoU of pixels",
            )
            axes.plot(
                middles,
                [_times_100(entry["found_fraction"]) for entry in own],
                "s:",
                ms=4,
                color=_color(label),
                mfc="white",
                label=f"{label}: carriers found",
            )
    axes.set_xlabel(f"SNR of the carrier per occupied Hz, dB (points of {FEWEST_CARRIERS} carriers or more)")
    axes.set_ylabel("%")


def _middle(words: str) -> float:
    """Middle of a range such as `-5 to 0 dB`."""
    lower, upper = words.removesuffix(" dB").split(" to ")
    return (float(lower) + float(upper)) / 2


def _times_100(value: float | None) -> float:
    return np.nan if value is None else 100 * value


def _draw_reliability(figure: "Figure", report: dict[str, Any]) -> bool:
    calibration = report["calibration"]
    figure.set_size_inches(4.8, 5.4)
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1]})
    above.plot([0, 1], [0, 1], color="0.6", lw=1, label="as it should be")
    for name, words, style, color in (("card", "card", "o-", "#0072B2"), ("fitted", "fitted here", "s--", "#E69F00")):
        bins = calibration[name]
        points = [
            (confidence, accuracy)
            for confidence, accuracy, pixels in zip(bins["confidence"], bins["accuracy"], bins["pixels"])
            if pixels >= FEWEST_PIXELS
        ]
        above.plot(
            *(zip(*points) if points else ((), ())),
            style,
            ms=4,
            color=color,
            label=f"{words}: temperature {bins['temperature']:.2f}, ECE {100 * bins['ece']:.2f} %",
        )
    if segments := report["segments"]:
        points = [
            (confidence, accuracy)
            for confidence, accuracy, count in zip(segments["confidence"], segments["accuracy"], segments["count"])
            if count >= FEWEST_SEGMENTS
        ]
        above.plot(
            *(zip(*points) if points else ((), ())),
            "^-.",
            ms=5,
            color="#009E73",
            label=f"segments: ECE {100 * segments['ece']:.2f} %",
        )
    above.set_ylabel("fraction that is right")
    above.legend(fontsize=8, loc="upper left")
    above.grid(alpha=0.3)
    pixels = np.array(calibration["card"]["pixels"])
    below.bar(
        (np.arange(len(pixels)) + 0.5) / len(pixels), 100 * pixels / pixels.sum(), 0.9 / len(pixels), color="#0072B2"
    )
    below.set_xlabel("confidence")
    below.set_ylabel("pixels, %")
    return True


def _write_worst(failures: list[Failure], path: Path) -> None:
    """Contact sheet of failures: image, truth, wrong pixels and mask found, one failure a row."""
    items = []
    for failure in failures:
        wrong = (failure.truth != failure.found) & (failure.truth != IGNORED)
        head, _, carriers = failure.title.partition("   found: ")
        items.append((head, _gray(failure.image), failure.truth))
        items.append(
            (f"found: {carriers}" if carriers else "found", np.where(wrong, 255, 0).astype(np.uint8), failure.found)
        )
    write_contact_sheet(path, items, columns=2)


def _gray(image: np.ndarray) -> np.ndarray:
    """The channel that shows levels, uint8 (256, 256); the brightness of a picture in false colours."""
    if len(image) != 3:
        return image[0]
    return np.round(np.tensordot((0.299, 0.587, 0.114), image.astype(float), 1)).astype(np.uint8)
