"""Folders of prints with known fingers, for training and calibration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.recognition.fingerprint.image import RESOLUTION_PPI, read_finger_image
from edge.terms import FingerPosition, FingerprintSample, FingerprintTemplate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge.ports import FingerprintRecognition


@dataclass(frozen=True)
class TrainingPrint:
    set_name: str
    finger: str
    impression: str
    template: FingerprintTemplate


def read_sets(
    engine: FingerprintRecognition, folders: Sequence[Path]
) -> list[TrainingPrint]:
    """Extract every <finger>_<impression>.png, 500 ppi, of the folders.

    Raises:
        InputError: a folder holds no prints, or one that cannot be read.
    """
    found = []
    for folder in folders:
        paths = sorted(folder.glob("*_*.png"))
        if not paths:
            raise InputError(f"{folder}: no files <finger>_<impression>.png")
        for path in paths:
            finger, impression = path.stem.split("_", maxsplit=1)
            template = engine.extract(_sample(path))
            found.append(TrainingPrint(folder.name, finger, impression, template))
    return found


def _sample(path: Path) -> FingerprintSample:
    return FingerprintSample(
        image=read_finger_image(path),
        resolution_ppi=RESOLUTION_PPI,
        position=FingerPosition.UNKNOWN,
        captured_at=datetime.fromtimestamp(0, UTC),
    )
