"""Who is signed in: held in memory, ended by idleness, by age, and by a restart."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.clock import Clock
    from edge.records.accounts import Account

SESSIONS_HELD = 500
SESSIONS_OF_ONE = 8


@dataclass
class Session:
    """token: the cookie's value. csrf: what a request that changes something carries.

    seen_s: when a person last did something. is_over: set when it has ended.
    """

    token: str
    csrf: str
    account: Account
    began_s: float
    seen_s: float
    is_over: bool = False


class Sessions:
    """Safe to call from any thread."""

    def __init__(self, clock: Clock, *, idle_s: float, longest_s: float) -> None:
        """Prepare; a session ends after idle_s without a person, or after longest_s."""
        self.idle_s = idle_s
        self._longest_s = longest_s
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def begin(self, account: Account) -> Session:
        """Begin a session; the oldest ends where there are too many."""
        now_s = self._clock.monotonic_s()
        session = Session(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), account, now_s, now_s
        )
        with self._lock:
            self._drop_ended(now_s)
            own = [s for s in self._sessions.values() if s.account.name == account.name]
            for old in own[: max(0, len(own) - SESSIONS_OF_ONE + 1)]:
                self._end(old)
            while len(self._sessions) >= SESSIONS_HELD:
                self._end(next(iter(self._sessions.values())))
            self._sessions[session.token] = session
        return session

    def find(self, token: str) -> Session | None:
        """Return the session of a cookie, None if there is none any more."""
        with self._lock:
            session = self._sessions.get(token)
            if session is None:
                return None
            if self._has_ended(session, self._clock.monotonic_s()):
                self._end(session)
                return None
            return session

    def is_live(self, session: Session) -> bool:
        """Return whether it goes on: what streams to a screen asks again and again."""
        return self.find(session.token) is session

    def touch(self, session: Session) -> None:
        """Note that a person has done something."""
        session.seen_s = self._clock.monotonic_s()

    def end(self, session: Session) -> None:
        with self._lock:
            self._end(session)

    def end_all_of(self, name: str) -> None:
        """End what somebody has open: the account was disabled or changed."""
        with self._lock:
            for session in list(self._sessions.values()):
                if session.account.name == name:
                    self._end(session)

    def _drop_ended(self, now_s: float) -> None:
        for session in list(self._sessions.values()):
            if self._has_ended(session, now_s):
                self._end(session)

    def _has_ended(self, session: Session, now_s: float) -> bool:
        is_idle = now_s - session.seen_s >= self.idle_s
        return is_idle or now_s - session.began_s >= self._longest_s

    def _end(self, session: Session) -> None:
        session.is_over = True
        self._sessions.pop(session.token, None)
