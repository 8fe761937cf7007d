"""Passwords as Argon2id hashes (RFC 9106), and what a password must be."""

from __future__ import annotations

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from edge.errors import InputError

SHORTEST = 10
LONGEST = 128
# The second recommended option of RFC 9106, section 4: 64 MiB, three passes.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
# One at a time: a flood of guesses must not take the memory that searches need.
_ONE_AT_A_TIME = threading.Lock()
# Looked at where there is no account, so that its absence takes as long.
_NOBODYS = _HASHER.hash("nobody's password")


def hash_password(password: str, *, name: str) -> str:
    """Return the hash of a new password.

    Raises:
        InputError: it is too short, too long or the account's own name.
    """
    text = unicodedata.normalize("NFKC", password)
    if not SHORTEST <= len(text) <= LONGEST:
        message = f"a password has {SHORTEST} to {LONGEST} characters"
        raise InputError(message)
    if name.casefold() in text.casefold():
        message = "a password does not contain the name of its account"
        raise InputError(message)
    with _ONE_AT_A_TIME:
        return _HASHER.hash(text)


def is_password(password: str, password_hash: str | None) -> bool:
    """Return whether the password belongs to the hash; None belongs to nobody."""
    if len(password) > 4 * LONGEST:
        return False
    text = unicodedata.normalize("NFKC", password)
    with _ONE_AT_A_TIME:
        try:
            _HASHER.verify(password_hash or _NOBODYS, text)
        except (Argon2Error, InvalidHashError):
            return False
    return password_hash is not None
