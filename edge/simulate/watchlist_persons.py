"""Persons of a watchlist who do not exist: text, two fingers and a face each."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from edge.records.template import encode_template
from edge.simulate.template_gallery import generate
from edge.terms import (
    ChangeOperation,
    DraftChange,
    FaceTemplate,
    FingerPosition,
    Modality,
    Reference,
    WatchlistEntry,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.terms import Template

FACE_MODEL_ID = "dlib-face-resnet-v1-unit"  # comparable with what the engine makes
FACE_COMPONENTS = 128
FINGERS = (FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_INDEX)
VALID_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_CATEGORIES = ("wanted", "refusal of entry", "discreet check", "missing")
_SYLLABLES = ("ba", "den", "ker", "li", "mo", "nar", "os", "ri", "sa", "tov", "u", "zi")


class GeneratedPersons:
    """Person i follows from the seed and i alone, and is unlike all others."""

    def __init__(self, seed: int = 1, *, threads: int = 1) -> None:
        self._seed = seed
        self._threads = threads

    def additions(self, first: int, count: int) -> Iterator[DraftChange]:
        """Yield the changes that put persons first to first + count on the list."""
        columns = generate(
            self._seed, 2 * count, first=2 * first, threads=self._threads
        )
        for place in range(count):
            person = first + place
            fingers = [columns.template(2 * place + i) for i in range(len(FINGERS))]
            templates: list[Template] = [
                replace(finger, position=position)
                for finger, position in zip(fingers, FINGERS, strict=True)
            ]
            templates.append(self._face(person))
            yield _addition(self.entry(person), templates)

    def entry(self, person: int, *, version: int = 1) -> WatchlistEntry:
        rng = np.random.default_rng([self._seed, person, 1])
        name = " ".join(
            "".join(rng.choice(_SYLLABLES, 3)).capitalize() for _ in range(2)
        )
        return WatchlistEntry(
            entry_id=self.entry_id(person),
            version=version,
            category=_CATEGORIES[person % len(_CATEGORIES)],
            originator=f"office-{person % 40:02}",
            handling_code=f"H{person % 5}",
            legal_basis=f"act {person % 9 + 20}, section {person % 30 + 1}",
            instruction="Hold the person and call the duty officer.",
            valid_from=VALID_FROM,
            expires_at=None,
            name=name,
        )

    def entry_id(self, person: int) -> str:
        """Return an id that no compression can guess."""
        return hashlib.sha256(f"{self._seed} {person}".encode()).hexdigest()[:20]

    def _face(self, person: int) -> FaceTemplate:
        rng = np.random.default_rng([self._seed, person, 2])
        vector = rng.normal(size=FACE_COMPONENTS)
        unit = vector / np.linalg.norm(vector)
        return FaceTemplate(model_id=FACE_MODEL_ID, vector=unit.astype(np.float32))


def withdrawal(entry_id: str) -> DraftChange:
    return DraftChange(ChangeOperation.WITHDRAW, entry_id)


def template_bytes(draft: DraftChange) -> int:
    """Return the size of a change's templates as records."""
    return sum(len(encode_template(item.template)) for item in draft.references)


def _addition(entry: WatchlistEntry, templates: list[Template]) -> DraftChange:
    references = tuple(
        Reference(
            reference_id=f"{entry.entry_id}-{place}",
            entry_id=entry.entry_id,
            modality=(
                Modality.FACE
                if isinstance(template, FaceTemplate)
                else Modality.FINGERPRINT
            ),
            position=getattr(template, "position", FingerPosition.UNKNOWN),
            template=template,
        )
        for place, template in enumerate(templates)
    )
    return DraftChange(ChangeOperation.ADD, entry.entry_id, entry, references)
