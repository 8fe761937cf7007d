"""A booth without devices: captures, recognition and search that follow a script."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from edge.checkpoint.booth_ports import BoothPorts
from edge.checkpoint.check import CheckLimits
from edge.checkpoint.freshness import WatchlistStanding
from edge.checkpoint.runner import CheckRunner
from edge.checkpoint.step import OfficerSide
from edge.clock import ManualClock
from edge.errors import CaptureCancelledError, InputError
from edge.ports import Identification
from edge.terms import (
    Candidate,
    ComparisonScore,
    FaceBox,
    FaceGuidance,
    FaceInstruction,
    FaceSample,
    FaceTemplate,
    FingerInstruction,
    FingerPosition,
    FingerprintSample,
    FingerprintTemplate,
    Modality,
    PresentationVerdict,
    ProcessedFace,
    Quality,
    QualityReason,
    WatchlistEntry,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = Quality(90)
USABLE = Quality(60)
BOX = FaceBox(10.0, 12.0, 50.0, 60.0)
POOR = Quality(5, (QualityReason.SMEARED,), is_sufficient=False)
PIXELS = np.random.default_rng(7).integers(0, 256, (64, 64, 3)).astype(np.uint8)
GREY = np.ascontiguousarray(PIXELS[:, :, 0])
POINTS = np.random.default_rng(8).integers(0, 64, 30)
FINGER_TEMPLATE = FingerprintTemplate(
    position=FingerPosition.RIGHT_INDEX,
    model_id="scripted",
    width_px=64,
    height_px=64,
    x=POINTS.astype(np.int16),
    y=POINTS[::-1].astype(np.int16),
    angle_rad=(POINTS / 11).astype(np.float32),
    kind=np.ones(30, np.uint8),
    quality=np.full(30, 50, np.uint8),
)
FACE_TEMPLATE = FaceTemplate(
    "scripted", np.random.default_rng(9).normal(size=128).astype(np.float32)
)


class ScriptedGuide:
    """Says of each frame what the booth's script says; the first good one is the best.

    A good frame leaves nothing to ask for; USABLE one does.
    """

    def __init__(self, booth):
        self._booth = booth
        self._best = None
        self.points = []
        self.frames = 0

    def pick(self, x_px, y_px):
        self.points.append((x_px, y_px))

    def update(self, sample):
        quality = self._booth.judged
        self.frames += 1
        if quality.is_sufficient and self._best is None:
            is_picked = bool(self.points)
            self._best = ProcessedFace(sample, BOX, is_picked, quality, FACE_TEMPLATE)
        asked = FaceInstruction.CLOSER if quality is USABLE else FaceInstruction.OK
        seen = asked if quality.is_sufficient else FaceInstruction.LOOK_AT_CAMERA
        return FaceGuidance(
            instruction=seen,
            seen=seen,
            face=BOX,
            faces=(BOX,),
            is_picked=bool(self.points),
            quality=quality,
            is_usable=quality.is_sufficient,
            is_steady=True,
            width_px=64,
            height_px=64,
        )

    def take_seen(self, sample):
        return ProcessedFace(sample, BOX, False, self._booth.judged, FACE_TEMPLATE)

    def take_best(self):
        best, self._best = self._best, None
        return best


class ScriptedBooth:
    """Implements every port of a check; each capture takes one line of a script.

    A line is a Quality, which the sample will be judged to have, or an error to raise.
    The last line repeats. Each capture takes a second.
    """

    box = BOX

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.fingers: list[Quality | Exception] = [GOOD]
        self.faces: list[Quality | Exception] = [GOOD]
        # By modality, or by the number of the look.
        self.found: dict[Modality | int, tuple[Candidate, ...]] = {}
        self.entries = 1
        self.records: list[tuple] = []
        self.events: list = []
        self.positions: list[FingerPosition] = []
        self.looks: list[Modality] = []
        self.shares: list[float] = []
        self.refused: set[Modality] = set()
        self.unsearched: set[Modality] = set()
        self.open_after: set[int] = set()
        self.standings = [WatchlistStanding()]
        self.guides: list[ScriptedGuide] = []
        self.presented: PresentationVerdict | Exception | None = None
        self.face_period_s = 1.0
        # By the number of the capture before which they are given.
        self.orders: dict[int, list] = {}
        self.captures = 0
        self.previewed: list[tuple[int, int]] = []
        self.shown: list[tuple] = []
        self.officer = OfficerSide(
            show=lambda modality, image: self.shown.append((modality, image.shape))
        )
        self._judged = GOOD

    def candidate(self, modality, *, rate=1e-5):
        score = ComparisonScore(0.7, rate)
        return Candidate("e1", "e1-r1", modality, FingerPosition.UNKNOWN, score)

    def capture(
        self,
        position,
        *,
        timeout_s,  # noqa: ARG002  the port has it
        on_progress,
        on_rows,
        on_instruction,
        is_cancelled,
    ):
        self._obey(is_cancelled)
        self.positions.append(position)
        self._judged = self._next(self.fingers)
        on_instruction(FingerInstruction.HOLD_STILL)
        on_progress(0.5)
        on_rows(GREY[:32], 64)
        return FingerprintSample(GREY, 500.0, position, self.clock.now())

    def latest(self, *, timeout_s, is_cancelled):  # noqa: ARG002  the port has it
        self._obey(is_cancelled)
        self._judged = self._next(self.faces, self.face_period_s)
        return FaceSample(PIXELS, self.clock.now())

    @property
    def judged(self):
        return self._judged

    def _obey(self, is_cancelled):
        """Let the officer speak, where the script says so, before the sample."""
        self.captures += 1
        for order in self.orders.pop(self.captures, ()):
            self.officer.orders.put(order)
        if is_cancelled():
            self.captures -= 1
            message = "no longer wanted"
            raise CaptureCancelledError(message)

    def preview(self, rows):
        self.previewed.append(rows.shape)
        return Quality(40, measures={"touched_mm2": 1.0})

    def assess(self, sample):  # noqa: ARG002  the port has it
        return self._judged

    def extract(self, sample):  # noqa: ARG002  the port has it
        return FINGER_TEMPLATE

    def guide(self):
        self.guides.append(ScriptedGuide(self))
        return self.guides[-1]

    def judge_presentation(self, sample, box):
        assert sample.image is PIXELS
        assert box == BOX
        if isinstance(self.presented, Exception):
            raise self.presented
        return self.presented

    def begin(self):
        self.looks = []
        return self

    def look(self, probes, *, share):
        (probe,) = probes
        is_face = isinstance(probe, FaceTemplate)
        modality = Modality.FACE if is_face else Modality.FINGERPRINT
        self.looks.append(modality)
        self.shares.append(share)
        if modality in self.refused:
            message = "templates of two kinds"
            raise InputError(message)
        number = len(self.looks)
        found = self.found.get(number, ()) or self.found.get(modality, ())
        return Identification(
            found,
            is_open=number in self.open_after,
            unsearched=frozenset(self.unsearched),
        )

    def entry(self, entry_id):
        return WatchlistEntry(entry_id, 4, "c", "o", "h", "l", "Refer.", START, None)

    def size(self):
        return self.entries

    def standing(self):
        return self.standings.pop(0) if len(self.standings) > 1 else self.standings[0]

    def record(self, check, hit):
        self.records.append((check, hit))

    def runner(self, recorder=None, *, has_finger=True, has_face=True, **limits):
        ports = BoothPorts(
            finger_capture=self if has_finger else None,
            face_capture=self if has_face else None,
            finger_recognition=self,
            face_recognition=self,
            search=self,
            recorder=self if recorder is None else recorder,
            encode_png=lambda image: b"\x89PNG" + image.tobytes(),
            clock=self.clock,
            standing=self.standing,
            presentation=None if self.presented is None else self,
        )
        limits = CheckLimits(
            max_attempts=3, finger_timeout_s=20, face_timeout_s=10, **limits
        )
        return CheckRunner(ports, booth_id="booth-1", limits=limits)

    def _next(self, script, period_s=1.0):
        self.clock.advance(period_s)
        line = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(line, Exception):
            raise line
        return line


@pytest.fixture
def booth():
    return ScriptedBooth()


@pytest.fixture
def poor():
    return POOR


@pytest.fixture
def usable():
    """The quality of a frame that may be searched with and could be better."""
    return USABLE


@pytest.fixture
def biometric_bytes():
    """What must not remain: images and templates, in every form they take."""
    return [
        GREY.tobytes(),
        PIXELS.tobytes(),
        FINGER_TEMPLATE.x.tobytes(),
        FACE_TEMPLATE.vector.tobytes(),
        FACE_TEMPLATE.vector.astype(">f4").tobytes(),
    ]
