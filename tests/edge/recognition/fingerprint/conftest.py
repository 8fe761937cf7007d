"""Invented fingers as templates, and what is done to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.recognition.fingerprint.cylinders import CAPACITY, derive, empty_print
from edge.simulate.template_gallery import generate, impression
from edge.terms import (
    FingerPosition,
    FingerprintTemplate,
    Modality,
    NumberedReference,
    Reference,
)

# Room for any turn about the middle of a print.
MIDDLE_PX = 1000


@pytest.fixture(scope="session")
def gallery():
    """Templates of fingers that do not exist, plain ones of 25 minutiae or more."""
    columns = generate(20, 90)
    templates = [columns.template(i) for i in range(len(columns))]
    return [template for template in templates if len(template) >= 25][:60]


@pytest.fixture(scope="session")
def template_of():
    """Make a template of columns; kinds and qualities may be left out."""

    def make(x, y, angle_rad, kind=None, quality=None) -> FingerprintTemplate:
        count = len(x)
        return FingerprintTemplate(
            position=FingerPosition.UNKNOWN,
            model_id="leader",
            width_px=400,
            height_px=400,
            x=np.array(x, np.int16),
            y=np.array(y, np.int16),
            angle_rad=np.array(angle_rad, np.float32),
            kind=np.array(np.ones(count) if kind is None else kind, np.uint8),
            quality=np.array(np.full(count, 90) if quality is None else quality)
            .astype(np.uint8)
            .reshape(count),
        )

    return make


@pytest.fixture(scope="session")
def turned():
    """Turn a template counter-clockwise about its middle, and shift it."""

    def turn(template, angle_rad, shift=(0, 0)) -> FingerprintTemplate:
        x = template.x - float(np.mean(template.x))
        y = float(np.mean(template.y)) - template.y
        cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
        angle = np.mod(template.angle_rad + angle_rad, 2 * np.pi).astype(np.float32)
        return replace(
            template,
            width_px=2 * MIDDLE_PX,
            height_px=2 * MIDDLE_PX,
            x=np.rint(MIDDLE_PX + shift[0] + cosine * x - sine * y).astype(np.int16),
            y=np.rint(MIDDLE_PX + shift[1] - sine * x - cosine * y).astype(np.int16),
            angle_rad=np.where(angle >= np.float32(2 * np.pi), 0, angle).astype(
                np.float32
            ),
        )

    return turn


@pytest.fixture(scope="session")
def chosen():
    """Return a template of some of the minutiae, in the order given."""

    def choose(template, which) -> FingerprintTemplate:
        names = ("x", "y", "angle_rad", "kind", "quality")
        return replace(template, **{n: getattr(template, n)[which] for n in names})

    return choose


@pytest.fixture(scope="session")
def again():
    """Return another impression of a finger; severity 1 is what real ones differ by."""

    def impress(template, seed, severity=0.5) -> FingerprintTemplate:
        return impression(template, np.random.default_rng(seed), severity)

    return impress


@pytest.fixture(scope="session")
def numbered():
    """Number the templates of persons, one reference a template."""

    def number(persons, first=1, names=None) -> list[NumberedReference]:
        found = []
        for i, templates in enumerate(persons):
            entry_id = f"e{first}-{i}" if names is None else names[i]
            for template in templates:
                at = first + len(found)
                reference = Reference(
                    f"r{at}",
                    entry_id,
                    Modality.FINGERPRINT,
                    template.position,
                    template,
                )
                found.append(NumberedReference(at, reference))
        return found

    return number


@pytest.fixture(scope="session")
def derived():
    """Derive packed minutiae into the arrays that kernels work on."""

    def make(packed):
        into = empty_print()
        derive(packed, len(packed), into, np.zeros(CAPACITY, np.int32))
        return into

    return make
