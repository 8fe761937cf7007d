"""Changes and hits as Hypothesis draws them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import strategies as st

from edge.terms import (
    Candidate,
    ChangeOperation,
    ComparisonScore,
    DecisionState,
    Evidence,
    FaceTemplate,
    FingerPosition,
    Hit,
    HitDecision,
    Modality,
    OfficerVerdict,
    Reference,
    SampleEvidence,
    Verdict,
    VerdictReason,
    WatchlistChange,
    WatchlistEntry,
)

IDS = st.text(
    st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=100
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
INSTANTS = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001  Hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
COUNTS = st.integers(0, 2**53)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
POSITIONS = st.sampled_from(FingerPosition)
TEMPLATE = FaceTemplate("resnet", np.array([0.25, -1.0], np.float32))


@st.composite
def drawn_changes(draw):
    operation = draw(st.sampled_from(ChangeOperation))
    entry_id = draw(IDS)
    entry, references = None, ()
    if operation is not ChangeOperation.WITHDRAW:
        entry = draw(
            st.builds(
                WatchlistEntry,
                entry_id=st.just(entry_id),
                version=COUNTS,
                category=TEXTS,
                originator=TEXTS,
                handling_code=TEXTS,
                legal_basis=TEXTS,
                instruction=TEXTS,
                valid_from=INSTANTS,
                expires_at=st.none() | INSTANTS,
                name=st.none() | TEXTS,
            )
        )
        reference = st.builds(
            Reference,
            reference_id=IDS,
            entry_id=st.just(entry_id),
            modality=st.just(Modality.FACE),
            position=POSITIONS,
            template=st.just(TEMPLATE),
        )
        references = tuple(draw(st.lists(reference, max_size=3)))
    return WatchlistChange(
        draw(COUNTS), operation, entry_id, entry, references, draw(INSTANTS)
    )


@st.composite
def drawn_hits(draw):
    score = st.builds(ComparisonScore, value=FLOATS, false_match_rate=FLOATS)
    modality = st.sampled_from(Modality)
    sample = st.builds(
        SampleEvidence,
        modality=modality,
        position=POSITIONS,
        reference_id=IDS,
        score=score,
        log10_ratio=FLOATS,
        is_deciding=st.booleans(),
    )
    candidate = st.builds(
        Candidate,
        entry_id=IDS,
        reference_id=IDS,
        modality=modality,
        position=POSITIONS,
        score=score,
        samples=st.lists(sample, max_size=3).map(tuple),
    )
    evidence = st.builds(
        Evidence,
        modality=modality,
        position=POSITIONS,
        media_type=st.sampled_from(["image/png", "application/octet-stream"]),
        data=st.binary(max_size=100),
    )
    return Hit(
        hit_id=draw(IDS),
        check_id=draw(IDS),
        booth_id=draw(IDS),
        occurred_at=draw(INSTANTS),
        entry_id=draw(IDS),
        entry_version=draw(COUNTS),
        candidates=tuple(draw(st.lists(candidate, max_size=4))),
        evidence=tuple(draw(st.lists(evidence, max_size=4))),
        is_drill=draw(st.booleans()),
    )


def drawn_decisions():
    said = st.builds(
        OfficerVerdict,
        officer=IDS,
        verdict=st.sampled_from(Verdict),
        reason=st.sampled_from(VerdictReason),
        note=TEXTS,
        at=INSTANTS,
    )
    states = [state for state in DecisionState if state != "undecided"]
    return st.builds(
        HitDecision,
        hit_id=IDS,
        booth_id=IDS,
        number=st.integers(1, 2),
        needs_second=st.booleans(),
        state=st.sampled_from(states),
        verdict=said,
    )


@pytest.fixture(scope="session")
def changes():
    return drawn_changes()


@pytest.fixture(scope="session")
def hits():
    return drawn_hits()


@pytest.fixture(scope="session")
def decisions():
    return drawn_decisions()
