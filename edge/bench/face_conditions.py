"""How often live guidance says the right thing of a face that is spoilt in one way."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.bench.progress import Progress, Silent, mapped
from edge.recognition.face.guidance import FaceTracker
from edge.simulate.face_conditions import CONDITIONS, Portrait
from edge.terms import FaceInstruction, FaceSample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.bench.face_folder import FaceImage
    from edge.recognition.face.detection import Detector
    from edge.simulate.face_conditions import Condition
    from edge.terms import FaceInstruction as Instruction

    Image = NDArray[np.uint8]

# Frames shown of each scene, as many as an instruction needs to be shown and one.
FRAMES = 3
MOST_OTHERS = 4
_START = datetime(2026, 1, 1, tzinfo=UTC)
_RATE_HZ = 10.0


@dataclass(frozen=True)
class Answer:
    """What was shown at last, and whether the frame might be searched with."""

    instruction: Instruction
    is_usable: bool


@dataclass(frozen=True, eq=False)
class ConditionsMeasurement:
    """answers: by condition, one a portrait. skipped: images without just one face."""

    skipped: int
    answers: dict[str, list[Answer]]

    def report(self) -> dict[str, Any]:
        """Return the benchmark's keys, ready for JSON."""
        count = len(next(iter(self.answers.values()), []))
        return {
            "simulated": True,
            "portraits": count,
            "skipped": self.skipped,
            "conditions": {
                condition.name: _figures(condition, self.answers[condition.name])
                for condition in CONDITIONS
                if self.answers.get(condition.name)
            },
        }


def measure_conditions(
    images: Sequence[FaceImage],
    detector: Detector,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> ConditionsMeasurement:
    """Show each portrait in each condition to a guide that begins anew.

    Portraits are the images that show one face and no other.

    Raises:
        InputError: a file cannot be read.
        ModelError: a network fails.
    """

    def answers(image: FaceImage) -> dict[str, Answer] | None:
        portrait = portrait_of(image.pixels(), detector)
        if portrait is None:
            return None
        return {
            condition.name: _answer(condition, portrait, image.path.name, detector)
            for condition in CONDITIONS
        }

    rows = mapped(
        answers,
        images,
        threads=threads,
        progress=progress or Silent(),
        text="spoiling",
    )
    shown = [row for row in rows if row is not None]
    return ConditionsMeasurement(
        skipped=len(rows) - len(shown),
        answers={c.name: [row[c.name] for row in shown] for c in CONDITIONS},
    )


def portrait_of(image: Image, detector: Detector) -> Portrait | None:
    """Return the picture with its face's points, None if it is not of one face."""
    found = detector.detect(image)
    if len(found) != 1:
        return None
    portrait = Portrait(image, found[0].points)
    is_alone = len(detector.detect(portrait.placed().image)) == 1
    return portrait if is_alone else None


def _answer(
    condition: Condition, portrait: Portrait, name: str, detector: Detector
) -> Answer:
    # By the file's name, not by the order in which threads come to it.
    rng = np.random.default_rng(zlib.crc32(f"{name} {condition.name}".encode()))
    scene = condition.show(portrait, rng)
    tracker = FaceTracker(detector)
    shown, is_usable = FaceInstruction.LOOK_AT_CAMERA, False
    for number in range(FRAMES):
        at = _START + timedelta(seconds=number / _RATE_HZ)
        found = tracker.update(FaceSample(scene, at))
        shown, is_usable = found.instruction, found.is_usable
    return Answer(shown, is_usable)


def _figures(condition: Condition, answers: Sequence[Answer]) -> dict[str, Any]:
    counted = Counter(str(answer.instruction) for answer in answers)
    right = sum(answer.instruction in condition.right for answer in answers)
    wanted = {str(instruction) for instruction in condition.right}
    others = [item for item in counted.most_common() if item[0] not in wanted]
    return {
        "right": right / len(answers),
        "usable": sum(answer.is_usable for answer in answers) / len(answers),
        "others": {name: count / len(answers) for name, count in others[:MOST_OTHERS]},
    }
