"""How urgent a hit is for the operators: 4 critical, 3 high, 2 elevated, 1 routine.

From what the entry says, by the tables below: the highest row that applies counts.
Words are compared without case, spaces or underlines. What no row knows is elevated:
what nobody has graded must not sink to the bottom.

A drill is routine whatever it says: an exercise never stands before a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge import terms

if TYPE_CHECKING:
    from edge.terms import WatchlistEntry

CRITICAL, HIGH, ELEVATED, ROUTINE = 4, 3, 2, 1
NAMES: Final = {
    CRITICAL: "critical",
    HIGH: "high",
    ELEVATED: "elevated",
    ROUTINE: "routine",
}
# Part of the category -> severity.
BY_CATEGORY: Final = {
    "terror": CRITICAL,
    "foreignfighter": CRITICAL,
    "armed": CRITICAL,
    "escaped": CRITICAL,
    "wanted": HIGH,
    "arrest": HIGH,
    "rednotice": HIGH,
    "abducted": HIGH,
    "missing": HIGH,
    "refusal": ELEVATED,
    "overstay": ROUTINE,
    "locate": ROUTINE,
    "information": ROUTINE,
}
# Part of the handling code -> at least this severity.
BY_HANDLING: Final = {
    "armed": CRITICAL,
    "dangerous": CRITICAL,
    "arrest": HIGH,
    "detain": HIGH,
    "seize": HIGH,
}


def is_drill(entry: WatchlistEntry | None) -> bool:
    return entry is not None and terms.is_drill(entry)


def severity_of(entry: WatchlistEntry | None) -> int:
    """Return 1 to 4; entry: None where the hub no longer knows it."""
    if entry is None:
        return ELEVATED
    if is_drill(entry):
        return ROUTINE
    category, handling = _word(entry.category), _word(entry.handling_code)
    by_category = [rank for part, rank in BY_CATEGORY.items() if part in category]
    by_handling = [rank for part, rank in BY_HANDLING.items() if part in handling]
    return max(max(by_category, default=ELEVATED), *by_handling, ROUTINE)


def _word(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())
