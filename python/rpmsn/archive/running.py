# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive worked through: what is new in it becomes jobs, which one process or Ray's actors do."""

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

from ..errors import ParameterError, RpmsnError
from ..version import __version__
from . import layers, schema
from .annotating import Annotator
from .pieces import LOWEST_BYTES_A_SECOND
from .sources import Source, opened
from .store import Store
from .work import (
    JOIN,
    PIECE,
    PIECES,
    WHOLE,
    Done,
    Job,
    Plan,
    Worker,
    failed,
    identity,
    key_of,
    piece_name,
    ranges_of,
    remove_results,
)

MANIFEST = "rpmsn-archive.json"
LOOKED_AT_ONCE = 8
"""Long recordings that are opened at the same time, to see where they are cut."""
LOOKED_AT_A_TIME = 256
"""And so many ahead of the analysis."""
LOST = (
    "the process that analysed it has ended, several times: it was killed, as a system short of memory does (fewer "
    "--actors help then), or the recording makes a library fail."
)


@dataclass
class Todo:
    """What there is to do.

    Attributes:
        sources: recordings without results.
        kept: how many have them.
        replaces: URL of a recording that has changed -> keys of its results so far.
        bytes: of `sources`.
    """

    sources: list[Source] = field(default_factory=list)
    kept: int = 0
    replaces: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        return sum(source.size for source in self.sources)


def check_dest(dest: Store, plan: Plan, annotator: Annotator) -> None:
    """Make a place for results, or see that it has those of the same version, model and settings.

    Raises:
        ParameterError: it has others, or is a file.
        StorageError: it cannot be reached or written.
    """
    card = annotator.model.card
    wanted = {
        "schema": schema.VERSION,
        "made": plan.made,
        "version": __version__,
        "model": f"{card.name} {card.version}",
        "settings": asdict(plan.settings),
    }
    if dest.exists() and dest.is_file():
        raise ParameterError(f"--output is {dest.url}, a file; results need a folder")
    if not dest.exists(MANIFEST):
        dest.write(MANIFEST, json.dumps(wanted, indent=2).encode())
        return
    there = read_manifest(dest)
    for name in ("version", "model", "settings", "made"):
        if there.get(name) != wanted[name]:
            theirs, ours = _differing(there.get(name), wanted[name])
            raise ParameterError(
                f"--output is {dest.url}, whose results were made with {name} {theirs}, and this run has {ours}: "
                "choose another folder, since results made in two ways cannot be compared"
            )


def read_manifest(dest: Store) -> dict:
    """What an archive's results were made with.

    Raises:
        ParameterError: there are none, or this version cannot read them.
    """
    if not dest.exists(MANIFEST):
        raise ParameterError(f"{dest.url} has no {MANIFEST}: it holds no results of `rpmsn archive run`")
    try:
        there = json.loads(dest.read(MANIFEST))
        version = there["schema"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ParameterError(f"{dest.url_of(MANIFEST)} is not what `rpmsn archive run` writes ({error})") from error
    if version != schema.VERSION:
        raise ParameterError(
            f"{dest.url} has tables of version {version}, and this gr-rpmsn reads {schema.VERSION}: use the version "
            f"that made them, {there.get('version')}"
        )
    return there


def _differing(one: object, other: object) -> tuple[str, str]:
    """Two values in words; of two dictionaries only where they differ."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return str(one), str(other)
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    in_words = (", ".join(f"{name} {values.get(name)}" for name in names) for values in (one, other))
    return next(in_words), next(in_words)


def look(dest: Store, plan: Plan, sources: Iterable[Source]) -> Todo:
    """What there is to do; what a run that was killed left to remove is removed."""
    dest.remove_leftovers()
    done = set().union(*layers.live(dest).values())
    by_recording: dict[str, list[str]] = {}
    for key in done:
        by_recording.setdefault(layers.identity_of(key), []).append(key)
    todo = Todo()
    for source in sources:
        key = key_of(source, plan.made)
        old = tuple(one for one in by_recording.get(identity(source.url), ()) if one != key)
        if key not in done:
            todo.sources.append(source)
            if old:
                todo.replaces[source.url] = old
            continue
        todo.kept += 1
        for one in old:
            remove_results(dest, one)
    return todo


def jobs_of(todo: Todo, plan: Plan, annotator: Annotator) -> Iterator[Job | Done]:
    """The jobs for all recordings, in their order; what a recording cannot be opened with in place of its jobs."""
    source_store, dest = Store(plan.source), Store(plan.dest)
    begun = dest.names(PIECES)

    def jobs(source: Source) -> list[Job | Done]:
        replaces = todo.replaces.get(source.url, ())
        try:
            cuts = _cuts(source_store, source, annotator, plan)
        except RpmsnError as error:
            return [failed(source_store, source, str(error))]
        if len(cuts) < 2:
            return [Job(WHOLE, source, replaces=replaces)]
        key = key_of(source, plan.made)
        there = dest.names(f"{PIECES}/{key}") if key in begun else set()
        left = [one for one in cuts if piece_name(key, *one).rpartition("/")[2] not in there]
        pieces: list[Job | Done] = [Job(PIECE, source, *one, replaces=replaces) for one in left]
        return pieces or [Job(JOIN, source, replaces=replaces)]

    with ThreadPoolExecutor(LOOKED_AT_ONCE) as pool:
        for first in range(0, len(todo.sources), LOOKED_AT_A_TIME):
            for found in pool.map(jobs, todo.sources[first : first + LOOKED_AT_A_TIME]):
                yield from found


def _cuts(store: Store, source: Source, annotator: Annotator, plan: Plan) -> list[tuple[int, int]]:
    """Where a recording is cut; none where it is too short, or has to be unpacked to be read."""
    if source.size < LOWEST_BYTES_A_SECOND * plan.piece_seconds:
        return []
    with opened(store, source, annotator) as recording:
        return ranges_of(recording, annotator, plan) if recording.is_plain else []


def in_process(plan: Plan, jobs: Iterable[Job], advance: Callable[[float], object]) -> Generator[Done, None, None]:
    """Do jobs here, one after the other."""
    worker = Worker(plan, advance)
    for job in jobs:
        yield worker.do(job)


def note_failures(dest: Store, failures: dict[str, str], mended: Iterable[str]) -> None:
    """Write the table `failures`: those of this run in place of the same recordings' before.

    Args:
        failures: URL -> why there is no result.
        mended: URLs of recordings that have results now.
    """
    there = dest.names(schema.FAILURES)
    for url in mended:
        name = f"{identity(url)}.parquet"
        if name in there:
            dest.remove(f"{schema.FAILURES}/{name}")
    for url, error in failures.items():
        content = schema.to_parquet(schema.FAILURES, [{"recording": url, "error": error}])
        dest.write(f"{schema.FAILURES}/{identity(url)}.parquet", content)
