"""Exact one-to-many search among face references held in memory, while they change."""

from __future__ import annotations

import math
import threading
import weakref
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError
from edge.recognition.face.calibration import Calibration, calibration_of
from edge.recognition.face.carrying import CarryingVerdict, can_carry
from edge.recognition.face.comparison import distance_of_similarity, similarity
from edge.recognition.face.face_rows import FaceRows, new_rows
from edge.recognition.face.inner_products import product_engine
from edge.recognition.face.vector_search import within
from edge.recognition.false_positives import rate_of_best
from edge.terms import (
    Candidate,
    ComparisonScore,
    FaceTemplate,
    FingerPosition,
    Modality,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from edge.recognition.face.inner_products import ProductEngine
    from edge.terms import NumberedReference, Reference

    # Model and length: only templates of one kind can be compared.
    Kind = tuple[str, int]

# Numbers beyond are no embedding; their squares would leave the range of float32.
_MOST_NUMBER = 1e9
# Distances are rounded in float64; near the threshold the score itself decides.
_ROUNDING = 1e-9
_ROUNDED_UP = 1 + _ROUNDING
_NAMES_TOLD = 10


@dataclass(frozen=True)
class Unsearchable:
    """References that templates of a model cannot be compared with.

    by_model: their number for each other model. entry_ids: of some of them.
    """

    by_model: Mapping[str, int]
    entry_ids: tuple[str, ...]

    @property
    def count(self) -> int:
        return sum(self.by_model.values())


@dataclass(frozen=True)
class FaceMatch:
    """How a probe compares with an entry.

    best: of its references. false_match_rate_of_best: that the best of all the entry's
    references is as good.
    """

    best: Candidate
    false_match_rate_of_best: float


class FaceGallery:
    """One thread at a time may change it; any number may search meanwhile.

    A search works on the version at its start. References of several models may be in
    it: a probe is compared with those of its own.
    """

    def __init__(
        self,
        threads: int = 1,
        *,
        calibration: Callable[[str], Calibration] = calibration_of,
        engine: ProductEngine | None = None,
    ) -> None:
        """Make an empty gallery.

        threads: of a search. calibration: by the templates' model. engine: by default
        the fastest that is exact on this processor.
        """
        self._calibration = cache(calibration)
        self._engine = engine or product_engine(threads)
        self._changing, self._seeing = threading.Lock(), threading.Lock()
        self._kinds: Mapping[Kind, FaceRows] = {}
        self._in_use: weakref.WeakSet[FaceRows] = weakref.WeakSet()
        self._revision = ""
        self._expected = 0

    def __len__(self) -> int:
        """Return the number of living references."""
        return sum(rows.living_count for rows in self._kinds.values())

    @property
    def revision(self) -> str:
        """What the last patch was called; empty for a new gallery."""
        return self._revision

    @property
    def engine_name(self) -> str:
        """How vectors are multiplied on this processor."""
        return self._engine.name

    def objection(self, reference: Reference) -> str | None:
        """Return why the gallery cannot hold a reference, None if it can."""
        template = reference.template
        if not isinstance(template, FaceTemplate):
            return "it is no face"
        return _objection(template)

    def clear(self, expected: int = 0) -> None:
        """Forget all references, and the revision; make room for so many expected."""
        with self._changing:
            self._expected = expected
            self._publish({}, "")

    def patch(
        self,
        added: Iterable[NumberedReference] = (),
        removed: Sequence[int] = (),
        revision: str = "",
    ) -> None:
        """Withdraw the removed numbers and add references, in one step for searches.

        revision: what the state after the patch is called. Numbers to remove that are
        not there are passed over. Numbers of references added must rise, over patches.

        Raises:
            InputError: there is an objection to a reference; nothing is changed.
        """
        by_kind: dict[Kind, list[tuple[NumberedReference, FaceTemplate]]] = {}
        for item in added:
            template = self._template(item.reference)
            kind = (template.model_id, len(template.vector))
            by_kind.setdefault(kind, []).append((item, template))
        with self._changing:
            numbers = np.asarray(removed, np.int64)
            kinds = {kind: r.without(numbers) for kind, r in self._kinds.items()}
            for kind, items in by_kind.items():
                rows = kinds.get(kind)
                if rows is None:
                    # What is expected is mostly of one kind: that which comes first.
                    rows, self._expected = new_rows(kind[1], self._expected), 0
                kinds[kind] = rows.with_added(items)
            self._publish(kinds, revision)

    def tidy(self) -> bool:
        """Overwrite what was withdrawn and no search sees; False if some is left."""
        with self._changing:
            return self._sweep()

    def verdict(
        self, model_id: str, max_fpir: float, max_fmr: float = 1.0
    ) -> CarryingVerdict:
        """Return whether templates of a model can be searched among those there are.

        Every reference counts as a person: each is a chance for a false match.

        Raises:
            ModelError: no calibration belongs to the model.
        """
        count = sum(
            rows.living_count for kind, rows in self._held() if kind[0] == model_id
        )
        return can_carry(self._calibration(model_id), count, max_fpir, max_fmr)

    def unsearchable(self, model_id: str) -> Unsearchable:
        """Return what templates of this model cannot be compared with."""
        others = [item for item in self._held() if item[0][0] != model_id]
        counts: Counter[str] = Counter()
        for (other, _), rows in others:
            counts[other] += rows.living_count
        named = (rows.living_entry_ids() for _, rows in others)
        names = islice((name for names in named for name in names), _NAMES_TOLD)
        return Unsearchable(dict(counts), tuple(names))

    def search(
        self,
        probe: FaceTemplate,
        max_fmr: float,
        *,
        max_fpir: float = 1.0,
        among: Collection[str] | None = None,
    ) -> list[Candidate]:
        """Return each entry's best reference whose false match rate is low enough.

        max_fmr: the highest false match rate of one comparison. max_fpir: the share of
        searches of strangers that may find anybody: the longer the list, the lower the
        rate that each comparison may have. among: look for these entries only, to
        confirm candidates that were found otherwise. Best first. References of other
        models are passed over: see `unsearchable`.

        Raises:
            InputError: the probe is no vector of the length of the references; or its
                model cannot carry a search among all there are, see `verdict`.
            ModelError: no calibration belongs to the probe's model.
        """
        rows = self._rows_for(probe)
        if rows is None or (among is not None and not among):
            return []
        calibration = self._calibration(probe.model_id)
        count = rows.living_count if among is None else len(among)
        verdict = can_carry(calibration, count, max_fpir, max_fmr)
        if max_fpir < 1 and among is None and not verdict.is_carried:
            raise InputError(verdict.text)
        best: dict[str, Candidate] = {}
        for row in self._rows_within(rows, probe, verdict.score):
            if among is not None and rows.entry_ids[row] not in among:
                continue
            candidate = self._candidate(probe, rows, row, calibration)
            if candidate.score.value < verdict.score:
                continue
            rival = best.get(candidate.entry_id)
            if rival is None or candidate.score.value > rival.score.value:
                best[candidate.entry_id] = candidate
        return sorted(best.values(), key=lambda c: c.score.value, reverse=True)

    def best_of(
        self, probe: FaceTemplate, entry_ids: Collection[str]
    ) -> list[FaceMatch]:
        """Return how a probe compares with each of some entries, however unlike.

        An entry without references of the probe's model is passed over. By entry.

        Raises:
            InputError: the probe is no vector of the length of the references.
            ModelError: no calibration belongs to the probe's model.
        """
        rows = self._rows_for(probe) if entry_ids else None
        if rows is None:
            return []
        calibration = self._calibration(probe.model_id)
        wanted, by_entry = set(entry_ids), dict[str, list[Candidate]]()
        for row in np.flatnonzero(rows.living).tolist():
            if rows.entry_ids[row] in wanted:
                candidate = self._candidate(probe, rows, row, calibration)
                by_entry.setdefault(candidate.entry_id, []).append(candidate)
        found = []
        for _, candidates in sorted(by_entry.items()):
            best = max(candidates, key=lambda c: c.score.value)
            rate = rate_of_best(best.score.false_match_rate, len(candidates))
            found.append(FaceMatch(best, rate))
        return found

    def _rows_within(
        self, rows: FaceRows, probe: FaceTemplate, least_score: float
    ) -> list[int]:
        """Return the rows whose similarity may be that high."""
        distance = distance_of_similarity(least_score) * _ROUNDED_UP + _ROUNDING
        vector = probe.vector.astype(np.float32)
        found = within(rows.searched, vector, distance, self._engine)
        return [int(row) for row in found]

    def _held(self) -> list[tuple[Kind, FaceRows]]:
        with self._seeing:
            held = list(self._kinds.items())
            self._in_use.update(rows for _, rows in held)
        return held

    def _rows_for(self, probe: FaceTemplate) -> FaceRows | None:
        """Return the rows to compare a probe with, None if there are none."""
        with self._seeing:
            rows = self._kinds.get((probe.model_id, probe.vector.size))
            is_held = any(model_id == probe.model_id for model_id, _ in self._kinds)
            if rows is not None:
                self._in_use.add(rows)
        if not is_held:
            return None
        if rows is None or _objection(probe):
            raise InputError(
                f"face probe: shape {probe.vector.shape} or its numbers "
                "do not fit the gallery"
            )
        return rows

    @staticmethod
    def _candidate(
        probe: FaceTemplate, rows: FaceRows, row: int, calibration: Calibration
    ) -> Candidate:
        value = similarity(probe, FaceTemplate(probe.model_id, rows.matrix[row]))
        return Candidate(
            entry_id=rows.entry_ids[row],
            reference_id=rows.reference_ids[row],
            modality=Modality.FACE,
            position=FingerPosition(int(rows.positions[row])),
            score=ComparisonScore(value, calibration.false_match_rate(value)),
        )

    def _publish(self, kinds: Mapping[Kind, FaceRows], revision: str) -> None:
        """Let searches see the rows, all of them from here on."""
        with self._seeing:
            self._kinds = {k: rows for k, rows in kinds.items() if rows.living_count}
            self._revision = revision
        self._sweep()

    def _sweep(self) -> bool:
        """Overwrite what is dead, unless a search may see it; return whether all is."""
        with self._seeing:
            current = list(self._kinds.values())
            is_seen = any(rows not in current for rows in self._in_use)
        if not is_seen:
            for rows in current:
                rows.overwrite_dead()
        return not is_seen

    def _template(self, reference: Reference) -> FaceTemplate:
        objection = self.objection(reference)
        if objection is not None or not isinstance(reference.template, FaceTemplate):
            raise InputError(
                f"face gallery: reference {reference.reference_id}: {objection}"
            )
        return reference.template


def _objection(template: FaceTemplate) -> str | None:
    # One pass over the numbers: what is not finite is the highest of them, too.
    highest = float(np.abs(template.vector).max(initial=0))
    if template.vector.ndim != 1 or not math.isfinite(highest):
        return "it holds a number that is not finite, or is no vector"
    if highest > _MOST_NUMBER:
        return f"it holds a number beyond {_MOST_NUMBER:.0e}"
    return None
