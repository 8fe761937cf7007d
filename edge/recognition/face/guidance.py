"""Live guidance before the camera, and the best frame of the burst.

Frames go in, at ten a second on one core beside other work; out come which face is
meant, what its traveller should do now, and, when asked for, the best frame seen of
that face. Only that one frame is held; every other is let go as soon as it is judged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.face import quality
from edge.recognition.face.guidance_choice import FaceChoice
from edge.recognition.face.guidance_search import WHOLE_EVERY_FRAMES, FaceFinder
from edge.recognition.face.quality_thresholds import BORDER, FaceProfile
from edge.terms import FaceInstruction, Quality

if TYPE_CHECKING:
    from datetime import datetime

    from edge.recognition.face.detection import Detector, Face
    from edge.terms import FaceSample

# An instruction is shown once it was right in so many frames in a row.
STEADY_FRAMES = 2
# Mean way of the five points, in eye distances a second: in an exposure of a fiftieth
# it smears the face by a twenty-fifth. The detectors' own jitter is a sixth of it.
MOST_MOTION_PER_S = 2.0
# Frames farther apart than this, or not in order, tell nothing about motion; after
# such a gap a face elsewhere is another's.
LONGEST_STEP_S = 0.5


@dataclass(frozen=True, eq=False)
class BestFrame:
    """The frame to process: sample, which of its faces is meant, and how good it is.

    is_picked: an officer chose the face among several.
    """

    sample: FaceSample
    face: Face
    quality: Quality
    is_picked: bool = False


@dataclass(frozen=True, eq=False)
class Guidance:
    """What one frame said.

    instruction: to show; it changes only when the new one persists. seen: of this frame
    alone. face: whose quality and instruction these are, None if it is not seen now;
    number: which person's, 0 for nobody. faces: all in view, for the officer to pick
    from. motion_per_s: in eye distances, None where it is not known. is_usable: the
    frame may be searched with. is_best: it was kept as the best so far.
    """

    instruction: FaceInstruction
    seen: FaceInstruction
    face: Face | None
    number: int
    is_picked: bool
    faces: tuple[Face, ...]
    quality: Quality
    motion_per_s: float | None
    is_usable: bool
    is_best: bool


class FaceTracker:
    """Guides one traveller after another. Not for several threads.

    Frames are as the camera gives them, not mirrored.
    """

    def __init__(
        self,
        detector: Detector,
        profile: FaceProfile = BORDER,
        *,
        whole_every_frames: int = WHOLE_EVERY_FRAMES,
    ) -> None:
        self._profile = profile
        self._finder = FaceFinder(detector, whole_every_frames)
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next traveller comes."""
        self._choice = FaceChoice()
        self._steady = _Steady()
        self._former: tuple[datetime, Face] | None = None
        self._last_at: datetime | None = None
        self._best: BestFrame | None = None
        self._best_number = 0

    def pick(self, x_px: float, y_px: float) -> None:
        """Follow the face at this point of the frame, though others are in view.

        It stays picked, and others do not count against it, until it is lost.
        """
        self._choice.pick(x_px, y_px)

    def update(self, sample: FaceSample) -> Guidance:
        """Judge the next frame.

        Raises:
            InputError: the sample's image is not RGB of 8 bits.
            ModelError: the network fails.
        """
        height, width = sample.image.shape[:2]
        if self._is_after_a_gap(sample.captured_at):
            self._choice.expect_anybody()
        followed = None if self._choice.needs_whole else self._choice.face
        sight = self._finder.find(sample.image, followed)
        face = self._choice.update(sight, height, width)
        if face is not None:
            face = self._finder.levelled(sample.image, face)
        self._drop_other_persons_best()
        motion = self._motion_per_s(sample.captured_at, face)
        assessed, seen = self._judge(sample, face, motion)
        is_still = motion is None or motion <= MOST_MOTION_PER_S
        is_usable = assessed.is_sufficient and is_still
        is_best = is_usable and face is not None and self._keep(sample, face, assessed)
        return Guidance(
            instruction=self._steady.shown(seen),
            seen=seen,
            face=face,
            number=self._choice.number,
            is_picked=self._choice.is_picked,
            faces=(*(() if face is None else (face,)), *self._choice.others),
            quality=assessed,
            motion_per_s=motion,
            is_usable=is_usable,
            is_best=is_best,
        )

    def take_best(self) -> BestFrame | None:
        """Return the best frame of the face followed and hold it no longer.

        Its face is found again at full resolution, as embedding needs it.

        Raises:
            ModelError: the network fails.
        """
        best, self._best = self._best, None
        return None if best is None else self.at_full_resolution(best)

    def at_full_resolution(self, frame: BestFrame) -> BestFrame:
        """Return the frame with its face found again as embedding needs it.

        Raises:
            ModelError: the network fails.
        """
        face = self._finder.refined(frame.sample.image, frame.face)
        return replace(frame, face=face)

    def _judge(
        self, sample: FaceSample, face: Face | None, motion: float | None
    ) -> tuple[Quality, FaceInstruction]:
        if face is None:
            suspected = self._finder.suspected(sample.image)
            nobody = quality.no_face(sample.image, suspected, self._profile)
            return nobody, nobody.instruction or FaceInstruction.LOOK_AT_CAMERA
        others = () if self._choice.is_picked else self._choice.others
        judged = quality.judge(sample.image, [face, *others], 0, self._profile)
        instruction = judged.quality.instruction or FaceInstruction.OK
        if instruction is not FaceInstruction.OK:
            return judged.quality, instruction
        if motion is not None and motion > MOST_MOTION_PER_S:
            return judged.quality, FaceInstruction.HOLD_STILL
        return judged.quality, judged.advice

    def _is_after_a_gap(self, at: datetime) -> bool:
        last, self._last_at = self._last_at, at
        return last is not None and (at - last).total_seconds() > LONGEST_STEP_S

    def _motion_per_s(self, at: datetime, face: Face | None) -> float | None:
        former, self._former = self._former, None if face is None else (at, face)
        if former is None or face is None:
            return None
        step_s = (at - former[0]).total_seconds()
        if not 0 < step_s <= LONGEST_STEP_S:
            return None
        way_px = np.linalg.norm(face.points - former[1].points, axis=1).mean()
        return float(way_px) / max(face.inter_eye_px, 1.0) / step_s

    def _keep(self, sample: FaceSample, face: Face, assessed: Quality) -> bool:
        """Most of what is asked met, then the score, then the latest (BSI TR-03121)."""
        if self._best is not None and _rank(assessed) < _rank(self._best.quality):
            return False
        self._best = BestFrame(sample, face, assessed, self._choice.is_picked)
        self._best_number = self._choice.number
        return True

    def _drop_other_persons_best(self) -> None:
        if self._best_number != self._choice.number:
            self._best = None


class _Steady:
    def __init__(self) -> None:
        self._shown: FaceInstruction | None = None
        self._candidate: FaceInstruction | None = None
        self._times = 0

    def shown(self, seen: FaceInstruction) -> FaceInstruction:
        self._times = self._times + 1 if seen is self._candidate else 1
        self._candidate = seen
        if self._shown is None or self._times >= STEADY_FRAMES:
            self._shown = seen
        return self._shown


def _rank(assessed: Quality) -> tuple[float, int]:
    return -assessed.measures["faults_asked"], assessed.score
