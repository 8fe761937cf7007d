"""What a booth does with its gallery of faces, and says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.errors import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from edge.config import PolicySection
    from edge.recognition.face.gallery import FaceGallery, FaceMatch
    from edge.terms import Candidate, FaceTemplate


@dataclass(frozen=True)
class FaceSearchState:
    """is_searched: False where faces only confirm candidates; text says why.

    unsearchable: references made with other networks, by template model.
    unsearchable_entries: some of the entries that they belong to.
    """

    is_searched: bool = True
    text: str = ""
    unsearchable: Mapping[str, int] = field(default_factory=dict)
    unsearchable_entries: tuple[str, ...] = ()


class FaceSearch:
    """Implements edge.watchlist.search.FaceGallery at the policy's rates."""

    def __init__(
        self, gallery: FaceGallery, policy: PolicySection, model_id: str
    ) -> None:
        """Search the gallery; model_id: of the templates that this booth makes."""
        self._gallery = gallery
        self._max_fmr = policy.face_false_match_rate
        self._max_fpir = policy.face_false_positive_identification_rate
        self._model_id = model_id

    def search(self, probe: FaceTemplate) -> Sequence[Candidate]:
        """Return the candidates on the whole list, best first.

        Raises:
            InputError: the list is too long for the networks, or the probe does not
                fit.
        """
        return self._gallery.search(probe, self._max_fmr, max_fpir=self._max_fpir)

    def confirm(
        self, probe: FaceTemplate, among: Collection[str]
    ) -> Sequence[Candidate]:
        """Return those of some entries whose face it is, best first; any list may do.

        Raises:
            InputError: the probe does not fit.
        """
        return self._gallery.search(
            probe, self._max_fmr, max_fpir=self._max_fpir, among=among
        )

    def require_carried(self) -> None:
        """Refuse a search among all faces that the networks cannot carry.

        Raises:
            InputError: says why; faces then speak for and against candidates only.
            ModelError: no calibration belongs to this booth's templates.
        """
        verdict = self._gallery.verdict(self._model_id, self._max_fpir, self._max_fmr)
        if not verdict.is_carried:
            raise InputError(verdict.text)

    def rare_entries(self, probe: FaceTemplate, max_fmr: float) -> list[str]:
        """Return the entries of whom some face is that rare, on the whole list.

        Raises:
            InputError: the probe does not fit.
        """
        return [found.entry_id for found in self._gallery.search(probe, max_fmr)]

    def evidence(
        self, probe: FaceTemplate, entry_ids: Collection[str]
    ) -> Sequence[FaceMatch]:
        """Return how the face compares with each of some entries that have one.

        Raises:
            InputError: the probe does not fit.
        """
        return self._gallery.best_of(probe, entry_ids)

    def state(self) -> FaceSearchState:
        """Return what searches are worth now."""
        others = self._gallery.unsearchable(self._model_id)
        try:
            verdict = self._gallery.verdict(
                self._model_id, self._max_fpir, self._max_fmr
            )
        except ModelError as error:
            is_carried, text = False, str(error)
        else:
            is_carried, text = verdict.is_carried, verdict.text
        return FaceSearchState(is_carried, text, others.by_model, others.entry_ids)
