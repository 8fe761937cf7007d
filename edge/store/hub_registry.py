"""Admitted booths, and the keys of the epochs. Implements HubRegistry.

The keys of epochs come sealed to the hub's own key: the store's file alone opens
nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from edge.errors import WatchlistError
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.trust.registered_booth import AdmittedBooth

if TYPE_CHECKING:
    import sqlite3

    import sqlite_utils

# How long the answer to a renewal may take to reach a booth that is far away.
RENEWAL = timedelta(days=30)
_COLUMNS = (
    "select booth_id, signing, sealing, certificate, admitted_at, revoked_at,"
    " previous_signing, previous_until, previous_sealing from registry"
)
# After `on conflict`, the bare names are the row as it was.
_ADMIT = """
insert into registry (booth_id, signing, sealing, certificate, admitted_at, serial)
values (:booth_id, :signing, :sealing, :certificate, :admitted_at, :serial)
on conflict do update set
  previous_signing = case
    when revoked_at is not null then null
    when signing = excluded.signing or previous_signing = :held then previous_signing
    else signing end,
  previous_sealing = case
    when revoked_at is not null then null
    when signing = excluded.signing or previous_signing = :held then previous_sealing
    else sealing end,
  previous_until = case
    when signing = excluded.signing then previous_until else :until end,
  signing = excluded.signing, sealing = excluded.sealing,
  certificate = excluded.certificate, admitted_at = excluded.admitted_at,
  revoked_at = null, serial = max(serial, excluded.serial)
"""


class StoredHubRegistry:
    def __init__(
        self, database: sqlite_utils.Database, *, actor: str = "edge-hub"
    ) -> None:
        self._database = database
        self._actor = actor

    def admit(
        self,
        booth: AdmittedBooth,
        *,
        at: datetime,
        held: bytes | None = None,
        until: datetime | None = None,
    ) -> None:
        """Admit a booth; one that is there gets the new keys, one revoked is back.

        One that was not revoked may sign by the key that it had until it has used the
        new one, or until the given time; RENEWAL from now at most. held: the signing
        key that it has shown to have, where that may be the one before the last.
        """
        longest = at + RENEWAL
        with transaction(self._database) as connection:
            connection.execute(
                _ADMIT,
                {
                    "booth_id": booth.booth_id,
                    "signing": booth.signing,
                    "sealing": booth.sealing,
                    "certificate": booth.certificate,
                    "admitted_at": booth.admitted_at.isoformat(),
                    # Serials rise across a lost store too, or booths refuse them.
                    "serial": int(at.timestamp()),
                    "held": held,
                    "until": min(until or longest, longest).isoformat(),
                },
            )
            _moved(connection)
            append_audit(
                connection,
                at=at,
                actor=self._actor,
                action="admitted",
                subject=booth.booth_id,
            )

    def revoke(self, booth_id: str, *, at: datetime) -> None:
        """Revoke a booth.

        Raises:
            WatchlistError: it is not admitted.
        """
        with transaction(self._database) as connection:
            changed = connection.execute(
                "update registry set revoked_at = ?, previous_signing = null,"
                " previous_sealing = null where booth_id = ? and revoked_at is null",
                (at.isoformat(), booth_id),
            ).rowcount
            if not changed:
                message = f"booth {booth_id} is not admitted"
                raise WatchlistError(message)
            _moved(connection)
            append_audit(
                connection, at=at, actor=self._actor, action="revoked", subject=booth_id
            )

    def end_renewal(self, booth_id: str) -> None:
        """Let a booth sign by its newest key alone: it has used it."""
        with transaction(self._database) as connection:
            connection.execute(
                "update registry set previous_signing = null, previous_sealing = null"
                " where booth_id = ?",
                (booth_id,),
            )
            _moved(connection)

    def booth(self, booth_id: str) -> AdmittedBooth | None:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                f"{_COLUMNS} where booth_id = ?", (booth_id,)
            ).fetchone()
        return None if row is None else _booth(row)

    def booths(self) -> list[AdmittedBooth]:
        """Return all booths, revoked ones too."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"{_COLUMNS} order by booth_id"
            ).fetchall()
        return [_booth(row) for row in rows]

    def current_epoch(self) -> int:
        """Return the number of the newest epoch, 0 if there is none."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select coalesce(max(epoch), 0) from epochs"
            ).fetchone()
        return int(row[0])

    def add_epoch(self, epoch: int, sealed_key: bytes, *, at: datetime) -> None:
        with transaction(self._database) as connection:
            connection.execute(
                "insert into epochs values (?, ?, ?)",
                (epoch, sealed_key, at.isoformat()),
            )
            _moved(connection)
            append_audit(
                connection,
                at=at,
                actor=self._actor,
                action="began epoch",
                subject=str(epoch),
            )

    def replace_sealed(self, epoch: int, sealed_key: bytes) -> None:
        """Keep the key of an epoch sealed to another key of the hub."""
        with transaction(self._database) as connection:
            connection.execute(
                "update epochs set sealed_key = ? where epoch = ?", (sealed_key, epoch)
            )
            _moved(connection)

    def sealed_epochs(self) -> list[tuple[int, bytes]]:
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select epoch, sealed_key from epochs order by epoch"
            ).fetchall()
        return [(int(row[0]), bytes(row[1])) for row in rows]

    def next_serial(self, booth_id: str) -> int:
        """Return the next serial of a booth's grants; no number comes twice.

        Raises:
            WatchlistError: no such booth.
        """
        with transaction(self._database) as connection:
            row = connection.execute(
                "update registry set serial = serial + 1 where booth_id = ?"
                " returning serial",
                (booth_id,),
            ).fetchone()
        if row is None:
            message = f"booth {booth_id} is not known"
            raise WatchlistError(message)
        return int(row[0])

    def revision(self) -> int:
        """Return a number that moves when a booth or an epoch comes or goes."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select revision from registry_revision"
            ).fetchone()
        return int(row[0])


def _moved(connection: sqlite3.Connection) -> None:
    connection.execute("update registry_revision set revision = revision + 1")


def _booth(row: tuple[Any, ...]) -> AdmittedBooth:
    return AdmittedBooth(
        booth_id=row[0],
        signing=row[1],
        sealing=row[2],
        certificate=row[3],
        admitted_at=datetime.fromisoformat(row[4]),
        revoked_at=None if row[5] is None else datetime.fromisoformat(row[5]),
        previous_signing=row[6],
        previous_until=None if row[7] is None else datetime.fromisoformat(row[7]),
        previous_sealing=row[8],
    )
