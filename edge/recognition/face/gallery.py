"""Exact one-to-many search among face references held in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError
from edge.recognition.face.calibration import Calibration, shipped_calibration
from edge.recognition.face.comparison import similarity, similarity_of_distance
from edge.terms import Candidate, ComparisonScore, FaceTemplate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.terms import Reference

# Rounding of the float32 product may move a score by this much; the candidates near
# the threshold are compared again exactly.
_ROUNDING = 1e-3


class FaceGallery:
    """Immutable: make a new one when the watchlist changes.

    Raises (at construction):
        InputError: a reference is no face, or models or lengths are mixed.
    """

    def __init__(
        self, references: Iterable[Reference], calibration: Calibration | None = None
    ) -> None:
        self._references = tuple(references)
        self._templates = [_face_template(r) for r in self._references]
        self._calibration = calibration or shipped_calibration()
        kinds = {(t.model_id, t.vector.shape) for t in self._templates}
        if len(kinds) > 1:
            raise InputError(
                f"face gallery: templates of {len(kinds)} kinds "
                f"({', '.join(sorted(k[0] for k in kinds))}); "
                "enrol again with one model"
            )
        self._model_id = self._templates[0].model_id if self._templates else None
        self._matrix = (
            np.stack([t.vector for t in self._templates]).astype(np.float32)
            if self._templates
            else np.zeros((0, 0), np.float32)
        )
        if not np.isfinite(self._matrix).all():
            raise InputError(
                "face gallery: a template holds a number that is not finite"
            )
        self._squares = np.einsum("ij,ij->i", self._matrix, self._matrix)

    def __len__(self) -> int:
        return len(self._references)

    def search(self, probe: FaceTemplate, max_fmr: float) -> list[Candidate]:
        """Return each entry's best reference whose false match rate is low enough.

        max_fmr: the highest false match rate of one comparison. Best first.

        Raises:
            InputError: the probe is of another model than the gallery.
        """
        if not self._references:
            return []
        if probe.model_id != self._model_id:
            raise InputError(
                f"face probe of model {probe.model_id} against a gallery of "
                f"{self._model_id}; enrol again with one model"
            )
        least = self._calibration.score_at(max_fmr)
        best: dict[str, Candidate] = {}
        for index in np.flatnonzero(self._scores(probe) >= least - _ROUNDING):
            candidate = self._candidate(probe, int(index))
            if candidate.score.value < least:
                continue
            rival = best.get(candidate.entry_id)
            if rival is None or candidate.score.value > rival.score.value:
                best[candidate.entry_id] = candidate
        return sorted(best.values(), key=lambda c: c.score.value, reverse=True)

    def _scores(
        self, probe: FaceTemplate
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        vector = probe.vector.astype(np.float32)
        if vector.shape != self._matrix.shape[1:] or not np.isfinite(vector).all():
            raise InputError(
                f"face probe: shape {vector.shape} or its numbers "
                "do not fit the gallery"
            )
        squared = self._squares - 2 * (self._matrix @ vector) + vector @ vector
        return similarity_of_distance(np.sqrt(np.maximum(squared, 0)))

    def _candidate(self, probe: FaceTemplate, index: int) -> Candidate:
        reference = self._references[index]
        value = similarity(probe, self._templates[index])
        return Candidate(
            entry_id=reference.entry_id,
            reference_id=reference.reference_id,
            modality=reference.modality,
            position=reference.position,
            score=ComparisonScore(value, self._calibration.false_match_rate(value)),
        )


def _face_template(reference: Reference) -> FaceTemplate:
    if not isinstance(reference.template, FaceTemplate):
        raise InputError(f"face gallery: reference {reference.reference_id} is no face")
    return reference.template
