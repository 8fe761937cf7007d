"""Numbered SQL files, applied in order, each in one transaction with its own record."""

from __future__ import annotations

import re
import sqlite3
from importlib import resources

from edge.errors import StoreError

STEP_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
# "EDGB", "EDGH", "EDGW"
APPLICATION_IDS = {"booth": 0x45444742, "hub": 0x45444748, "watchlist": 0x45444757}


def migrate(connection: sqlite3.Connection, schema: str, *, origin: str) -> None:
    """Bring the schema up to date.

    Raises:
        StoreError: the file is not ours, of the other schema, or of newer software.
        sqlite3.Error: the caller maps it.
    """
    steps = _steps(schema)
    # One read transaction: another process may be creating the same store.
    connection.execute("begin")
    try:
        applied = _applied(connection, schema, origin, len(steps))
    finally:
        connection.execute("rollback")
    if applied == len(steps):
        return
    connection.execute("begin exclusive")
    try:
        # Another process may have migrated while this one waited for the lock.
        applied = _applied(connection, schema, origin, len(steps))
        connection.execute(f"pragma application_id = {APPLICATION_IDS[schema]}")
        for number, script in enumerate(steps, start=1):
            if number > applied:
                _execute_script(connection, script)
                connection.execute(f"pragma user_version = {number}")
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _steps(schema: str) -> list[str]:
    folder = resources.files("edge.store") / "schema" / schema
    files = sorted(
        (item for item in folder.iterdir() if STEP_NAME.match(item.name)),
        key=lambda item: item.name,
    )
    return [item.read_text(encoding="utf-8") for item in files]


def _applied(
    connection: sqlite3.Connection, schema: str, origin: str, known: int
) -> int:
    (version,) = connection.execute("pragma user_version").fetchone()
    (identity,) = connection.execute("pragma application_id").fetchone()
    (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
    if identity != APPLICATION_IDS[schema] and (identity or version or tables):
        message = f"{origin}: not a {schema} store; choose another path"
        raise StoreError(message)
    if version > known:
        message = (
            f"{origin}: written by newer software (schema {version}, this one knows "
            f"{known}); update the software"
        )
        raise StoreError(message)
    return int(version)


def _execute_script(connection: sqlite3.Connection, script: str) -> None:
    # executescript() would commit the open transaction, so statements go one by one.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
