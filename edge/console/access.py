"""Who may do what in the console.

| role | sees lists, posts | sees evidence | acts on cases, drafts | supervisor's acts |
|---|---|---|---|---|
| operator | yes | yes | yes | no |
| supervisor | yes | yes | yes | yes |
| administrator | yes | no | no | no |
| auditor | yes | yes | no | no |

A supervisor's acts: to take another's case over, to release or reject a draft, to send
a command to a post. The audit log is for auditors, supervisors and administrators; the
accounts are for administrators. Whoever keeps the accounts needs nobody's biometrics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import HTTPException, Request

OPERATOR, SUPERVISOR = "operator", "supervisor"
ADMINISTRATOR, AUDITOR = "administrator", "auditor"
ROLES: Final = frozenset({OPERATOR, SUPERVISOR, ADMINISTRATOR, AUDITOR})
SEEING_BIOMETRICS: Final = frozenset({OPERATOR, SUPERVISOR, AUDITOR})
ACTING: Final = frozenset({OPERATOR, SUPERVISOR})
LEADING: Final = frozenset({SUPERVISOR})
AUDITING: Final = frozenset({AUDITOR, SUPERVISOR, ADMINISTRATOR})
KEEPING_ACCOUNTS: Final = frozenset({ADMINISTRATOR})


@dataclass(frozen=True)
class Person:
    """Who is signed in."""

    name: str
    role: str


def viewing(request: Request) -> Person:
    return _person(request, ROLES)


def seeing_biometrics(request: Request) -> Person:
    return _person(request, SEEING_BIOMETRICS)


def acting(request: Request) -> Person:
    return _person(request, ACTING)


def leading(request: Request) -> Person:
    return _person(request, LEADING)


def auditing(request: Request) -> Person:
    return _person(request, AUDITING)


def keeping_accounts(request: Request) -> Person:
    return _person(request, KEEPING_ACCOUNTS)


def _person(request: Request, roles: frozenset[str]) -> Person:
    """Return who is signed in; the application's identify says who it is.

    Raises:
        HTTPException: 401 nobody, 403 somebody who may not.
    """
    person: Person | None = request.app.state.identify(request)
    if person is None:
        raise HTTPException(401, "sign in first")
    if person.role not in roles:
        allowed = ", ".join(sorted(roles))
        raise HTTPException(403, f"{person.role} may not do this; {allowed} may")
    return person
