"""How a benchmark tells how far it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")


class Progress(Protocol):
    def step(self, text: str, done: int, total: int) -> None:
        """Note that done of total of what text names are done."""
        ...


class Silent:
    def step(self, text: str, done: int, total: int) -> None:
        pass


def mapped(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    threads: int,
    progress: Progress,
    text: str,
) -> list[Result]:
    """Return the results in the order of the items, worked at by several threads.

    The first error that work raises ends it.
    """
    return list(_reported(_each(work, items, threads), len(items), progress, text))


def _each(
    work: Callable[[Item], Result], items: Sequence[Item], threads: int
) -> Iterator[Result]:
    if threads == 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(threads)
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(cancel_futures=True)


def _reported(
    results: Iterator[Result], total: int, progress: Progress, text: str
) -> Iterator[Result]:
    progress.step(text, 0, total)
    for done, result in enumerate(results, 1):
        progress.step(text, done, total)
        yield result
