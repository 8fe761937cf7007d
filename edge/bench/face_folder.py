"""A folder of faces: `<person>_<image>.<jpg|png>`, one person an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.recognition.image_file import read_rgb_image

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
LARGEST_FOLDER = 20_000  # two hundred million pairs


@dataclass(frozen=True)
class FaceImage:
    path: Path
    person: str

    def pixels(self) -> NDArray[np.uint8]:
        """Read the image, RGB; raises InputError if it cannot be."""
        return read_rgb_image(self.path)


def read_face_folder(folder: Path) -> list[FaceImage]:
    """Return the images of the folder by name; files of other kinds are left out.

    Raises:
        InputError: no such folder, too much in it, a name that is wrong, or no two
            persons, one of them with two images.
    """
    try:
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from error
    if len(paths) > LARGEST_FOLDER:
        raise InputError(
            f"{folder}: {len(paths)} images; divide them, at most {LARGEST_FOLDER}"
        )
    images = [FaceImage(path, _person(path)) for path in paths]
    persons = {image.person for image in images}
    if not 1 < len(persons) < len(images):
        raise InputError(
            f"{folder}: {len(images)} images of {len(persons)} persons; error rates "
            "need two persons, one with two images: <person>_<image>.<jpg|png>"
        )
    return images


def _person(path: Path) -> str:
    person, _, number = path.stem.rpartition("_")
    if not person or not number:
        raise InputError(f"{path}: name it <person>_<image>{path.suffix}")
    return person
