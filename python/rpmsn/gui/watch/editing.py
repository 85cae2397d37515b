# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does with carriers and marked parts: give a class, delete, annotate, cut out; with undo."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...recording.annotations import annotation
from ...recording.cut import cut
from ...recording.metadata import DATA_SUFFIX, META_SUFFIX
from ..carriers.carrier_list import CarrierRow
from ..carriers.export import free_path
from ..qt import QtCore, QtWidgets
from ..translation import counted, mark, tr
from ..waterfall.pointing import Place
from ..waterfall.settings import SHOWN_CLASSES
from ..with_table import WaterfallWithTable
from .corrections import Corrections, corrected
from .cutting import CutTask
from .player import Player

CUT_KIND = mark("SigMF recording (*.sigmf-meta)")


class Change(QtWidgets.QUndoCommand):
    """Something that can be undone.

    Args:
        text: what it is.
        do, undo: functions.
    """

    def __init__(self, text: str, do: Callable[[], None], undo: Callable[[], None]) -> None:
        super().__init__(text)
        self._do, self._undo = do, undo

    def redo(self) -> None:
        """Qt asks for it to be done, at first or again."""
        self._do()

    def undo(self) -> None:
        """Qt asks for it to be undone."""
        self._undo()


class Editor(QtWidgets.QUndoStack):
    """Acts on what is shown in a window.

    Args:
        window: of `rpmsn watch`.
        view: its picture and table.

    Attributes:
        corrections: classes that the person gave.
        drawn: annotations that the person drew, as of `Recording.annotations`.
    """

    drawn_changed = QtCore.pyqtSignal()

    def __init__(self, window: QtWidgets.QMainWindow, view: WaterfallWithTable) -> None:
        super().__init__(window)
        self._window, self._view = window, view
        self.corrections = Corrections()
        self.drawn: list[dict[str, Any]] = []
        self._player: Player | None = None
        self._task: CutTask | None = None
        view.waterfall.menu_requested.connect(self._add_to_place)
        view.table.menu_requested.connect(self._add_to_carrier)
        view.table.exported.connect(self._on_exported)

    def begin(self, player: Player | None) -> None:
        """Another source is shown: what was said of the one before is forgotten."""
        self.clear()
        self._player = player
        self.corrections.labels.clear()
        self.drawn.clear()
        self._view.table.drawn = self.drawn
        self._view.hide_carriers(set())

    def end(self) -> None:
        """The window closes."""
        if self._task is not None:
            self._task.stop()

    def may_be_left(self) -> bool:
        """Whether another source may be shown, or none: what a person said and no file has is asked about."""
        if self.isClean():
            return True
        box = QtWidgets.QMessageBox
        text = counted(
            "{count} correction is in no file yet.", "{count} corrections are in no file yet.", self._unsaved
        )
        answer = box.question(self._window, tr("Corrections"), text, box.Save | box.Discard | box.Cancel, box.Save)
        if answer == box.Save:
            self._view.table.ask_and_export()
        return self.isClean() or answer == box.Discard

    @property
    def _unsaved(self) -> int:
        """Changes, done or undone, since a file had them all."""
        return self.count() if self.cleanIndex() < 0 else abs(self.index() - self.cleanIndex())

    def _on_exported(self, path: str) -> None:
        """Annotations have all that a person said."""
        if path.endswith(META_SUFFIX):
            self.setClean()

    def relabel(self, carrier: CarrierRow, label: str) -> None:
        """A person says what a carrier is."""
        number, before, was = carrier.carrier_id, carrier.report, self.corrections.labels.get(carrier.carrier_id)

        def do() -> None:
            self.corrections.labels[number] = label
            self._view.replace_report(number, corrected(before, label))

        def undo() -> None:
            self.corrections.labels.pop(number)
            if was is not None:
                self.corrections.labels[number] = was
            self._view.replace_report(number, before)

        self.push(Change(tr("carrier {number} is {label}", number=number, label=label), do, undo))

    def delete(self, carriers: list[CarrierRow]) -> None:
        """A person says that carriers are none: they are neither listed, drawn nor exported."""
        numbers = {carrier.carrier_id for carrier in carriers}
        before = set(self._view.hidden_carriers)
        if numbers - before:
            self.push(
                Change(
                    counted("delete {count} carrier", "delete {count} carriers", len(numbers)),
                    lambda: self._view.hide_carriers(before | numbers),
                    lambda: self._view.hide_carriers(before),
                )
            )

    def annotate(self, label: str) -> None:
        """A person says what the marked part is."""
        span = self._marked_samples()
        if span is None:
            return
        lower, upper = self._view.waterfall.selection.frequencies
        entry = annotation({"label": label, "freq_lower": lower, "freq_upper": upper}, 0, span[0], span[1] - span[0])
        entry = {key: value for key, value in entry.items() if key.startswith("core:")}

        self._push_drawn(tr("annotate as {label}", label=label), [*self.drawn, entry])
        self._view.waterfall.selection.clear()

    def delete_drawn(self, entry: dict[str, Any]) -> None:
        """A person takes back an annotation that was drawn."""
        rest = [other for other in self.drawn if other is not entry]
        self._push_drawn(tr("delete the annotation {label}", label=entry["core:label"]), rest)

    def _push_drawn(self, text: str, after: list[dict[str, Any]]) -> None:
        before = list(self.drawn)

        def show(entries: list[dict[str, Any]]) -> None:
            self.drawn[:] = entries
            self.drawn_changed.emit()

        self.push(Change(text, lambda: show(after), lambda: show(before)))

    def ask_and_cut(self, span: tuple[int, int], edges: tuple[float, float], name: str) -> None:
        """Ask where to, and cut a part of the recording: samples of it, and edges in Hz."""
        if self._player is None:
            return
        recording = self._player.recording
        base = recording.path.name.removesuffix(DATA_SUFFIX)
        suggested = free_path(recording.path.with_name(f"{base}.{name}{META_SUFFIX}"))
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self._window, tr("Cut to a file"), str(suggested), tr(CUT_KIND))
        if path:
            path = path if path.endswith(META_SUFFIX) else path + META_SUFFIX
            # Where it exists the dialog has asked.
            self.cut(path, span, edges, overwrite=os.path.exists(path))

    def ask_and_save_training(self) -> None:
        """Ask for a folder, and save the samples with all that is listed as annotations: to train on. Of a recording in
        which a part is marked, that part of its time."""
        if self._player is None:
            self._say(tr("a recording has samples to train on; open one"))
            return
        recording = self._player.recording
        span = (0, recording.sample_count) if self._view.waterfall.selection.area is None else self._marked_samples()
        if span is None:
            return
        folder = QtWidgets.QFileDialog.getExistingDirectory(
            self._window, tr("Folder of recordings to train on"), str(recording.path.parent)
        )
        if folder:
            base = recording.path.name.removesuffix(DATA_SUFFIX)
            self.cut(free_path(Path(folder) / f"{base}.labels{META_SUFFIX}"), span, None)

    def cut(
        self, path: str | Path, span: tuple[int, int], edges: tuple[float, float] | None, overwrite: bool = False
    ) -> None:
        """Cut a part into a file, in the background; `edges` None for the whole band."""
        assert self._player is not None
        recording = self._player.recording.second_reader()
        own = recording.path.resolve()
        if Path(path).resolve().with_name(Path(path).name.removesuffix(META_SUFFIX) + DATA_SUFFIX) == own:
            self._warn(tr("the part would replace the recording that it is of; choose another name"))
            return
        found = [self._annotation_of(time) for carrier in self._view.listed() for time in carrier.each_time()]
        entries = [*found, *self.drawn]
        inside = [entry for entry in entries if edges is None or _overlaps(entry, edges)]
        self._task = CutTask(
            self._window,
            lambda on_progress: cut(recording, path, *span, edges, inside, overwrite, on_progress),
            lambda written: self._on_cut(written, edges is None and span == (0, recording.sample_count)),
            self._warn,
        )

    def _on_cut(self, written: Path | None, is_whole: bool) -> None:
        self._say(tr("stopped; nothing is written") if written is None else tr("written: {path}", path=written))
        if written is not None and is_whole:
            self.setClean()

    def _annotation_of(self, carrier: CarrierRow) -> dict[str, Any]:
        assert self._player is not None
        start, end = self._player.recording_span(carrier.sample_start, carrier.sample_end)
        values = {name: getattr(carrier, name) for name in ("label", "freq_lower", "freq_upper")}
        entry = annotation(values, carrier.carrier_id, start, end - start)
        return {key: value for key, value in entry.items() if key.startswith("core:")}

    def _add_to_place(self, menu: QtWidgets.QMenu, place: Place) -> None:
        """The menu in the picture: what can be done with an annotation that was drawn, and with the marked part."""
        selection = self._view.waterfall.selection
        if self._player is None:
            return
        for entry in self._drawn_at(place, self._player):
            text = tr("&Delete the annotation {label}", label=entry["core:label"])
            menu.addAction(text, lambda entry=entry: self.delete_drawn(entry))
        if not selection.contains(place.frequency, place.y):
            return
        span = self._marked_samples()
        if span is not None:
            edges = selection.frequencies
            menu.addSeparator()
            player = self._player
            menu.addAction(tr("&Play the marked part"), lambda: player.play_part(*span))
            menu.addAction(tr("C&ut the marked part to a file…"), lambda: self.ask_and_cut(span, edges, "part"))
            own = menu.addMenu(tr("&Annotate the marked part as"))
            for label in SHOWN_CLASSES:
                own.addAction(label, lambda label=label: self.annotate(label))

    def _add_to_carrier(self, menu: QtWidgets.QMenu, carrier: CarrierRow) -> None:
        """The menu on a carrier: what can be done with it."""
        menu.addSeparator()
        own = menu.addMenu(tr("It &is"))
        for label in SHOWN_CLASSES:
            own.addAction(label, lambda label=label: self.relabel(carrier, label)).setEnabled(label != carrier.label)
        menu.addAction(tr("&Delete carrier"), lambda: self.delete([carrier]))
        if self._player is not None:
            span = self._player.recording_span(carrier.sample_start, carrier.sample_end)
            edges, name = (carrier.freq_lower, carrier.freq_upper), f"carrier-{carrier.carrier_id}"
            player = self._player
            menu.addAction(tr("&Play its time"), lambda: player.play_part(*span))
            menu.addAction(tr("C&ut it to a file…"), lambda: self.ask_and_cut(span, edges, name))

    def _drawn_at(self, place: Place, player: Player) -> list[dict[str, Any]]:
        """Annotations that were drawn over a place."""
        [sample, _] = player.positions_of(self._view.waterfall.samples_between(np.array([place.y, place.y])))
        return [
            entry
            for entry in self.drawn
            if entry["core:freq_lower_edge"] <= place.frequency <= entry["core:freq_upper_edge"]
            and 0 <= sample - entry["core:sample_start"] < entry["core:sample_count"]
        ]

    def _marked_samples(self) -> tuple[int, int] | None:
        """First sample of the recording that is marked, and the one after the last; None where that is no run of it."""
        if self._player is None or self._view.waterfall.selection.area is None:
            return None
        heights = np.array(self._view.waterfall.selection.heights)
        start, end = self._player.positions_of(self._view.waterfall.samples_between(heights)).tolist()
        if not 0 <= start < end:
            self._say(tr("the marked part reaches over a jump in the recording; mark one side of it"))
            return None
        return start, end

    def _say(self, text: str) -> None:
        self._window.statusBar().showMessage(text, 10_000)

    def _warn(self, text: str) -> None:
        QtWidgets.QMessageBox.warning(self._window, tr("Cut to a file"), text)


def _overlaps(entry: dict[str, Any], edges: tuple[float, float]) -> bool:
    lower, upper = entry.get("core:freq_lower_edge"), entry.get("core:freq_upper_edge")
    return lower is None or upper is None or (lower < edges[1] and upper > edges[0])
