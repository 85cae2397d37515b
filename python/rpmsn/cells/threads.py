# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a search on several cores: a search that does not know of them takes one."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREADS = ContextVar("threads", default=1)


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """Searches within take so many threads. Those take no more themselves, nor does BLAS, whose threads wait busily."""
    token = _THREADS.set(count)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        _THREADS.reset(token)


def threads() -> int:
    """How many a search may take here."""
    return _THREADS.get()


def each(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """A function of each of some items, in their order: the result does not depend on the number of threads."""
    items = list(items)
    count = min(threads(), len(items))
    if count < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(count, "rpmsn search") as pool:
        return list(pool.map(function, items))
