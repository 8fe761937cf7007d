"""Exact one-to-many search among face references held in memory, while they change."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError
from edge.recognition.face.calibration import Calibration, shipped_calibration
from edge.recognition.face.comparison import similarity, similarity_of_distance
from edge.recognition.face.face_rows import FaceRows, new_rows
from edge.terms import (
    Candidate,
    ComparisonScore,
    FaceTemplate,
    FingerPosition,
    Modality,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edge.terms import NumberedReference, Reference

    # Model and length: only templates of one kind can be compared.
    Kind = tuple[str, int]

# Rounding of the float32 product may move a score by this much; the candidates near
# the threshold are compared again exactly.
_ROUNDING = 1e-3


class FaceGallery:
    """One thread at a time may change it; any number may search meanwhile.

    A search works on the version at its start.
    """

    def __init__(self, calibration: Calibration | None = None) -> None:
        self._calibration = calibration or shipped_calibration()
        self._changing, self._seeing = threading.Lock(), threading.Lock()
        self._kinds: Mapping[Kind, FaceRows] = {}
        self._in_use: weakref.WeakSet[FaceRows] = weakref.WeakSet()
        self._revision = ""

    def __len__(self) -> int:
        """Return the number of living references."""
        return sum(rows.living_count for rows in self._kinds.values())

    @property
    def revision(self) -> str:
        """What the last patch was called; empty for a new gallery."""
        return self._revision

    def objection(self, reference: Reference) -> str | None:
        """Return why the gallery cannot hold a reference, None if it can."""
        template = reference.template
        if not isinstance(template, FaceTemplate):
            return "it is no face"
        if template.vector.ndim != 1 or not np.isfinite(template.vector).all():
            return "it holds a number that is not finite, or is no vector"
        return None

    def clear(self, expected: int = 0) -> None:
        """Forget all references, and the revision; expected is of no use here."""
        del expected
        with self._changing:
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
                rows = new_rows(kind[1]) if rows is None else rows
                kinds[kind] = rows.with_added(items)
            self._publish(kinds, revision)

    def tidy(self) -> bool:
        """Overwrite what was withdrawn and no search sees; False if some is left."""
        with self._changing:
            return self._sweep()

    def search(self, probe: FaceTemplate, max_fmr: float) -> list[Candidate]:
        """Return each entry's best reference whose false match rate is low enough.

        max_fmr: the highest false match rate of one comparison. Best first.

        Raises:
            InputError: the references are of several kinds, or of another kind than
                the probe.
        """
        rows = self._rows_for(probe)
        if rows is None:
            return []
        least = self._calibration.score_at(max_fmr)
        vector = probe.vector.astype(np.float32)
        scores = similarity_of_distance(np.sqrt(rows.squared_distances(vector)))
        best: dict[str, Candidate] = {}
        for row in np.flatnonzero(rows.living & (scores >= least - _ROUNDING)).tolist():
            candidate = self._candidate(probe, rows, row)
            if candidate.score.value < least:
                continue
            rival = best.get(candidate.entry_id)
            if rival is None or candidate.score.value > rival.score.value:
                best[candidate.entry_id] = candidate
        return sorted(best.values(), key=lambda c: c.score.value, reverse=True)

    def _rows_for(self, probe: FaceTemplate) -> FaceRows | None:
        """Return the rows to compare a probe with, None if there are none."""
        with self._seeing:
            held = [item for item in self._kinds.items() if item[1].living_count]
            if len(held) == 1:
                self._in_use.add(held[0][1])
        if not held:
            return None
        if len(held) > 1:
            raise InputError(
                f"face gallery: templates of {len(held)} kinds "
                f"({', '.join(sorted(kind[0] for kind, _ in held))}); "
                "enrol again with one model"
            )
        ((model_id, length), rows) = held[0]
        if probe.model_id != model_id:
            raise InputError(
                f"face probe of model {probe.model_id} against a gallery of "
                f"{model_id}; enrol again with one model"
            )
        if probe.vector.shape != (length,) or not np.isfinite(probe.vector).all():
            raise InputError(
                f"face probe: shape {probe.vector.shape} or its numbers "
                "do not fit the gallery"
            )
        return rows

    def _candidate(self, probe: FaceTemplate, rows: FaceRows, row: int) -> Candidate:
        value = similarity(probe, FaceTemplate(probe.model_id, rows.matrix[row]))
        return Candidate(
            entry_id=rows.entry_ids[row],
            reference_id=rows.reference_ids[row],
            modality=Modality.FACE,
            position=FingerPosition(int(rows.positions[row])),
            score=ComparisonScore(value, self._calibration.false_match_rate(value)),
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
