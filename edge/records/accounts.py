"""The people who sign in: names, roles and what stands against guessing passwords."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Role(StrEnum):
    """What somebody may do.

    OFFICER, ENGINEER: at a booth. OPERATOR, ADMINISTRATOR, AUDITOR: at the hub.
    SUPERVISOR: at either.
    """

    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    ENGINEER = "engineer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


BOOTH_ROLES = frozenset({Role.OFFICER, Role.SUPERVISOR, Role.ENGINEER})
HUB_ROLES = frozenset(
    {Role.OPERATOR, Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR}
)


@dataclass(frozen=True)
class Account:
    """name: what is typed and what stands in the audit log. language: of the screen."""

    name: str
    display_name: str
    role: Role
    language: str = "en"
    is_enabled: bool = True


@dataclass(frozen=True)
class StoredAccount:
    """An account with what only its check of passwords may see.

    password_hash: of Argon2id, in its own text form. failures: wrong passwords in a
    row. locked_until: no password is looked at before; None if it is open.
    """

    account: Account
    password_hash: str
    failures: int = 0
    locked_until: datetime | None = None
