"""The booth's references by number: what galleries follow instead of reading it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from edge.errors import InputError, StoreError
from edge.records.template import decode_template, face_record_head
from edge.store.database import mapped_errors
from edge.terms import (
    FingerPosition,
    Modality,
    NumberedReference,
    Reference,
    WatchlistState,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import sqlite_utils

REFERENCE_COLUMNS = "reference_id, entry_id, modality, position, template"
_STATE = """
select revision,
    coalesce((select seq from sqlite_sequence where name = 'biometric_references'), 0),
    coalesce((select seq from sqlite_sequence where name = 'removed_references'), 0),
    coalesce((select max(number) from audit), 0),
    coalesce((select hash from audit order by number desc limit 1), x''),
    cursor
from watchlist_state
"""
_BATCH = 4096
_MOST_MARKS = 500

Value = TypeVar("Value", int, str)


class StoredReferences:
    """The references of a booth's watchlist, in the order in which they came."""

    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def state(self) -> WatchlistState:
        with mapped_errors("read"):
            row = self._database.conn.execute(_STATE).fetchone()
        revision, last_number, last_removal, audit_number, audit_hash, cursor = row
        return WatchlistState(
            revision=int(revision),
            last_number=int(last_number),
            last_removal=int(last_removal),
            audit_number=int(audit_number),
            audit_hash=bytes(audit_hash).hex(),
            sequence=int(cursor),
        )

    def has_been_in(self, state: WatchlistState) -> bool:
        """Return False if this watchlist has another past, as one restored has."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select hash from audit where number = ?", (state.audit_number,)
            ).fetchone()
        return (b"" if row is None else bytes(row[0])).hex() == state.audit_hash

    def tally(self, modality: Modality) -> tuple[int, int]:
        """Return how many references of a modality there are, and the last's number.

        While nothing is added or removed both stay; what is added or removed moves one
        of them at least.
        """
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select count(*), coalesce(max(number), 0) from biometric_references"
                " where modality = ?",
                (str(modality),),
            ).fetchone()
        return int(row[0]), int(row[1])

    def faces_of_other_models(
        self, model_id: str, most_entries: int
    ) -> tuple[int, list[str]]:
        """Return how many faces are not of this model, and some of their entries.

        Nothing is decoded: what is damaged may be counted or not.
        """
        head = face_record_head(model_id)
        others = (
            " from biometric_references where modality = ?"
            " and substr(template, 1, ?) <> ?"
        )
        values = (str(Modality.FACE), len(head), head)
        with mapped_errors("read"):
            connection = self._database.conn
            (count,) = connection.execute(
                f"select count(*){others}",
                values,
            ).fetchone()
            rows = connection.execute(
                f"select distinct entry_id{others} order by entry_id limit ?",
                (*values, most_entries),
            ).fetchall()
        return int(count), [str(row[0]) for row in rows]

    def added(
        self,
        modality: Modality,
        *,
        after: int,
        to: int,
        on_damaged: Callable[[str], None] | None = None,
    ) -> Iterator[NumberedReference]:
        """Return what is held with a number above after, up to to, in order.

        Few are in memory at a time; the watchlist may change between two of them.
        on_damaged: told of a stored template that is damaged, which is passed over.

        Raises:
            StoreError: the store cannot be read; without on_damaged, also a stored
                template that is damaged; names the reference.
        """
        while True:
            with mapped_errors("read"):
                rows = self._database.conn.execute(
                    f"select {REFERENCE_COLUMNS}, number from biometric_references"  # noqa: S608  a constant
                    " where modality = ? and number > ? and number <= ?"
                    " order by number limit ?",
                    (str(modality), after, to, _BATCH),
                ).fetchall()
            for *columns, number in rows:
                try:
                    reference = reference_of_row(tuple(columns))
                except StoreError as error:
                    if on_damaged is None:
                        raise
                    on_damaged(str(error))
                else:
                    yield NumberedReference(number, reference)
            if len(rows) < _BATCH:
                return
            after = rows[-1][-1]

    def removed(self, *, after: int, to: int) -> list[int]:
        """Return the numbers of references removed after one removal, up to another."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select number from removed_references"
                " where removal > ? and removal <= ? order by removal",
                (after, to),
            ).fetchall()
        return [int(row[0]) for row in rows]

    def reference(self, number: int) -> Reference | None:
        """Return the reference of a number, None if it has been removed.

        Raises:
            StoreError: the stored template is damaged; names the reference.
        """
        with mapped_errors("read"):
            row = self._database.conn.execute(
                f"select {REFERENCE_COLUMNS} from biometric_references"  # noqa: S608  a constant
                " where number = ?",
                (number,),
            ).fetchone()
        return None if row is None else reference_of_row(row)

    def owners(self, numbers: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return entry and reference id of each number that has not been removed."""
        found: dict[int, tuple[str, str]] = {}
        for batch in _batches(numbers):
            with mapped_errors("read"):
                rows = self._database.conn.execute(
                    "select number, entry_id, reference_id from biometric_references"  # noqa: S608  marks only
                    f" where number in ({_marks(batch)})",
                    batch,
                ).fetchall()
            found |= {int(row[0]): (row[1], row[2]) for row in rows}
        return found

    def numbers_of(self, modality: Modality, entry_ids: Sequence[str]) -> list[int]:
        """Return the numbers of all references of some entries, rising."""
        found: list[int] = []
        for batch in _batches(entry_ids):
            with mapped_errors("read"):
                rows = self._database.conn.execute(
                    "select number from biometric_references"  # noqa: S608  marks only
                    f" where entry_id in ({_marks(batch)}) and modality = ?",
                    [*batch, str(modality)],
                ).fetchall()
            found += [int(row[0]) for row in rows]
        return sorted(found)

    def numbers(self, modality: Modality) -> list[int]:
        """Return the numbers of the references of a modality, in order."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select number from biometric_references where modality = ?"
                " order by number",
                (str(modality),),
            ).fetchall()
        return [int(row[0]) for row in rows]


def _batches(values: Sequence[Value]) -> Iterator[list[Value]]:
    for first in range(0, len(values), _MOST_MARKS):
        yield list(values[first : first + _MOST_MARKS])


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def reference_of_row(row: tuple[str, str, str, int, bytes]) -> Reference:
    """Return the reference of a row of REFERENCE_COLUMNS.

    Raises:
        StoreError: the stored template is damaged; names the reference.
    """
    try:
        template = decode_template(row[4])
    except InputError as error:
        message = f"the stored reference {row[0]} is damaged: {error}"
        raise StoreError(message) from error
    return Reference(
        reference_id=row[0],
        entry_id=row[1],
        modality=Modality(row[2]),
        position=FingerPosition(row[3]),
        template=template,
    )
