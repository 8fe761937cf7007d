"""Does the gallery of fingerprints hold what the store holds? Nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.recognition.fingerprint.gallery_files import examine_saved
from edge.store.references import StoredReferences
from edge.terms import Modality
from edge.watchlist.following import is_current

if TYPE_CHECKING:
    from pathlib import Path

    import sqlite_utils


@dataclass(frozen=True)
class GalleryComparison:
    """Numbers of references. is_current: the gallery says so of itself."""

    held: int
    missing: int
    surplus: int
    damaged: int
    is_current: bool

    @property
    def is_sound(self) -> bool:
        """Return False if searches would go wrong and nothing repairs it by itself."""
        is_equal = not self.missing and not self.surplus
        return not self.damaged and (is_equal or not self.is_current)

    def text(self, folder: Path) -> str:
        held = f"{self.held} references at {folder}"
        if not self.is_sound:
            return (
                f"{held}: {self.damaged} damaged, {self.missing} missing, "
                f"{self.surplus} too many; stop edge-booth, remove the folder, start it"
            )
        if not self.is_current:
            return f"{held}, behind the store; edge-booth brings it up to date"
        return f"{held}, as in the store"


def compare_gallery(
    folder: Path, database: sqlite_utils.Database
) -> GalleryComparison | None:
    """Read the whole gallery; None if there is none that this software can use.

    Raises:
        StoreError: the store cannot be read.
    """
    saved = examine_saved(folder)
    if saved is None:
        return None
    stored = StoredReferences(database)
    held, wanted = set(saved.numbers), set(stored.numbers(Modality.FINGERPRINT))
    return GalleryComparison(
        held=len(held),
        missing=len(wanted - held),
        surplus=len(held - wanted),
        damaged=len(saved.damaged),
        is_current=is_current(saved.revision, stored),
    )
