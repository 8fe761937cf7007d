"""The demo's day: who is on the watchlist, and the six travellers in their order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.simulate.cast import too_poor
from edge.terms import Outcome, WatchlistEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge.simulate.cast import CastMember

    Image = NDArray[np.uint8]

VALID_FROM = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class WatchlistPerson:
    """An invented person for the watchlist, with the images to enrol."""

    entry: WatchlistEntry
    finger_images: Sequence[Image] = ()
    face_images: Sequence[Image] = ()


@dataclass(frozen=True, eq=False)
class Traveller:
    """One traveller: what is presented, and what has to come out.

    finger_images: presented one after the other, one for each capture.
    min_attempts: finger captures it must take before the decision.
    published_before: entry that the hub publishes just before this traveller comes.
    """

    name: str
    what: str
    expected: Outcome
    finger_images: Sequence[Image]
    face_images: Sequence[Image]
    entry_id: str | None = None
    is_broker_down: bool = False
    min_attempts: int = 1
    published_before: WatchlistPerson | None = None


@dataclass(frozen=True, eq=False)
class Scenario:
    enrolled: Sequence[WatchlistPerson]
    travellers: Sequence[Traveller]


def demo_scenario(cast: Sequence[CastMember]) -> Scenario:
    """Give the six members of the cast their parts."""
    first, second, third, fourth, fifth, sixth = cast
    by_finger = WatchlistPerson(_entry("demo-1", "Ada Quill"), first.finger_enrolled)
    by_face = WatchlistPerson(
        _entry("demo-2", "Bo Larkin"), face_images=second.face_enrolled
    )
    offline = WatchlistPerson(
        _entry("demo-3", "Cy Marsh"), fifth.finger_enrolled, fifth.face_enrolled
    )
    late = WatchlistPerson(_entry("demo-4", "Di Thorne"), sixth.finger_enrolled)
    travellers = [
        _traveller("T1", "finger listed", first, by_finger),
        _traveller("T2", "face listed", second, by_face),
        _traveller("T3", "not listed", third),
        Traveller(
            name="T4",
            what="poor first print",
            expected=Outcome.CLEAR,
            finger_images=[
                too_poor(fourth.finger_presented[0]),
                *fourth.finger_presented,
            ],
            face_images=fourth.face_presented,
            min_attempts=2,
        ),
        _traveller("T5", "listed, broker down", fifth, offline, is_broker_down=True),
        _traveller("T6", "listed just now", sixth, late, published_before=late),
    ]
    return Scenario([by_finger, by_face, offline], travellers)


def _traveller(
    name: str,
    what: str,
    member: CastMember,
    person: WatchlistPerson | None = None,
    *,
    is_broker_down: bool = False,
    published_before: WatchlistPerson | None = None,
) -> Traveller:
    return Traveller(
        name=name,
        what=what,
        expected=Outcome.CLEAR if person is None else Outcome.REFER,
        finger_images=member.finger_presented,
        face_images=member.face_presented,
        entry_id=None if person is None else person.entry.entry_id,
        is_broker_down=is_broker_down,
        published_before=published_before,
    )


def _entry(entry_id: str, name: str) -> WatchlistEntry:
    return WatchlistEntry(
        entry_id=entry_id,
        version=1,
        category="invented person",
        originator="XX/demo",
        handling_code="open",
        legal_basis="none: demonstration",
        instruction="Demonstration: no action.",
        valid_from=VALID_FROM,
        expires_at=None,
        name=name,
    )
