"""How fast this machine reads memory: what a search that reads everything can reach."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# Several times the largest cache of a processor.
READ_BYTES = 512 << 20
ROUNDS = 7
# Which of these is the fastest reader depends on the processor.
_READERS: tuple[Callable[[NDArray[np.int64]], object], ...] = (
    np.max,
    np.sum,
    np.bitwise_or.reduce,
)


def memory_read_gb_per_s(threads: int, size_bytes: int = READ_BYTES) -> float:
    """Return the highest rate at which so many threads read an array together, GB/s.

    Each reads its own part from end to end; GB are 10^9 bytes.
    """
    read = np.ones(size_bytes // 8, np.int64)
    ends = np.linspace(0, len(read), threads + 1).astype(int).tolist()
    parts = [read[first:last] for first, last in pairwise(ends)]
    with ThreadPoolExecutor(threads) as pool:
        fastest_s = min(
            _seconds(lambda reader=reader: list(pool.map(reader, parts)))  # type: ignore[misc]  # a bound default
            for reader in _READERS
            for _ in range(ROUNDS)
        )
    return read.nbytes / fastest_s / 1e9


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
