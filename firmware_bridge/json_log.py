"""JSON lines: an event name and fields from an allow-list. Never an image."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import IO, Final

_FIELDS: Final = frozenset(
    {
        "baud",
        "client",
        "code",
        "error",
        "frame",
        "images",
        "path",
        "peer_uid",
        "port",
        "position",
        "seconds",
        "state",
        "version",
    }
)
_MAX_TEXT: Final = 300


class JsonLog:
    """Writes to a text stream; None writes nothing."""

    def __init__(self, sink: IO[str] | None) -> None:
        self._sink = sink
        self._lock = threading.Lock()

    def event(self, name: str, **fields: object) -> None:
        """Write one line; raises ValueError for a field that is not allowed."""
        if unknown := set(fields) - _FIELDS:
            msg = f"log fields {sorted(unknown)} are not on the allow-list"
            raise ValueError(msg)
        if self._sink is None:
            return
        now = datetime.now(UTC)  # noqa: TID251  the package's only wall clock
        line = {"at": now.isoformat(timespec="milliseconds"), "event": name}
        for key, value in fields.items():
            line[key] = value if isinstance(value, (int, float)) else _clean(value)  # type: ignore[assignment]  # JSON takes both
        with self._lock:
            print(json.dumps(line), file=self._sink, flush=True)


def _clean(value: object) -> str:
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return text[:_MAX_TEXT]
