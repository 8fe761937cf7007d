"""Keep the galleries in step with the watchlist while searches go on.

One thread looks often and patches what changed; searches on other threads see the
state before or after a patch, never one in between. What cannot be done is told and
tried again: the galleries keep the last good state.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.watchlist.following import Manner, follow, pending_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.clock import Clock
    from edge.terms import Modality, WatchlistState
    from edge.watchlist.following import FollowingGallery, ReferenceSource

# References that go into a gallery at once: patching them holds others up for less
# than the time in which a check would notice.
LIVE_STEP = 512
# Work for so long, then let others go on for so long: python runs one thread at a time,
# and a search wants every processor.
WORK_S, REST_S = 0.001, 0.004
RETRY_S = 5.0
NAMES_HELD = 10
# More than this share of the references not yet in a gallery: it is being built.
BUILDING_SHARE = 0.2


@dataclass(frozen=True)
class SearchedState:
    """What the searches see, as the follower knows it.

    sequence, revision: of the watchlist's state that all galleries hold. pending_share:
    of the references, not yet in a gallery. behind_since_s: monotonic, when the first
    change came that is not searched yet; None if there is none. faults: by gallery,
    what keeps it from the newest state. unsearchable: references left out, the latest
    named in skipped.
    """

    sequence: int = 0
    revision: int = 0
    pending_share: float = 1.0
    behind_since_s: float | None = None
    faults: dict[str, str] = field(default_factory=dict)
    unsearchable: int = 0
    skipped: tuple[str, ...] = ()

    def lag_s(self, monotonic_s: float) -> float:
        """Return for how long the oldest unsearched change has been there."""
        since = self.behind_since_s
        return 0.0 if since is None else max(0.0, monotonic_s - since)

    @property
    def is_building(self) -> bool:
        """A search would look through a small part of the watchlist only."""
        return self.pending_share > BUILDING_SHARE


class GalleryFollower:
    """For one thread, that of its source; searched may be read from any."""

    def __init__(
        self,
        source: ReferenceSource,
        galleries: Mapping[Modality, FollowingGallery],
        clock: Clock,
        tell: Callable[[str, str], None],
    ) -> None:
        """Follow the source; tell is told the name and the text of what goes wrong."""
        self._source = source
        self._galleries = dict(galleries)
        self._clock = clock
        self._tell = tell
        self._rest = _Rest()
        self._held: WatchlistState | None = None
        self._untidy = set(self._galleries)
        self._retry_at_s: dict[str, float] = {}
        self._skipped: deque[str] = deque(maxlen=NAMES_HELD)
        self._pending_at_first = 1.0
        self.searched = SearchedState()

    def catch_up(self, on_progress: Callable[[float], None]) -> None:
        """Bring the galleries up to date as fast as it goes; fails as look does."""
        self._look(Manner(on_progress, self._skip))

    def look(self) -> bool:
        """Do what there is to do; return whether searches see something new.

        What fails is told once, stands in searched, and is tried again after RETRY_S.
        """
        manner = Manner(self._note_progress, self._skip, self._rest, LIVE_STEP)
        return self._look(manner)

    def _look(self, manner: Manner) -> bool:
        before = self.searched.revision
        if self._attempt("watchlist", partial(self._follow, manner)):
            for modality in sorted(self._untidy):
                self._attempt(f"{modality} files", partial(self._tidy, modality))
        return self.searched.revision != before

    def _follow(self, manner: Manner) -> None:
        state = self._source.state()
        if state == self._held:
            return
        self._note_pending(state)
        is_done = [
            self._attempt(str(modality), partial(self._follow_one, modality, manner))
            for modality in self._galleries
        ]
        if all(is_done):
            self._note_done(state)

    def _follow_one(self, modality: Modality, manner: Manner) -> None:
        follow(self._galleries[modality], self._source, modality, manner)
        self._untidy.add(modality)

    def _tidy(self, modality: Modality) -> None:
        if self._galleries[modality].tidy():
            self._untidy.discard(modality)

    def _attempt(self, what: str, action: Callable[[], None]) -> bool:
        """Do it, unless it failed a short while ago; return whether it is done."""
        now_s = self._clock.monotonic_s()
        if now_s < self._retry_at_s.get(what, now_s):
            return False
        try:
            action()
        except EdgeError as error:
            self._retry_at_s[what] = self._clock.monotonic_s() + RETRY_S
            self._note_fault(what, str(error))
            return False
        if what in self._retry_at_s:
            del self._retry_at_s[what]
            self._note_fault(what, None)
        return True

    def _note_fault(self, what: str, text: str | None) -> None:
        faults = {k: v for k, v in self.searched.faults.items() if k != what}
        if text is not None:
            if self.searched.faults.get(what) != text:
                self._tell("gallery_fault", f"{what}: {text}")
            faults[what] = text
        self.searched = replace(self.searched, faults=faults)

    def _note_pending(self, state: WatchlistState) -> None:
        """Say that the galleries are behind the state, and by how much."""
        missing = max(
            pending_numbers(gallery, self._source, state)
            for gallery in self._galleries.values()
        )
        held = sum(len(gallery) for gallery in self._galleries.values())
        since_s = self.searched.behind_since_s
        self.searched = replace(
            self.searched,
            pending_share=missing / max(held + missing, 1),
            behind_since_s=self._clock.monotonic_s() if since_s is None else since_s,
        )
        self._pending_at_first = self.searched.pending_share

    def _note_progress(self, share: float) -> None:
        left = self._pending_at_first * (1 - share)
        self.searched = replace(self.searched, pending_share=left)

    def _note_done(self, state: WatchlistState) -> None:
        self._held = state
        unsearchable = self.searched.unsearchable
        counted = sum(
            max(0, self._source.tally(modality)[0] - len(gallery))
            for modality, gallery in self._galleries.items()
        )
        if self._source.state() == state:
            unsearchable = counted
        self.searched = replace(
            self.searched,
            sequence=state.sequence,
            revision=state.revision,
            pending_share=0.0,
            behind_since_s=None,
            unsearchable=unsearchable,
            skipped=tuple(self._skipped) if unsearchable else (),
        )

    def _skip(self, text: str) -> None:
        if text not in self._skipped:
            self._skipped.append(text)
            self._tell("reference_skipped", text)


class _Rest:
    """Sleeps after every little while of work."""

    def __init__(self) -> None:
        self._worked_since_s = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._worked_since_s >= WORK_S:
            time.sleep(REST_S)
            self._worked_since_s = time.monotonic()
