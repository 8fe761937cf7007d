"""Watchlist entries with their references as a file: JSON lines, UTF-8.

The first line is {"format": "edge-watchlist", "version": 1}; every other line is one
entry: {"entry": {...}, "references": [{..., "template": base64 of a record}]}.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from typing import TYPE_CHECKING, Any

from edge.errors import InputError, MessageError
from edge.records.changes import (
    entry_from,
    entry_map,
    reference_from,
    reference_map,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge.terms import Reference, WatchlistEntry

    Item = tuple[WatchlistEntry, tuple[Reference, ...]]

HEADER = {"format": "edge-watchlist", "version": 1}
LINE_LIMIT = 4_000_000
REFERENCES_LIMIT = 100


def write_watchlist(path: Path, items: Iterable[Item]) -> int:
    """Write a file, whole or not at all; return the number of entries.

    Raises:
        InputError: the file cannot be written.
    """
    count = 0
    part = path.with_name(f".{path.name}.part")
    try:
        part.touch(mode=0o600)
        with part.open("w", encoding="utf-8") as file:
            file.write(json.dumps(HEADER) + "\n")
            for entry, references in items:
                file.write(json.dumps(_to_json(entry, references)) + "\n")
                count += 1
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        message = f"{path}: cannot write the watchlist: {error.strerror}"
        raise InputError(message) from error
    return count


def read_watchlist(path: Path) -> list[Item]:
    """Read a whole file.

    Raises:
        InputError: names the file and the line.
    """
    items: list[Item] = []
    seen: set[str] = set()
    try:
        with path.open("rb") as file:
            _check_header(path, file.readline(LINE_LIMIT))
            lines = iter(lambda: file.readline(LINE_LIMIT + 1), b"")
            for number, line in enumerate(lines, start=2):
                item = _from_line(path, number, line)
                if item[0].entry_id in seen:
                    raise InputError(_at(path, number, "its entry id came before"))
                seen.add(item[0].entry_id)
                items.append(item)
    except OSError as error:
        message = f"{path}: cannot read the watchlist: {error.strerror}"
        raise InputError(message) from error
    return items


def _to_json(entry: WatchlistEntry, references: Sequence[Reference]) -> dict[str, Any]:
    maps = [reference_map(reference) for reference in references]
    for item in maps:
        item["template"] = base64.b64encode(item["template"]).decode()
    return {"entry": entry_map(entry), "references": maps}


def _check_header(path: Path, line: bytes) -> None:
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if header != HEADER:
        raise InputError(_at(path, 1, f"not a watchlist file: {HEADER} expected"))


def _from_line(path: Path, number: int, line: bytes) -> Item:
    if len(line) > LINE_LIMIT:
        raise InputError(_at(path, number, f"longer than {LINE_LIMIT} bytes"))
    try:
        value = json.loads(line)
        if not isinstance(value, dict) or value.keys() != {"entry", "references"}:
            raise InputError(_at(path, number, '"entry" and "references" expected'))
        entry = entry_from(value["entry"])
        return entry, tuple(
            reference_from(_with_bytes(item), entry.entry_id)
            for item in _listed(value["references"])
        )
    except (MessageError, ValueError, RecursionError) as error:
        raise InputError(_at(path, number, str(error))) from error


def _listed(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > REFERENCES_LIMIT:
        message = f"references: a list of at most {REFERENCES_LIMIT} expected"
        raise MessageError(message)
    return value


def _with_bytes(item: object) -> object:
    if not isinstance(item, dict) or not isinstance(item.get("template"), str):
        message = "reference: a template in base64 expected"
        raise MessageError(message)
    try:
        template = base64.b64decode(item["template"], validate=True)
    except binascii.Error as error:
        message = f"reference: its template is not base64: {error}"
        raise ValueError(message) from error
    return {**item, "template": template}


def _at(path: Path, number: int, what: str) -> str:
    return f"{path}, line {number}: {what}; nothing was imported"
