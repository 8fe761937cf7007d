"""People of a local system: accounts with passwords that nobody knows beforehand."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Literal, TypeAlias

from edge.clock import SystemClock
from edge.records.accounts import Account, Role
from edge.store.accounts import StoredAccounts
from edge.store.database import open_database
from edge.web.accounts import add_account

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Place: TypeAlias = Literal["booth", "hub"]
BOOTH_PEOPLE = {
    "officer-1": Role.OFFICER,
    "officer-2": Role.OFFICER,
    "supervisor-1": Role.SUPERVISOR,
    "engineer-1": Role.ENGINEER,
}
HUB_PEOPLE = {
    "operator-1": Role.OPERATOR,
    "operator-2": Role.OPERATOR,
    "supervisor-1": Role.SUPERVISOR,
    "administrator-1": Role.ADMINISTRATOR,
    "auditor-1": Role.AUDITOR,
}


def add_people(
    path: Path, place: Place, people: Mapping[str, Role]
) -> dict[tuple[Place, str], str]:
    """Add an account for each, and return their passwords by place and name.

    Raises:
        StoreError: the store cannot be written.
    """
    passwords: dict[tuple[Place, str], str] = {}
    database = open_database(path, place)
    try:
        accounts, now = StoredAccounts(database), SystemClock().now()
        for name, role in people.items():
            shown = name.replace("-", " ").capitalize()
            password = secrets.token_urlsafe(9)
            account = Account(name, shown, role)
            add_account(accounts, account, password, actor="local", at=now)
            passwords[place, name] = password
    finally:
        database.conn.close()
    return passwords
