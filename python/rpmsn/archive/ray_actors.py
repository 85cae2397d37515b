# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs done by actors of Ray Data, on this machine or on a cluster. The only file that imports Ray.

Ray decides which actor does which job, keeps their number, starts those again that end, and holds back what is ahead.
On this machine it listens on loopback alone, without its dashboard and its usage statistics, and leaves no files.
"""

import contextlib
import logging
import os
import secrets
import shutil
import socket
import tempfile
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import installation
from ..errors import MissingLibraryError, RpmsnError, StorageError
from ..processes import environment
from .work import Done, Job, Plan, Worker

LOOPBACK = "127.0.0.1"
OBJECT_STORE_BYTES = 300_000_000
"""Of this machine, for jobs and what became of them: both are small."""
RETRIES = 1
"""A job whose actor ends is done again at once so often."""
ROUNDS = 3
"""Jobs that are still without an answer, since their node was lost, are handed out again so often: Ray goes on for a
while to send to the actors of such a node what it should do again."""
MOST_BLOCKS = 2000
"""Jobs are handed out in so many portions at most."""
FOLDER = "rpmsn-ray-"
KNOCK_S = 10.0
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
"""Environment of Ray: no usage statistics, no metrics, no notes of its developers on stderr."""
ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""The same on this machine alone: all of its processes listen on loopback, as by default on Windows and macOS."""


log = logging.getLogger(__name__)


class Actor:
    """A worker as Ray Data calls it. It keeps the model from the first job on."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Do the jobs of a batch."""
        jobs = [Job.from_json(str(text)) for text in batch["job"]]
        return {"number": batch["number"], "done": [self._do(str(batch["plan"][0]), job).to_json() for job in jobs]}

    def _do(self, plan: str, job: Job) -> Done:
        try:
            self._worker = self._worker or Worker(Plan.from_json(plan))
        except (RpmsnError, ImportError) as error:  # a node without the model, or a library
            return Done(job.source.url, error=f"{socket.gethostname()}: {error}", is_fatal=True)
        return self._worker.do(job)


@contextlib.contextmanager
def started(actors: int, address: str | None) -> Iterator[None]:
    """Ray, started on this machine or connected to a cluster; ended, with its files, or left as it was.

    Args:
        actors: cores that Ray may use here.
        address: of a cluster, such as `10.0.0.1:6379` or `auto`; None for this machine.

    Raises:
        MissingLibraryError: Ray is not installed.
        StorageError: no cluster answers, or Ray does not start.
    """
    values = dict(QUIET)
    if address is None:
        # Otherwise Ray writes a token of its own into the user's home.
        values |= {**ALONE, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    with environment(values):
        yield from _started(actors, address)


def _started(actors: int, address: str | None) -> Iterator[None]:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingLibraryError(
            f"{installation.missing('`rpmsn archive run` with actors', 'ray')}; --actors 0 works without it"
        ) from error
    folder = None
    common: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False, "configure_logging": True}
    try:
        try:
            if address is None:
                _remove_leftovers()
                folder = tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-", dir="/tmp")  # names of sockets are short
                common |= {"num_cpus": actors, "include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
                common |= {"_node_ip_address": LOOPBACK, "_temp_dir": folder}
            else:
                _knock(address)
            # Otherwise what Ray notes of a node or an actor that is lost stands in colour among the results.
            setattr(ray._private.worker, "print_to_stdstream", _note)  # noqa: B010 - it is typed otherwise
            with _silent():
                ray.init(address=address or "local", **common)
        except Exception as error:  # Ray raises those without a class of their own
            first = (str(error) or type(error).__name__).splitlines()[0]
            raise StorageError(_no_answer(address, first)) from error
        yield
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _no_answer(address: str | None, reason: str) -> str:
    if address is None:
        return (
            f"Ray does not start on this machine ({reason}): it has 30 s for it, so run it again when the machine is "
            "less busy; --actors 0 works without Ray"
        )
    return (
        f"Ray does not answer at --address {address} ({reason}): `ray status` shows whether a cluster runs; --actors 0 "
        "works without Ray"
    )


def _note(data: Mapping[str, Any], **_: object) -> None:
    """What Ray has to say, as of its function in whose place this is."""
    for line in data["lines"]:
        log.info("Ray: %s", line)


def _knock(address: str) -> None:
    """See that something listens at an address: Ray would try for minutes.

    Raises:
        ValueError: it is no address.
        OSError: nothing does.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"an address is auto or HOST:PORT, such as 10.0.0.1:6379, and this is {address!r}")
    socket.create_connection((host.strip("[]"), int(port)), KNOCK_S).close()


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Nothing on stderr, not from libraries in C++ either: Ray says there which log level was set."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def cores() -> int:
    """Of the cluster, now."""
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _remove_leftovers() -> None:
    """Remove files of Ray whose program was killed."""
    for left in Path("/tmp").glob(f"{FOLDER}*-*"):
        number = left.name.removeprefix(FOLDER).partition("-")[0]
        if number.isdecimal() and not Path("/proc", number).exists() and left.stat().st_uid == os.getuid():
            shutil.rmtree(left, ignore_errors=True)


def do(plan: Plan, jobs: Sequence[Job], actors: int) -> Generator[Done, None, None]:
    """Do jobs by actors; yields what became of each as they finish. Within `started`.

    Args:
        plan: of the run.
        jobs: all of them.
        actors: at the same time, where there are cores for them.
    """
    import ray
    from ray.exceptions import RayError

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.max_errored_blocks = -1  # what ends its actor again and again costs itself alone
    context.execution_no_progress_timeout_s = -1
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    left = dict(enumerate(jobs))
    try:
        for _ in range(ROUNDS):
            for row in _answers(plan, left, actors):
                if left.pop(row["number"], None) is not None:
                    yield Done.from_json(row["done"])
            if not left:
                return
    except RayError as error:
        raise StorageError(
            f"Ray has failed ({str(error).splitlines()[0]}): what is done stays; run it again"
        ) from error


def _answers(plan: Plan, jobs: Mapping[int, Job], actors: int) -> Iterator[dict[str, Any]]:
    """Have jobs done once; yields a row of each that an actor has answered."""
    import ray

    blocks = min(len(jobs), MOST_BLOCKS)
    shared = plan.to_json()
    items = [{"plan": shared, "number": number, "job": job.to_json()} for number, job in jobs.items()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of max_task_retries, which has no other way in yet
        data = ray.data.from_items(items, override_num_blocks=blocks).map_batches(
            Actor,
            batch_size=1,
            batch_format="numpy",
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors, initial_size=min(actors, blocks)),
            max_restarts=-1,
            max_task_retries=RETRIES,
        )
    yield from data.iter_rows()
