"""The accounts of a booth or of a hub; every change and every sign-in is audited."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.records.accounts import Account, Role, StoredAccount
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction

if TYPE_CHECKING:
    import sqlite3

    import sqlite_utils

COLUMNS = (
    "name, display_name, role, language, is_enabled,"
    " password_hash, failures, locked_until"
)


class StoredAccounts:
    """Implements edge.web.accounts.AccountStore. For the thread of its database."""

    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def find(self, name: str) -> StoredAccount | None:
        """Return the account of this name.

        Raises:
            StoreError: the store cannot be read.
        """
        with mapped_errors("read"):
            row = self._database.conn.execute(
                f"select {COLUMNS} from accounts where name = ?",  # noqa: S608  our own constant
                (name,),
            ).fetchone()
        return None if row is None else _stored(row)

    def all(self) -> list[StoredAccount]:
        """Return all accounts by name.

        Raises:
            StoreError: the store cannot be read.
        """
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"select {COLUMNS} from accounts order by name"  # noqa: S608  our own constant
            ).fetchall()
        return [_stored(row) for row in rows]

    def add(
        self, account: Account, password_hash: str, *, actor: str, at: datetime
    ) -> None:
        """Add an account.

        Raises:
            InputError: there is one of this name.
            StoreError: the store cannot be written.
        """
        with transaction(self._database) as connection:
            known = connection.execute(
                "select 1 from accounts where name = ?", (account.name,)
            ).fetchone()
            if known:
                message = f"there is an account {account.name!r} already"
                raise InputError(message)
            connection.execute(
                "insert into accounts (name, display_name, role, language, is_enabled,"
                " password_hash, added_at) values (?, ?, ?, ?, ?, ?, ?)",
                (
                    account.name,
                    account.display_name,
                    str(account.role),
                    account.language,
                    account.is_enabled,
                    password_hash,
                    at.isoformat(),
                ),
            )
            _note(connection, at, actor, f"account_added_{account.role}", account.name)

    def change(
        self,
        account: Account,
        *,
        actor: str,
        at: datetime,
        password_hash: str | None = None,
    ) -> None:
        """Give an account other properties, and another password if there is one.

        A new password, or enabling, ends a lockout.

        Raises:
            InputError: there is none of this name.
            StoreError: the store cannot be written.
        """
        with transaction(self._database) as connection:
            done = connection.execute(
                "update accounts set display_name = ?, role = ?, language = ?,"
                " is_enabled = ?, password_hash = coalesce(?, password_hash),"
                " failures = 0, locked_until = null where name = ?",
                (
                    account.display_name,
                    str(account.role),
                    account.language,
                    account.is_enabled,
                    password_hash,
                    account.name,
                ),
            )
            if done.rowcount == 0:
                message = f"there is no account {account.name!r}"
                raise InputError(message)
            what = "account_changed" if password_hash is None else "password_changed"
            if not account.is_enabled:
                what = "account_disabled"
            _note(connection, at, actor, what, account.name)

    def use_language(self, name: str, language: str) -> None:
        """Remember the language of somebody's screen.

        Raises:
            StoreError: the store cannot be written.
        """
        with transaction(self._database) as connection:
            connection.execute(
                "update accounts set language = ? where name = ?", (language, name)
            )

    def signed_in(self, name: str, *, action: str, at: datetime) -> None:
        """Note a right password; action: what it was given for.

        Raises:
            StoreError: the store cannot be written.
        """
        with transaction(self._database) as connection:
            connection.execute(
                "update accounts set failures = 0, locked_until = null where name = ?",
                (name,),
            )
            _note(connection, at, name, action, name)

    def refused(
        self, name: str, *, failures: int, locked_until: datetime | None, at: datetime
    ) -> None:
        """Note a wrong password, and how long no other is looked at.

        Raises:
            StoreError: the store cannot be written.
        """
        text = None if locked_until is None else locked_until.isoformat()
        with transaction(self._database) as connection:
            connection.execute(
                "update accounts set failures = ?, locked_until = ? where name = ?",
                (failures, text, name),
            )
            action = "sign_in_failed" if text is None else "account_locked"
            _note(connection, at, name, action, name)

    def note(self, *, actor: str, action: str, subject: str, at: datetime) -> None:
        """Write a line of the audit log.

        Raises:
            StoreError: the store cannot be written.
        """
        with transaction(self._database) as connection:
            _note(connection, at, actor, action, subject)


def _note(
    connection: sqlite3.Connection, at: datetime, actor: str, action: str, subject: str
) -> None:
    append_audit(connection, at=at, actor=actor, action=action, subject=subject)


def _stored(row: tuple[str, str, str, str, int, str, int, str | None]) -> StoredAccount:
    name, display_name, role, language, is_enabled, password_hash, failures, until = row
    account = Account(name, display_name, Role(role), language)
    return StoredAccount(
        replace(account, is_enabled=bool(is_enabled)),
        password_hash,
        failures,
        None if until is None else datetime.fromisoformat(until),
    )
