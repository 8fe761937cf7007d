"""What edge-sync last knew of its line, for edge-booth: a small file beside the store.

The two processes share files and nothing else. The note is renewed while edge-sync
runs; an old one says that it does not.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from edge.clock import Clock

NAME = "link.json"
RENEWED_S = 5.0
OLD_AFTER = timedelta(seconds=20)
WORDS = frozenset({"up", "hub_silent", "down"})


class LinkNote:
    """Writes the note; a disk that takes none is no reason to stop sending."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path = folder / NAME
        self._clock = clock
        self._last: tuple[str, float] | None = None

    def write_if_due(self, word: str) -> None:
        """Write the word if it is another, or the note is getting old."""
        now_s = self._clock.monotonic_s()
        if self._last is not None:
            last, at_s = self._last
            if word == last and now_s - at_s < RENEWED_S:
                return
        self._last = (word, now_s)
        text = json.dumps({"link": word, "at": self._clock.now().isoformat()})
        new = self._path.with_suffix(".new")
        with suppress(OSError):
            new.write_text(text, encoding="utf-8")
            new.replace(self._path)


def read_link_note(folder: Path, now: datetime) -> str:
    """Return "up", "hub_silent", "down", or "unknown": edge-sync does not say."""
    try:
        note = json.loads((folder / NAME).read_text(encoding="utf-8"))
        word, at = note["link"], datetime.fromisoformat(note["at"])
        is_new = abs(now - at) < OLD_AFTER
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"
    return word if is_new and word in WORDS else "unknown"
