"""Where officers look at hits and decide on them, over the booth's stores.

Opened anew for each question, on the thread that asks. What is said is recorded before
the answer, and every screen is told that the hit has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from edge.booth.hit_views import decision_view, hit_view, images_view, line_view
from edge.booth.views import instruction_view
from edge.checkpoint.adjudication import Adjudication, with_first, with_second
from edge.terms import HitDecision, OfficerVerdict, is_drill

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from edge.clock import Clock
    from edge.store.booth_hits import BoothHits, HitLine
    from edge.store.commands import StoredCommands
    from edge.store.reference_images import BoothReferenceImages
    from edge.store.watchlist import BoothWatchlist
    from edge.terms import Hit, Verdict, VerdictReason, WatchlistEntry

PNG = "image/png"
# With a link images come within seconds of the receipt; then there are none.
IMAGES_COME_WITHIN = timedelta(seconds=60)
LOOKS_HELD = 10_000
MOST_LISTED = 200


@dataclass(frozen=True)
class HitBook:
    """The parts of the booth's stores that hits are shown from."""

    hits: BoothHits
    images: BoothReferenceImages
    commands: StoredCommands
    watchlist: BoothWatchlist


@dataclass(frozen=True)
class Word:
    """What an officer says, without the officer."""

    verdict: Verdict
    reason: VerdictReason
    note: str = ""


class HitDesk:
    """Safe to call from any thread. Methods raise StoreError where the store fails."""

    def __init__(
        self,
        open_book: Callable[[], AbstractContextManager[HitBook]],
        publish: Callable[[dict[str, Any]], None],
        clock: Clock,
        *,
        booth_id: str,
        needs_second: bool,
    ) -> None:
        """publish: tells every screen. needs_second: what policy wants."""
        self._open_book = open_book
        self._publish = publish
        self._clock = clock
        self._booth_id = booth_id
        self._needs_second = needs_second
        self._looks: set[tuple[str, str]] = set()

    def hits(self, *, is_open: bool) -> list[dict[str, Any]]:
        """Return the newest hits, newest first; is_open: only those not decided."""
        with self._open_book() as book:
            lines = book.hits.hits(is_open=is_open, limit=MOST_LISTED)
            return [line_view(line, self._entry(book, line)) for line in lines]

    def hit(self, hit_id: str, officer: str) -> dict[str, Any] | None:
        """Return all of a hit but its images; who looks is audited once."""
        with self._open_book() as book:
            line, hit = book.hits.line(hit_id), book.hits.hit(hit_id)
            if line is None or hit is None:
                return None
            self._note_look(book, hit_id, officer)
            entry = self._entry(book, line)
            now = self._clock.now()
            said = self._adjudication(book, hit_id)
            told = book.commands.instructions(hit_id)
            return {
                **hit_view(hit, entry, listed=book.watchlist.count_valid(now)),
                "is_drill": hit.is_drill or (entry is not None and is_drill(entry)),
                **self._images(book, hit, line, is_final=said.is_final),
                "decision": decision_view(said),
                "instructions": [instruction_view(item) for item in told],
                "delivered": line.delivered_at is not None,
            }

    def image(self, hit_id: str, side: str, index: int) -> bytes | None:
        """Return a captured image ("probe") or one of the entry ("reference")."""
        with self._open_book() as book:
            if side == "reference":
                return book.images.image(hit_id, index)
            hit = book.hits.hit(hit_id)
            if hit is None:
                return None
            pictures = [e.data for e in hit.evidence if e.media_type == PNG]
            return pictures[index] if index < len(pictures) else None

    def decide(self, hit_id: str, officer: str, word: Word) -> dict[str, Any] | None:
        """Record the first officer's verdict; None if there is no such hit.

        Raises:
            AdjudicationError: somebody has decided already.
            InputError: the reason is none of this verdict.
        """
        return self._record(hit_id, officer, word, number=1)

    def decide_second(
        self, hit_id: str, officer: str, word: Word
    ) -> dict[str, Any] | None:
        """Record the second officer's verdict; None if there is no such hit.

        Raises:
            AdjudicationError: none is awaited, or the first was the same person.
            InputError: the reason is none of this verdict.
        """
        return self._record(hit_id, officer, word, number=2)

    def _record(
        self, hit_id: str, officer: str, word: Word, *, number: int
    ) -> dict[str, Any] | None:
        said = OfficerVerdict(
            officer, word.verdict, word.reason, word.note, self._clock.now()
        )
        with self._open_book() as book:
            if book.hits.line(hit_id) is None:
                return None
            before = self._adjudication(book, hit_id)
            judge = with_first if number == 1 else with_second
            after = judge(before, said)
            book.hits.decide(
                HitDecision(
                    hit_id=hit_id,
                    booth_id=self._booth_id,
                    number=number,
                    needs_second=after.needs_second,
                    state=after.state,
                    verdict=said,
                )
            )
        self._publish({"event": "hit_changed", "hit_id": hit_id})
        return decision_view(after)

    def _adjudication(self, book: HitBook, hit_id: str) -> Adjudication:
        known = book.hits.decisions(hit_id)
        wanted = known[0].needs_second if known else self._needs_second
        return Adjudication(wanted, *(item.verdict for item in known))

    def _entry(self, book: HitBook, line: HitLine) -> WatchlistEntry | None:
        """Return the entry as it stands on the list now, None if it is off it."""
        return book.watchlist.entry(line.entry_id)

    def _images(
        self, book: HitBook, hit: Hit, line: HitLine, *, is_final: bool
    ) -> dict[str, Any]:
        sent = book.images.images(hit.hit_id)
        if sent:
            state = "here" if all(item.has_arrived for item in sent) else "waiting"
        elif line.delivered_at is None:
            state = "none" if is_final else "waiting"
        else:
            is_late = self._clock.now() - line.delivered_at > IMAGES_COME_WITHIN
            state = "none" if is_final or is_late else "waiting"
        return {"images": images_view(hit, sent), "reference_images": state}

    def _note_look(self, book: HitBook, hit_id: str, officer: str) -> None:
        """Audit the first look of an officer; a screen asks again and again."""
        if (hit_id, officer) in self._looks:
            return
        book.hits.note_access(hit_id, officer=officer, at=self._clock.now())
        if len(self._looks) >= LOOKS_HELD:
            self._looks.clear()
        self._looks.add((hit_id, officer))
