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
from typing import Annotated, Final

from fastapi import Depends, HTTPException, Request

from edge.records.accounts import HUB_ROLES, Role

SEEING_BIOMETRICS: Final = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR})
ACTING: Final = frozenset({Role.OPERATOR, Role.SUPERVISOR})
LEADING: Final = frozenset({Role.SUPERVISOR})
AUDITING: Final = frozenset({Role.AUDITOR, Role.SUPERVISOR, Role.ADMINISTRATOR})
KEEPING_ACCOUNTS: Final = frozenset({Role.ADMINISTRATOR})


@dataclass(frozen=True)
class Person:
    """Who is signed in."""

    name: str
    role: Role


def viewing(request: Request) -> Person:
    return _person(request, HUB_ROLES)


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


def _person(request: Request, roles: frozenset[Role]) -> Person:
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


# What a route asks of who calls it, and who it then knows that is.
Viewer = Annotated[Person, Depends(viewing)]
Judge = Annotated[Person, Depends(seeing_biometrics)]
Actor = Annotated[Person, Depends(acting)]
Leader = Annotated[Person, Depends(leading)]
Auditor = Annotated[Person, Depends(auditing)]
Keeper = Annotated[Person, Depends(keeping_accounts)]
