"""Sign-in: the right password, and what is done about guessing.

After `failures` wrong passwords in a row an account takes none for `lockout_s`, counted
in the store, so that a restart forgets nothing. Names that do not exist are counted in
memory and answered alike and as slowly: whoever guesses does not learn who works here.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeAlias

from edge.errors import EdgeError, InputError
from edge.web.passwords import hash_password, is_password

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from edge.clock import Clock
    from edge.records.accounts import Account, StoredAccount

    OpenAccounts: TypeAlias = Callable[[], AbstractContextManager["AccountStore"]]

NAME = re.compile(r"^[a-z0-9][a-z0-9.-]{1,31}$")
UNKNOWN_NAMES_HELD = 1000


class AccountStore(Protocol):
    """The accounts of this machine; methods raise StoreError, see StoredAccounts."""

    def find(self, name: str) -> StoredAccount | None: ...

    def all(self) -> list[StoredAccount]: ...

    def add(
        self, account: Account, password_hash: str, *, actor: str, at: datetime
    ) -> None: ...

    def change(
        self,
        account: Account,
        *,
        actor: str,
        at: datetime,
        password_hash: str | None = None,
    ) -> None: ...

    def use_language(self, name: str, language: str) -> None: ...

    def signed_in(self, name: str, *, action: str, at: datetime) -> None: ...

    def refused(
        self, name: str, *, failures: int, locked_until: datetime | None, at: datetime
    ) -> None: ...

    def note(self, *, actor: str, action: str, subject: str, at: datetime) -> None: ...


class SignInRefusal(StrEnum):
    WRONG = "wrong"
    LOCKED = "locked"


class SignInError(EdgeError):
    """Nobody is signed in. reason: WRONG name or password, or LOCKED for wait_s."""

    def __init__(self, reason: SignInRefusal, wait_s: float = 0.0) -> None:
        text = "wrong name or password"
        if reason is SignInRefusal.LOCKED:
            text = f"too many wrong passwords: wait {max(1, round(wait_s / 60))} min"
        super().__init__(text)
        self.reason = reason
        self.wait_s = wait_s


@dataclass(frozen=True)
class LockoutPolicy:
    """failures: in a row, before an account takes no password for lockout_s seconds."""

    failures: int = 5
    lockout_s: float = 900.0


class Authenticator:
    """Safe to call from any thread."""

    def __init__(
        self,
        open_accounts: OpenAccounts,
        clock: Clock,
        policy: LockoutPolicy | None = None,
    ) -> None:
        """Prepare.

        open_accounts: entered on the caller's thread for each sign-in.
        """
        self._open_accounts = open_accounts
        self._clock = clock
        self._policy = policy or LockoutPolicy()
        self._unknown: OrderedDict[str, tuple[int, datetime | None]] = OrderedDict()
        # Guesses come one by one, or many at once would all be the first.
        self._lock = threading.Lock()

    def sign_in(
        self, name: str, password: str, *, action: str = "signed_in"
    ) -> Account:
        """Return the account of a name and its password.

        action: what stands in the audit log, "signed_in" or what else the password is
        given for.

        Raises:
            SignInError: wrong, or no password is looked at for a while.
            StoreError: the accounts cannot be read, or the sign-in not be recorded.
        """
        now = self._clock.now()
        with self._lock, self._open_accounts() as accounts:
            stored = accounts.find(name) if NAME.match(name) else None
            if stored is None or not stored.account.is_enabled:
                self._refuse_unknown(name, password, now)
            _refuse_locked(stored.locked_until, now)
            if not is_password(password, stored.password_hash):
                failures, until = self._count(stored.failures, now)
                accounts.refused(name, failures=failures, locked_until=until, at=now)
                _refuse_locked(until, now)
                raise SignInError(SignInRefusal.WRONG)
            accounts.signed_in(name, action=action, at=now)
            return stored.account

    def note(self, *, actor: str, action: str, subject: str) -> None:
        """Write a line of the audit log.

        Raises:
            StoreError: it cannot be written.
        """
        with self._open_accounts() as accounts:
            accounts.note(
                actor=actor, action=action, subject=subject, at=self._clock.now()
            )

    def use_language(self, name: str, language: str) -> None:
        """Remember the language of somebody's screen.

        Raises:
            StoreError: it cannot be written.
        """
        with self._open_accounts() as accounts:
            accounts.use_language(name, language)

    def _count(self, failures: int, now: datetime) -> tuple[int, datetime | None]:
        if failures + 1 < self._policy.failures:
            return failures + 1, None
        return 0, now + timedelta(seconds=self._policy.lockout_s)

    def _refuse_unknown(self, name: str, password: str, now: datetime) -> NoReturn:
        known = name[:64]
        failures, until = self._unknown.pop(known, (0, None))
        self._unknown[known] = (failures, until)
        _refuse_locked(until, now)
        is_password(password, None)
        self._unknown[known] = self._count(failures, now)
        while len(self._unknown) > UNKNOWN_NAMES_HELD:
            self._unknown.popitem(last=False)
        _refuse_locked(self._unknown[known][1], now)
        raise SignInError(SignInRefusal.WRONG)


def add_account(
    accounts: AccountStore, account: Account, password: str, *, actor: str, at: datetime
) -> None:
    """Add an account with its first password.

    Raises:
        InputError: the name, the display name or the password is not allowed, or the
            name is taken.
        StoreError: it cannot be written.
    """
    if not NAME.match(account.name):
        message = "the name of an account: 2 to 32 of a-z, 0-9, dot and hyphen"
        raise InputError(message)
    shown = account.display_name
    if not shown.strip() or len(shown) > 80 or not shown.isprintable():
        message = "the display name of an account: 1 to 80 printable characters"
        raise InputError(message)
    hashed = hash_password(password, name=account.name)
    accounts.add(account, hashed, actor=actor, at=at)


def _refuse_locked(until: datetime | None, now: datetime) -> None:
    if until is not None and until > now:
        raise SignInError(SignInRefusal.LOCKED, (until - now).total_seconds())
