"""Which of the faces in view is the traveller's, without jumping between two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.recognition.face.guidance_search import LEAST_OVERLAP, overlap
from edge.recognition.face.quality_geometry import most_prominent, prominence

if TYPE_CHECKING:
    from edge.recognition.face.detection import Face
    from edge.recognition.face.guidance_search import Sight

# A newcomer has to be this much more prominent in so many whole frames in a row.
CLEARLY_MORE = 1.5
SWITCH_AFTER = 2
# A followed face may be hidden for so many frames before another is chosen.
FORGET_AFTER = 5


class FaceChoice:
    """Follows one face. number: of the face followed, another for each; 0 for none."""

    def __init__(self) -> None:
        self.number = 0
        self.is_picked = False
        self.face: Face | None = None
        self.others: tuple[Face, ...] = ()
        self._numbers = 0
        self._picked: tuple[float, float] | None = None
        self._challenges = 0
        self._lost = 0

    def pick(self, x_px: float, y_px: float) -> None:
        """Follow the face that the next whole frame shows at this point, if any."""
        self._picked = (x_px, y_px)

    @property
    def needs_whole(self) -> bool:
        return self._picked is not None

    def expect_anybody(self) -> None:
        """Do not wait for the face followed if the next frame does not show it."""
        self._lost = FORGET_AFTER

    def update(self, sight: Sight, height_px: int, width_px: int) -> Face | None:
        """Return the face that is followed and seen now."""
        faces = list(sight.faces)
        chosen = self._picked_of(faces) if sight.is_whole else None
        if chosen is None:
            chosen = self._same(faces)
        if chosen is None and (self.face is None or self._is_forgotten()):
            chosen = self._begin(faces, height_px, width_px)
        elif chosen is not None and sight.is_whole and not self.is_picked:
            chosen = self._challenged(faces, chosen, height_px, width_px)
        if sight.is_whole:
            self.others = tuple(face for face in faces if face is not chosen)
        if chosen is not None:
            self.face, self._lost = chosen, 0
        return chosen

    def _picked_of(self, faces: list[Face]) -> Face | None:
        if self._picked is None:
            return None
        (x, y), self._picked = self._picked, None
        at = [
            f for f in faces if f.box[0] <= x <= f.box[2] and f.box[1] <= y <= f.box[3]
        ]
        if not at:
            return None
        chosen = min(at, key=lambda face: face.area_px)
        is_same = self.face is not None and overlap(chosen, self.face) >= LEAST_OVERLAP
        if not is_same:
            self._follow_new()
        self.is_picked = True
        return chosen

    def _same(self, faces: list[Face]) -> Face | None:
        former = self.face
        if former is None:
            return None
        best = max(faces, key=lambda face: overlap(face, former), default=None)
        return best if best and overlap(best, former) >= LEAST_OVERLAP else None

    def _is_forgotten(self) -> bool:
        self._lost += 1
        return self._lost > FORGET_AFTER

    def _begin(self, faces: list[Face], height_px: int, width_px: int) -> Face | None:
        self.face, self.number, self.is_picked = None, 0, False
        if not faces:
            return None
        self._follow_new()
        return faces[most_prominent(faces, height_px, width_px)]

    def _challenged(
        self, faces: list[Face], current: Face, height_px: int, width_px: int
    ) -> Face:
        best = faces[most_prominent(faces, height_px, width_px)]
        least = CLEARLY_MORE * prominence(current, height_px, width_px)
        if best is current or prominence(best, height_px, width_px) <= least:
            self._challenges = 0
            return current
        self._challenges += 1
        if self._challenges < SWITCH_AFTER:
            return current
        self._follow_new()
        return best

    def _follow_new(self) -> None:
        self._numbers += 1
        self.number = self._numbers
        self.is_picked = False
        self._challenges = 0
