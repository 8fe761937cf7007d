"""Which likelihood ratios belong to which comparisons.

Fingerprints: fingerprint/likelihood.json, counted on the mated comparisons of real
prints by `edge calibration ratios`; it holds for one false match calibration, another
makes it void. References of other makers are taken by the same table: their false match
rates are their own, what they say for a mate is then said a little too high or too low,
but the false match rate of the fused evidence holds all the same.

Faces: made from the false match calibration of the template's model, which also holds
how many mated comparisons reach each score. Beyond what was counted the misses go on as
edge.recognition.face.carrying says, for three decades, and no further.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError, ModelError
from edge.recognition.face.calibration import calibration_of
from edge.recognition.face.carrying import (
    MOST_DECADES_EXTRAPOLATED,
    expected_misses,
)
from edge.recognition.fingerprint.calibration import (
    LOWEST_RATE,
    committed,
    engine_digest,
)
from edge.recognition.likelihood import (
    LikelihoodTable,
    bins_to,
    counts_in_bins,
    fitted,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    # A finger, and the false match rate of two of its prints.
    MatedRate = tuple[str, float]

FINGERPRINT = "fingerprint"
TABLE = "likelihood.json"
HIGHEST_OF_FINGERS = -math.log10(LOWEST_RATE)
FEWEST_MATED = 100
# A list of numbers stands on one line of the file.
_LIST = re.compile(r"\[[^\[\]{}]*\]")


@dataclass(frozen=True)
class MatedCounts:
    """Of one set of prints: comparisons in each bin of rarity, of so many fingers."""

    fingers: int
    in_bins: tuple[int, ...]


@dataclass(frozen=True)
class FingerLikelihoods:
    """The file of the fingerprints: aggregates only.

    made_for: the false match calibration. bins: the rarity at which each begins.
    """

    made_for: str
    bins: tuple[float, ...]
    sets: dict[str, MatedCounts]

    def to_json(self) -> str:
        text = json.dumps(asdict(self), indent=1)
        return _LIST.sub(lambda found: " ".join(found[0].split()), text) + "\n"

    def table(self, without: str | None = None) -> LikelihoodTable:
        """Return the table of all sets, or of all but one.

        Raises:
            ModelError: nothing is left.
        """
        kept = [counts for name, counts in self.sets.items() if name != without]
        total = np.zeros(len(self.bins))
        for counts in kept:
            total += np.array(counts.in_bins)
        count = int(total.sum())
        if not count:
            message = f"likelihood ratios {TABLE}: no mated comparison is left"
            raise ModelError(message)
        return fitted(FINGERPRINT, HIGHEST_OF_FINGERS, total / count, count)


def table_of(kind: str) -> LikelihoodTable:
    """Return the table of a kind: FINGERPRINT, or the model of face templates.

    Raises:
        ModelError: there is none, it is damaged, or it belongs to another calibration.
    """
    if kind != FINGERPRINT:
        return of_faces(kind)
    return committed_fingers().table()


def committed_fingers() -> FingerLikelihoods:
    """Return what the package says of fingerprints.

    Raises:
        ModelError: it is missing, damaged, or belongs to another calibration.
    """
    try:
        text = files("edge.recognition.fingerprint").joinpath(TABLE).read_text("ascii")
    except (OSError, ValueError) as error:
        raise ModelError(
            f"likelihood ratios {TABLE}: missing or damaged; reinstall edge"
        ) from error
    return read_fingers(text)


def of_faces(model_id: str) -> LikelihoodTable:
    """Return the table of face templates of a model.

    Raises:
        ModelError: no calibration belongs to the model, or it is damaged.
    """
    calibration = calibration_of(model_id)
    counted_to = -math.log10(calibration.lowest_counted_rate)
    highest = counted_to + MOST_DECADES_EXTRAPOLATED
    missed = [expected_misses(calibration, 10.0**-u) for u in bins_to(highest)]
    shares = np.maximum(np.diff([0.0, *missed[1:], 1.0]), 0.0)
    return fitted(model_id, highest, shares, calibration.mated)


def of_fingers(rates: Mapping[str, Sequence[MatedRate]]) -> FingerLikelihoods:
    """Count the table of fingerprints.

    rates: by set, the finger and the false match rate of each mated comparison.

    Raises:
        InputError: fewer than FEWEST_MATED comparisons.
    """
    count = sum(map(len, rates.values()))
    if count < FEWEST_MATED:
        raise InputError(
            f"likelihood ratios: {count} mated comparisons; give at least"
            f" {FEWEST_MATED}"
        )
    sets = {
        name: MatedCounts(
            len({finger for finger, _ in items}),
            counts_in_bins(np.array([r for _, r in items]), HIGHEST_OF_FINGERS),
        )
        for name, items in rates.items()
    }
    bins = tuple(bins_to(HIGHEST_OF_FINGERS).tolist())
    return FingerLikelihoods(finger_calibration(), bins, sets)


def finger_calibration() -> str:
    """Return what identifies the false match calibration of fingerprints.

    Raises:
        ModelError: it is missing, damaged or made for another engine.
    """
    table = committed()
    numbers = [*table.scores, *table.rates, table.tail_decades]
    text = " ".join(f"{number:.9g}" for number in numbers)
    return hashlib.sha256(f"{engine_digest()} {text}".encode("ascii")).hexdigest()[:16]


def read_fingers(text: str) -> FingerLikelihoods:
    """Return what a file of fingerprints holds.

    Raises:
        ModelError: it is damaged, or belongs to another false match calibration.
    """
    try:
        data = json.loads(text)
        found = FingerLikelihoods(
            made_for=str(data["made_for"]),
            bins=tuple(map(float, data["bins"])),
            sets={
                str(name): MatedCounts(
                    int(counts["fingers"]), tuple(map(int, counts["in_bins"]))
                )
                for name, counts in data["sets"].items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"likelihood ratios {TABLE}: damaged; reinstall edge"
        ) from error
    if not all(
        len(counts.in_bins) == len(found.bins) and min(counts.in_bins) >= 0
        for counts in found.sets.values()
    ):
        message = f"likelihood ratios {TABLE}: damaged; reinstall edge"
        raise ModelError(message)
    wanted = finger_calibration()
    bins = tuple(bins_to(HIGHEST_OF_FINGERS).tolist())
    if found.made_for != wanted or found.bins != bins:
        raise ModelError(
            f"likelihood ratios {TABLE}: made for the false match calibration"
            f" {found.made_for}, not for {wanted}; run edge calibration ratios"
        )
    return found
