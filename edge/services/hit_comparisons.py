"""The comparisons of a hit from the booth's stores. Implements HitComparisons."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal, Protocol

from edge.booth.comparisons import (
    ReferenceImage,
    comparisons_view,
    probe_face,
)
from edge.recognition.face.portrait import portrait
from edge.recognition.image_encoding import decode_rgb_png, encode_png
from edge.records.searched_face import decode_searched_face
from edge.store.booth_hits import BoothHits
from edge.store.database import open_database
from edge.store.watchlist import BoothWatchlist
from edge.terms import FingerPosition, Modality

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlite_utils

    from edge.clock import Clock
    from edge.config import Config
    from edge.recognition.face.detection import Detector
    from edge.terms import Hit, Reference


class HitImage(Protocol):
    @property
    def reference_id(self) -> str: ...

    @property
    def modality(self) -> Modality: ...

    @property
    def position(self) -> FingerPosition: ...

    @property
    def has_arrived(self) -> bool: ...


class SentImages(Protocol):
    """The images that the hub has sent of a hit's entry, in its order."""

    def images(self, hit_id: str) -> Sequence[HitImage]: ...

    def image(self, hit_id: str, index: int) -> bytes | None: ...


class StoredHitComparisons:
    """Opens the stores for each question, so that any thread may ask."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        detector: Callable[[], Detector],
        sent: Callable[[sqlite_utils.Database], SentImages] | None = None,
    ) -> None:
        """detector: makes what finds faces, at the first face that is looked at."""
        self._config, self._clock = config, clock
        self._make_detector = detector
        self._sent = sent
        self._lock = threading.Lock()
        self._detector: Detector | None = None

    def view(self, hit_id: str, *, officer: str) -> dict[str, Any] | None:
        booth = open_database(self._config.store.path, "booth")
        with closing(booth.conn):
            hits = BoothHits(booth)
            hit = hits.hit(hit_id)
            if hit is None:
                return None
            hits.note_access(hit_id, officer=officer, at=self._clock.now())
            images = self._images(booth, hit_id)
        return comparisons_view(hit, self._references(hit), images)

    def face(self, hit_id: str, side: Literal["probe", "reference"]) -> bytes | None:
        booth = open_database(self._config.store.path, "booth")
        with closing(booth.conn):
            hit = BoothHits(booth).hit(hit_id)
            if hit is None:
                return None
            if side == "reference":
                data, about = self._reference_face(booth, hit_id), None
            else:
                data, about = probe_face(hit) or (None, None)
        if data is None:
            return None
        box = None if about is None else decode_searched_face(about).box
        image = decode_rgb_png(data, origin=f"hit {hit_id}: image of the face")
        return encode_png(portrait(image, self._detect(), box))

    def _references(self, hit: Hit) -> list[Reference]:
        watchlist = open_database(self._config.store.watchlist_path, "watchlist")
        with closing(watchlist.conn):
            entries = dict.fromkeys(c.entry_id for c in hit.candidates)
            known = BoothWatchlist(watchlist)
            return [r for entry_id in entries for r in known.references(entry_id)]

    def _images(
        self, booth: sqlite_utils.Database, hit_id: str
    ) -> list[ReferenceImage]:
        if self._sent is None:
            return []
        return [
            ReferenceImage(index, one.reference_id, one.modality, one.position)
            for index, one in enumerate(self._sent(booth).images(hit_id))
            if one.has_arrived
        ]

    def _reference_face(
        self, booth: sqlite_utils.Database, hit_id: str
    ) -> bytes | None:
        for image in self._images(booth, hit_id):
            if image.modality is Modality.FACE and self._sent is not None:
                return self._sent(booth).image(hit_id, image.index)
        return None

    def _detect(self) -> Detector:
        with self._lock:
            if self._detector is None:
                self._detector = self._make_detector()
            return self._detector
