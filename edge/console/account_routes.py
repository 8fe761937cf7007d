"""The API of the accounts, for administrators."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, Field

from edge.console.access import Keeper
from edge.console.models import Given
from edge.console.refusals import REFUSALS
from edge.records.accounts import Account, Role
from edge.store.accounts import StoredAccounts
from edge.web.accounts import add_account
from edge.web.passwords import hash_password

if TYPE_CHECKING:
    from edge.console.desk import ConsoleDesk
    from edge.web.sessions import Sessions

Name = Annotated[str, Path(min_length=1, max_length=64)]
HubRole = Literal["operator", "supervisor", "administrator", "auditor"]
Password = Annotated[str, Field(max_length=256)]
Shown = Annotated[str, Field(min_length=1, max_length=80)]


class AccountView(BaseModel):
    name: str
    display_name: str
    role: str
    is_enabled: bool
    is_locked: bool


class NewAccount(Given):
    name: Annotated[str, Field(max_length=64)]
    display_name: Shown
    role: HubRole
    password: Password


class AccountChange(Given):
    """What is to change; a new password, or enabling, ends a lockout."""

    display_name: Shown | None = None
    role: HubRole | None = None
    is_enabled: bool | None = None
    password: Password | None = None


def account_routes(desk: ConsoleDesk, sessions: Sessions) -> APIRouter:
    router = APIRouter(prefix="/api/accounts", tags=["accounts"], responses=REFUSALS)

    @router.get("", summary="All accounts of this hub")
    def list_accounts(person: Keeper) -> list[AccountView]:
        now = desk.clock.now()
        with desk.opened(person.name) as opened:
            stored = StoredAccounts(opened.database).all()
        return [
            AccountView(
                name=item.account.name,
                display_name=item.account.display_name,
                role=str(item.account.role),
                is_enabled=item.account.is_enabled,
                is_locked=item.locked_until is not None and item.locked_until > now,
            )
            for item in stored
        ]

    @router.post("", summary="Add an account")
    def add(order: NewAccount, person: Keeper) -> AccountView:
        account = Account(order.name, order.display_name, Role(order.role))
        with desk.opened(person.name) as opened:
            add_account(
                StoredAccounts(opened.database),
                account,
                order.password,
                actor=person.name,
                at=desk.clock.now(),
            )
        return _view(account)

    @router.post("/{name}", summary="Change an account; its sessions end")
    def change(name: Name, order: AccountChange, person: Keeper) -> AccountView:
        if name == person.name and (order.role or order.is_enabled is not None):
            raise HTTPException(409, "nobody takes their own role away")
        with desk.opened(person.name) as opened:
            accounts = StoredAccounts(opened.database)
            stored = accounts.find(name)
            if stored is None:
                raise HTTPException(404, f"there is no account {name}")
            account = _changed(stored.account, order)
            hashed = None
            if order.password:
                hashed = hash_password(order.password, name=name)
            accounts.change(
                account,
                actor=person.name,
                at=desk.clock.now(),
                password_hash=hashed,
            )
        sessions.end_all_of(name)
        return _view(account)

    return router


def _changed(account: Account, order: AccountChange) -> Account:
    return replace(
        account,
        display_name=order.display_name or account.display_name,
        role=account.role if order.role is None else Role(order.role),
        is_enabled=account.is_enabled if order.is_enabled is None else order.is_enabled,
    )


def _view(account: Account) -> AccountView:
    return AccountView(
        name=account.name,
        display_name=account.display_name,
        role=str(account.role),
        is_enabled=account.is_enabled,
        is_locked=False,
    )
