"""JSON lines on standard output; the service manager does the rest.

An event is a name and fields from an allow-list: nothing biometric and no name of a
person can get into a log by accident, because no field for it exists.
"""

from __future__ import annotations

import json
import sys
import threading
import unicodedata
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from edge.clock import Clock

ALLOWED_FIELDS = frozenset(
    {
        "address",
        "attempt",
        "attempts",
        "booth_id",
        "check_id",
        "count",
        "cursor",
        "duration_ms",
        "entry_id",
        "error",
        "hit_id",
        "host",
        "kind",
        "message_id",
        "modality",
        "model_id",
        "name",
        "outcome",
        "path",
        "port",
        "process",
        "protocol",
        "reason",
        "sequence",
        "size",
        "stage",
        "state",
        "topic",
        "version",
    }
)

LABEL_LIMIT = 200


def safe_label(text: str) -> str:
    """Strip what could forge a line or move a cursor, and cap the length."""
    kept = text
    if not text.isprintable():  # nothing of category C is; this is the fast way
        kept = "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in text)
    return kept if len(kept) <= LABEL_LIMIT else kept[: LABEL_LIMIT - 3] + "..."


class EventLog:
    """Writes one JSON object a line. Safe to call from any thread."""

    def __init__(
        self, clock: Clock, process: str, stream: TextIO | None = None
    ) -> None:
        self._clock = clock
        self._process = process
        self._stream = stream if stream is not None else sys.stdout
        self._lock = threading.Lock()

    def event(self, event: str, /, **fields: float | str | None) -> None:
        """Write one event.

        Raises:
            ValueError: a field is not on the allow-list; the caller is at fault.
        """
        unknown = fields.keys() - ALLOWED_FIELDS
        if unknown:
            message = f"fields not on the allow-list: {', '.join(sorted(unknown))}"
            raise ValueError(message)
        record: dict[str, float | str | None] = {
            "at": self._clock.now().isoformat(timespec="milliseconds"),
            "process": self._process,
            "event": event,
        }
        for key, value in fields.items():
            record[key] = safe_label(value) if isinstance(value, str) else value
        line = json.dumps(record, ensure_ascii=False)
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()
