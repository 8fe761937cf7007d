"""A folder of prints: `<finger>_<impression>.<png|tif|bmp>`, all at one resolution."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.recognition.fingerprint.image import RESOLUTION_PPI, read_finger_image
from edge.terms import FingerPosition, FingerprintSample

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = frozenset({".png", ".tif", ".tiff", ".bmp"})
LARGEST_FOLDER = 4_000  # eight million pairs
_NAME = re.compile(r"(?P<finger>.+)_(?P<impression>[^_]+)")
_NUMBER = re.compile(r"(\d+)")
# Nobody captured these samples: the benchmarks need no instant.
_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Impression:
    """One image file of one finger. finger is unique only within its folder."""

    path: Path
    finger: str
    ppi: float

    def sample(self) -> FingerprintSample:
        """Read the image.

        Raises:
            InputError: the file cannot be read, or is not usable at this resolution.
        """
        return FingerprintSample(
            image=read_finger_image(self.path, self.ppi),
            resolution_ppi=self.ppi,
            position=FingerPosition.UNKNOWN,
            captured_at=_NEVER,
        )


def read_folder(folder: Path, ppi: float = RESOLUTION_PPI) -> list[Impression]:
    """Return the impressions in the folder, by finger, then in natural order.

    Files of other kinds and hidden files are left out.

    Raises:
        InputError: no such folder, nothing in it, too much, or a file's name is wrong.
    """
    try:
        paths = [path for path in folder.iterdir() if _is_image(path)]
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from error
    if not paths:
        raise InputError(
            f"{folder}: no prints; give files <finger>_<impression>.<png|tif|bmp>"
        )
    if len(paths) > LARGEST_FOLDER:
        raise InputError(
            f"{folder}: {len(paths)} prints; divide them, at most {LARGEST_FOLDER}"
        )
    paths.sort(key=_natural_order)
    for path, following in itertools.pairwise(paths):
        if path.stem == following.stem:
            raise InputError(
                f"{following}: {path.name} is the same impression; remove one of them"
            )
    return [Impression(path, _finger(path), ppi) for path in paths]


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _finger(path: Path) -> str:
    name = _NAME.fullmatch(path.stem)
    if name is None:
        raise InputError(
            f"{path}: name it <finger>_<impression>{path.suffix}, "
            "such as 101_1 for finger 101, impression 1"
        )
    return name["finger"]


def _natural_order(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Sort 101_2 before 101_10: numbers by value, everything else as text."""
    finger, _, impression = path.stem.rpartition("_")
    parts = [*_NUMBER.split(finger), "", *_NUMBER.split(impression)]
    order = [(int(p), "") if p.isdecimal() else (-1, p) for p in parts]
    return order, path.name
