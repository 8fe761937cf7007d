"""How long a gallery of faces takes to build and to change while it is searched."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from edge.recognition.face.calibration import shipped_calibration
from edge.recognition.face.gallery import FaceGallery
from edge.terms import (
    FaceTemplate,
    FingerPosition,
    Modality,
    NumberedReference,
    Reference,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# As the watchlist's follower patches, see edge.watchlist.live.
PATCHED_AT_ONCE = 512
PATCHES = 20
MODEL_ID = "drawn"


def patched(
    vectors: Vectors, probe: NDArray[np.float32], threads: int
) -> tuple[float, list[float], list[float]]:
    """Return the seconds of building, and ms of patches and of searches meanwhile."""
    gallery = FaceGallery(threads, calibration=lambda _: shipped_calibration())
    numbers = range(len(vectors))
    start = time.perf_counter()
    for first in range(0, len(vectors), PATCHED_AT_ONCE):
        own = numbers[first : first + PATCHED_AT_ONCE]
        gallery.patch(_references(vectors, own))
    build_s = time.perf_counter() - start
    template = FaceTemplate(MODEL_ID, probe)
    is_done, meanwhile_ms = threading.Event(), []

    def search() -> None:
        while not is_done.is_set():
            start = time.perf_counter_ns()
            gallery.search(template, 1e-5)
            meanwhile_ms.append((time.perf_counter_ns() - start) / 1e6)

    searching = threading.Thread(target=search)
    searching.start()
    try:
        patch_ms = [_patch_ms(gallery, vectors, patch) for patch in range(PATCHES)]
    finally:
        is_done.set()
        searching.join()
    return build_s, patch_ms, meanwhile_ms


def _patch_ms(gallery: FaceGallery, vectors: Vectors, patch: int) -> float:
    """Withdraw some and add as many, and return the time."""
    removed = range(patch * PATCHED_AT_ONCE, (patch + 1) * PATCHED_AT_ONCE)
    first = len(vectors) + patch * PATCHED_AT_ONCE
    added = _references(vectors, range(first, first + PATCHED_AT_ONCE))
    start = time.perf_counter_ns()
    gallery.patch(added, removed)
    return (time.perf_counter_ns() - start) / 1e6


def _references(vectors: Vectors, numbers: range) -> list[NumberedReference]:
    return [
        NumberedReference(
            number,
            Reference(
                reference_id=f"r{number}",
                entry_id=f"e{number}",
                modality=Modality.FACE,
                position=FingerPosition.UNKNOWN,
                template=FaceTemplate(MODEL_ID, vectors[number % len(vectors)]),
            ),
        )
        for number in numbers
    ]
