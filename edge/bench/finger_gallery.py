"""The fingerprint search as the search benchmark measures it."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from edge.bench.search import SearchResult
from edge.recognition.fingerprint.comparison import compare_many, work
from edge.recognition.fingerprint.fusion import fused_false_match_rate
from edge.recognition.fingerprint.gallery import PackedReferences, TemplateGallery
from edge.recognition.fingerprint.packed import ANGLE_STEPS, MOST_MINUTIAE, WORDS, pack
from edge.recognition.fingerprint.search import FingerprintSearch
from edge.recognition.fingerprint.shortlist import encode_runs, new_vote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.bench.search_cast import Probe
    from edge.recognition.fingerprint.calibration import Calibration
    from edge.simulate.template_gallery import TemplateColumns
    from edge.terms import FingerprintTemplate

# Candidates are wanted beyond the operational limit, to draw error curves.
CANDIDATE_FMR = 1e-4
# What the booth works with, of the fused fingers of a person.
OPERATIONAL_FMR = 1e-6
_CODED_AT_ONCE = 2048


class MeasuredFingerGallery:
    """Implements edge.bench.search.SearchedGallery."""

    def __init__(
        self,
        enrolled: TemplateColumns,
        fingers: int,
        calibration: Calibration,
        threads: int,
    ) -> None:
        self._fingers = fingers
        self._calibration = calibration
        self._gallery = TemplateGallery()
        references = packed_references(enrolled, fingers, threads)
        self._gallery.patch_packed(references)
        self._search = FingerprintSearch(self._gallery, calibration, threads)

    def search(self, probe: Probe, *, limit: int) -> SearchResult:
        outcome = self._search.search(probe, CANDIDATE_FMR)
        found = [
            (item.person, -math.log10(item.false_match_rate))
            for item in outcome.found[:limit]
        ]
        return SearchResult(found, frozenset(outcome.compared.tolist()))

    def matches(self, probe: Probe, person: int) -> bool:
        """Whether full comparison finds the person, first stage or not."""
        seen = self._gallery.snapshot()
        rates = []
        for place, template in enumerate(probe):
            row = np.array([person * self._fingers + place], np.int64)
            score = np.zeros(1, np.float32)
            compare_many(pack(template), seen.packed, seen.extents, row, score, work())
            rates.append(self._calibration.false_match_rate(float(score[0])))
        return fused_false_match_rate(rates) <= OPERATIONAL_FMR

    def compare_fully(self, probe: FingerprintTemplate, count: int) -> int:
        seen = self._gallery.snapshot()
        rows = seen.chosen()
        chosen = rows[np.arange(count) * len(rows) // count]
        scores = np.zeros(count, np.float32)
        compare_many(pack(probe), seen.packed, seen.extents, chosen, scores, work())
        return count

    def size_in_bytes(self) -> int:
        return self._gallery.bytes_of_references()

    def patch(self, added: TemplateColumns, probe: Probe) -> tuple[float, list[float]]:
        """Add persons and withdraw as many, searching all the while.

        Returns the seconds that it took, and those of each search meanwhile.
        """
        new = packed_references(added, self._fingers, 1)
        last = self._gallery.last_number
        removed = np.arange(1, len(added) + 1)
        is_done = threading.Event()
        searches: list[float] = []

        def go_on_searching() -> None:
            while not is_done.is_set():
                start = time.perf_counter()
                self._search.search(probe, OPERATIONAL_FMR)
                searches.append(time.perf_counter() - start)

        searching = threading.Thread(target=go_on_searching)
        searching.start()
        start = time.perf_counter()
        self._gallery.patch_packed(numbered_from(new, last + 1), removed.tolist())
        patch_s = time.perf_counter() - start
        is_done.set()
        searching.join()
        return patch_s, searches


def numbered_from(references: PackedReferences, first: int) -> PackedReferences:
    return PackedReferences(
        packed=references.packed,
        codes=references.codes,
        counts=references.counts,
        positions=references.positions,
        is_foreign=references.is_foreign,
        persons=references.persons,
        numbers=first + np.arange(len(references.counts)),
    )


def packed_references(
    columns: TemplateColumns, fingers: int, threads: int
) -> PackedReferences:
    """Return the templates packed and coded; template p * fingers + k is of person p.

    Templates of more than MOST_MINUTIAE minutiae keep the first, which are the
    strongest.
    """
    counts = np.minimum(np.diff(columns.offsets), MOST_MINUTIAE)
    ends = np.cumsum(counts)
    kept = np.repeat(columns.offsets[:-1] - (ends - counts), counts)
    kept += np.arange(len(kept))
    packed = _packed(columns, kept)
    extents = np.stack([ends - counts, counts], axis=1).astype(np.uint32)
    return PackedReferences(
        packed=packed,
        codes=_coded(packed, extents, threads),
        counts=counts.astype(np.int64),
        positions=columns.position,
        is_foreign=np.zeros(len(counts), np.bool_),
        persons=np.arange(len(counts)) // fingers,
        numbers=1 + np.arange(len(counts)),
    )


def _packed(columns: TemplateColumns, kept: NDArray[np.int64]) -> NDArray[np.uint16]:
    step = np.rint(columns.angle_rad[kept] * (ANGLE_STEPS / (2 * math.pi)))
    angle = step.astype(np.int32) % ANGLE_STEPS
    words = np.empty((len(kept), WORDS), np.uint16)
    words[:, 0] = columns.kind[kept].astype(np.int32) << 14 | columns.x[kept]
    words[:, 1] = (angle & 3) << 14 | columns.y[kept]
    words[:, 2] = (angle >> 2) << 8 | columns.quality[kept]
    return words


def _coded(
    packed: NDArray[np.uint16], extents: NDArray[np.uint32], threads: int
) -> NDArray[np.uint64]:
    codes = np.zeros(len(packed), np.uint64)

    def encode(start: int) -> None:
        encode_runs(packed, extents[start : start + _CODED_AT_ONCE], new_vote(), codes)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(encode, range(0, len(extents), _CODED_AT_ONCE)))
    return codes
