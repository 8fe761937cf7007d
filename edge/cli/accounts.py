"""`edge accounts`: who may sign in at the screens of this machine."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from edge.cli.context import config_option, load
from edge.errors import InputError
from edge.records.accounts import BOOTH_ROLES, HUB_ROLES, Account, Role
from edge.services.user_name import user_name

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from edge.services.local_accounts import Place
    from edge.store.accounts import StoredAccounts

AT = click.option(
    "--at",
    "place",
    type=click.Choice(["booth", "hub"]),
    default="booth",
    show_default=True,
    help="Whose accounts.",
)
STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group()
def accounts() -> None:
    """Say who may sign in at the booth's screen or the hub's console."""


@accounts.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([str(r) for r in Role]), required=True)
@click.option("--display-name", default=None, help="As screens show it.")
@STDIN
@AT
@config_option
def add(
    *,
    name: str,
    role: str,
    display_name: str | None,
    password_stdin: bool,
    place: Place,
    config_path: Path | None,
) -> None:
    """Add an account; asks for its password."""
    from edge.clock import SystemClock  # noqa: PLC0415  slow to load
    from edge.web.accounts import add_account  # noqa: PLC0415

    allowed = BOOTH_ROLES if place == "booth" else HUB_ROLES
    if Role(role) not in allowed:
        names = ", ".join(sorted(allowed))
        message = f"{role}: no role at the {place}; there are {names}"
        raise InputError(message)
    account = Account(name, display_name or name, Role(role))
    password = _password(password_stdin=password_stdin)
    with _opened(config_path, place) as store:
        add_account(store, account, password, actor=user_name(), at=SystemClock().now())
    click.echo(f"{name} may sign in at the {place} as {role}")


@accounts.command("list")
@AT
@config_option
def list_accounts(place: Place, config_path: Path | None) -> None:
    """List the accounts."""
    with _opened(config_path, place) as store:
        found = store.all()
    table = Table("name", "shown as", "role", "language", "state")
    for stored in found:
        account = stored.account
        locked = stored.locked_until is not None
        state = "locked" if locked else "open" if account.is_enabled else "disabled"
        table.add_row(
            account.name,
            account.display_name,
            str(account.role),
            account.language,
            state,
        )
    Console().print(table)


@accounts.command("disable")
@click.argument("name")
@AT
@config_option
def disable(name: str, place: Place, config_path: Path | None) -> None:
    """Let nobody sign in by this name any more."""
    _change(name, place, config_path, is_enabled=False)
    click.echo(f"{name} cannot sign in at the {place} any more")


@accounts.command("password")
@click.argument("name")
@STDIN
@AT
@config_option
def password(
    *, name: str, password_stdin: bool, place: Place, config_path: Path | None
) -> None:
    """Give an account a new password, open it again, end its lockout."""
    text = _password(password_stdin=password_stdin)
    _change(name, place, config_path, is_enabled=True, password=text)
    click.echo(f"{name} has a new password at the {place}")


def _change(
    name: str,
    place: Place,
    config_path: Path | None,
    *,
    is_enabled: bool,
    password: str | None = None,
) -> None:
    from edge.clock import SystemClock  # noqa: PLC0415  slow to load
    from edge.web.passwords import hash_password  # noqa: PLC0415

    hashed = None if password is None else hash_password(password, name=name)
    with _opened(config_path, place) as store:
        known = store.find(name)
        if known is None:
            message = f"there is no account {name!r} at the {place}"
            raise InputError(message)
        store.change(
            replace(known.account, is_enabled=is_enabled),
            actor=user_name(),
            at=SystemClock().now(),
            password_hash=hashed,
        )


def _opened(
    config_path: Path | None, place: Place
) -> AbstractContextManager[StoredAccounts]:
    from edge.services.sites import hub_store, opened_accounts  # noqa: PLC0415  slow

    config = load(config_path)
    path = config.store.path if place == "booth" else hub_store(config)
    return opened_accounts(path, place)


def _password(*, password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt("password", hide_input=True, confirmation_prompt=True))
