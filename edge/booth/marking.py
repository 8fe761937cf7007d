"""Marks of messages that are translated later, where the reader is known."""

from __future__ import annotations

Plural = tuple[str, str]


def mark(message: str) -> str:
    """Return a message as it is; the catalogues list it."""
    return message


def mark_plural(singular: str, plural: str) -> Plural:
    """Return a message that counts; {count} in it is the number."""
    return singular, plural
