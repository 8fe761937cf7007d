"""The rules of deciding on a hit: values in, values out.

A possible match is referred to an officer, who confirms it, refutes it or cannot tell,
for a reason of a list or one in words. Where policy wants a second officer, another
person says the same or something else, and the hit is not decided before. Two that
agree have decided: confirmed, refuted, or undetermined if neither can tell. Two that do
not agree have not: the hit is disputed, which is the booth's last word, and the hub
decides. Nothing that was said is taken back; whoever erred says so to the hub.

Whether a second is wanted is fixed by the first verdict, so that a policy that is
switched in between neither leaves a hit waiting nor ends it early.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from edge.errors import AdjudicationError, InputError
from edge.records.decisions import NOTE_LIMIT
from edge.terms import DecisionState, Verdict, VerdictReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.terms import OfficerVerdict

REASONS: Mapping[Verdict, tuple[VerdictReason, ...]] = MappingProxyType(
    {
        Verdict.CONFIRM: (
            VerdictReason.FINGERPRINTS_AGREE,
            VerdictReason.FACES_AGREE,
            VerdictReason.DOCUMENT_AGREES,
            VerdictReason.OTHER,
        ),
        Verdict.REFUTE: (
            VerdictReason.FINGERPRINTS_DIFFER,
            VerdictReason.FACES_DIFFER,
            VerdictReason.DOCUMENT_DIFFERS,
            VerdictReason.OTHER,
        ),
        Verdict.CANNOT_TELL: (
            VerdictReason.POOR_CAPTURE,
            VerdictReason.POOR_REFERENCE,
            VerdictReason.NO_REFERENCE_IMAGE,
            VerdictReason.EVIDENCE_CONTRADICTS,
            VerdictReason.OTHER,
        ),
    }
)
_AGREED = {
    Verdict.CONFIRM: DecisionState.CONFIRMED,
    Verdict.REFUTE: DecisionState.REFUTED,
    Verdict.CANNOT_TELL: DecisionState.UNDETERMINED,
}
FINAL = frozenset({*_AGREED.values(), DecisionState.DISPUTED})


@dataclass(frozen=True)
class Adjudication:
    """How far the decision on one hit has come.

    needs_second: what policy wants, or wanted when the first verdict was given.
    """

    needs_second: bool
    first: OfficerVerdict | None = None
    second: OfficerVerdict | None = None

    @property
    def state(self) -> DecisionState:
        if self.first is None:
            return DecisionState.UNDECIDED
        agreed = _AGREED[self.first.verdict]
        if not self.needs_second:
            return agreed
        if self.second is None:
            return DecisionState.AWAITING_SECOND
        is_same = self.second.verdict is self.first.verdict
        return agreed if is_same else DecisionState.DISPUTED

    @property
    def is_final(self) -> bool:
        return self.state in FINAL


def with_first(before: Adjudication, said: OfficerVerdict) -> Adjudication:
    """Return the adjudication after the first officer's verdict.

    Raises:
        AdjudicationError: there is one already.
        InputError: the reason is none of this verdict, or needs a note.
    """
    check_reason(said)
    if before.first is not None:
        message = f"decided already by {before.first.officer}: {before.state}"
        raise AdjudicationError(message)
    return replace(before, first=said)


def with_second(before: Adjudication, said: OfficerVerdict) -> Adjudication:
    """Return the adjudication after the second officer's verdict.

    Raises:
        AdjudicationError: no first verdict waits for it, or the same person gave that.
        InputError: the reason is none of this verdict, or needs a note.
    """
    check_reason(said)
    if before.first is None:
        message = "no first officer has decided yet"
        raise AdjudicationError(message)
    if before.is_final:
        message = f"no second officer is awaited: {before.state}"
        raise AdjudicationError(message)
    # Accounts differ by more than the case of a letter, or they are one person.
    if before.first.officer.casefold() == said.officer.casefold():
        message = "the second officer must be another person than the first"
        raise AdjudicationError(message)
    return replace(before, second=said)


def check_reason(said: OfficerVerdict) -> None:
    """Refuse a reason that does not belong to the verdict.

    Raises:
        InputError: says which are allowed.
    """
    allowed = REASONS[said.verdict]
    if said.reason not in allowed:
        known = ", ".join(allowed)
        message = f"reason {said.reason}: not of {said.verdict}; allowed are {known}"
        raise InputError(message)
    if len(said.note) > NOTE_LIMIT:
        message = f"note: {len(said.note)} characters, {NOTE_LIMIT} allowed"
        raise InputError(message)
    if said.reason is VerdictReason.OTHER and not said.note.strip():
        message = "reason other: say in the note what it is"
        raise InputError(message)
