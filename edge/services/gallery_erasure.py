"""Are withdrawn references gone from the gallery's files too? Nothing is changed.

edge-sync asks before it signs that something is deleted. The files are edge-booth's: it
overwrites what was withdrawn as soon as no search sees it. While it does not run, the
answer stays no, and the hub's recall stays pending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.recognition.fingerprint.gallery_files import data_files, read_columns
from edge.store.references import StoredReferences
from edge.watchlist.following import has_removed_all

if TYPE_CHECKING:
    from pathlib import Path

    import sqlite_utils


def is_gallery_clean(folder: Path, watchlist: sqlite_utils.Database) -> bool:
    """Return whether no file of the gallery holds what is off the watchlist.

    True where there is no gallery; False while one is being made anew beside an old
    one, or is of another software, or cannot be read.

    Raises:
        StoreError: the watchlist cannot be read.
    """
    try:
        generations = set(data_files(folder).values())
    except OSError:
        return False
    if not generations:
        return True
    columns = read_columns(folder, "c")
    if columns is None or generations != {columns.generation}:
        return False
    died = columns.rows["died"][: columns.row_count]
    is_there = columns.extents[: columns.row_count, 1] > 0
    if (is_there & (died <= columns.version)).any():
        return False
    return has_removed_all(columns.revision, StoredReferences(watchlist))
