"""Invented fingers beside real ones: are their templates and their scores alike?

A false match rate measured on invented templates means something only as far as the
scores of invented non-mated pairs are those of real ones.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.bench import plotting
from edge.bench.print_folder import read_folder
from edge.bench.template_statistics import DISTANCES_PX, PERCENTS, describe
from edge.errors import InputError
from edge.recognition.fingerprint.comparison import compare, prepare
from edge.recognition.fingerprint.image import RESOLUTION_PPI
from edge.simulate.fingers import SyntheticFinger
from edge.simulate.template_gallery import generate, impression
from edge.terms import FingerPosition, FingerprintSample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from edge.ports import FingerprintRecognition
    from edge.terms import FingerprintTemplate

    # The impressions of each finger of one set.
    PrintSet = Sequence[Sequence[FingerprintTemplate]]

RATES = (1e-1, 1e-2, 1e-3, 1e-4)
# A rate is told only where at least this many pairs lie beyond it.
_FEWEST_BEYOND = 3
_TAIL_POINTS = 200


@dataclass(frozen=True, eq=False)
class SetScores:
    mated: NDArray[np.float64]
    non_mated: NDArray[np.float64]


def invented_sets(
    seed: int, sets: int = 10, *, fingers: int = 10, impressions: int = 8
) -> list[list[list[FingerprintTemplate]]]:
    """Return sets of invented templates of the shape that small collections have."""
    columns = generate(seed, sets * fingers)
    rng = np.random.default_rng([seed, 1])
    first = [columns.template(i) for i in range(sets * fingers)]
    prints = [
        [template, *(impression(template, rng) for _ in range(impressions - 1))]
        for template in first
    ]
    return [prints[i : i + fingers] for i in range(0, len(prints), fingers)]


def rendered_set(
    recognition: FingerprintRecognition,
    first_seed: int,
    *,
    fingers: int = 10,
    impressions: int = 8,
) -> list[list[FingerprintTemplate]]:
    """Return what the extractor finds in images of invented fingers.

    Raises:
        ModelError: the network fails.
    """
    return [
        [
            recognition.extract(_sample(finger.impression(number)))
            for number in range(impressions)
        ]
        for finger in map(SyntheticFinger, range(first_seed, first_seed + fingers))
    ]


def extracted_set(
    recognition: FingerprintRecognition, folder: Path, ppi: float = RESOLUTION_PPI
) -> list[list[FingerprintTemplate]]:
    """Return what the extractor finds in a folder of prints, by finger.

    Raises:
        InputError: the folder or an image in it cannot be used.
        ModelError: the network fails.
    """
    fingers: dict[str, list[FingerprintTemplate]] = {}
    for one in read_folder(folder, ppi):
        found = recognition.extract(one.sample())
        fingers.setdefault(one.finger, []).append(found)
    return list(fingers.values())


def measure(
    real: Sequence[PrintSet], generated: Sequence[PrintSet]
) -> dict[str, dict[str, object]]:
    """Describe both sides, ready for JSON, and say how their scores agree.

    Pairs are made within each set only: sets may share fingers.

    Raises:
        InputError: a side has no mated or no non-mated pair.
    """
    sides = {"real": real, "generated": generated}
    scores = {name: [_scores(one) for one in side] for name, side in sides.items()}
    measured: dict[str, dict[str, object]] = {}
    for name, side in sides.items():
        templates = [t for one in side for finger in one for t in finger]
        measured[name] = {
            **describe(templates).to_dict(),
            **_score_figures(name, scores[name]),
        }
    measured["agreement"] = _agreement(scores["real"], scores["generated"])
    return measured


def _sample(image: NDArray[np.uint8]) -> FingerprintSample:
    return FingerprintSample(
        image=image,
        resolution_ppi=RESOLUTION_PPI,
        position=FingerPosition.UNKNOWN,
        captured_at=datetime.fromtimestamp(0, UTC),
    )


def _scores(one: PrintSet) -> SetScores:
    prepared = [
        (number, prepare(template))
        for number, finger in enumerate(one)
        for template in finger
    ]
    mated: list[float] = []
    non_mated: list[float] = []
    for (finger_a, a), (finger_b, b) in itertools.combinations(prepared, 2):
        (mated if finger_a == finger_b else non_mated).append(compare(a, b))
    return SetScores(np.array(mated), np.array(non_mated))


def _score_figures(name: str, scores: Sequence[SetScores]) -> dict[str, object]:
    """tail: the pooled non-mated scores' highest; tail_of_sets: least, median, most."""
    mated, non_mated = _pooled(scores)
    if not len(mated) or not len(non_mated):
        raise InputError(
            f"{name} prints: no mated or no non-mated pair; give sets of at least two "
            "fingers with two impressions"
        )
    places = np.linspace(0, 100, _TAIL_POINTS + 1)
    of_sets = {
        str(rate): [_at_rate(s.non_mated, rate) for s in scores] for rate in RATES
    }
    return {
        "mated_pairs": len(mated),
        "mated_scores": _rounded(np.percentile(mated, PERCENTS)),
        "mated_curve": _rounded(np.percentile(mated, places)),
        "non_mated_pairs": len(non_mated),
        "score_at_rate": {str(rate): _at_rate(non_mated, rate) for rate in RATES},
        "score_at_rate_of_sets": {
            rate: _rounded(
                np.percentile([v for v in values if v is not None], (0, 50, 100))
            )
            for rate, values in of_sets.items()
            if None not in values
        },
        "tail": _tail(non_mated),
    }


def _agreement(
    real: Sequence[SetScores], generated: Sequence[SetScores]
) -> dict[str, object]:
    """At the score where real pairs have a rate: the rate that generated pairs have."""
    _, real_scores = _pooled(real)
    _, invented = _pooled(generated)
    rates: dict[str, float] = {}
    for rate in RATES:
        score = _at_rate(real_scores, rate)
        if score is not None:
            rates[str(rate)] = float((invented >= score).mean())
    return {"generated_rate_at_real_rate": rates}


def _pooled(
    scores: Sequence[SetScores],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    none = np.zeros(0)
    return (
        np.concatenate([none, *(s.mated for s in scores)]),
        np.concatenate([none, *(s.non_mated for s in scores)]),
    )


def _at_rate(scores: NDArray[np.float64], rate: float) -> float | None:
    beyond = int(rate * len(scores))
    if beyond < _FEWEST_BEYOND:
        return None
    return round(float(np.sort(scores)[::-1][beyond - 1]), 6)


def _tail(scores: NDArray[np.float64]) -> dict[str, list[float]]:
    """Return scores and the share of pairs that reach them, evenly on a log scale."""
    falling = np.sort(scores)[::-1]
    count = len(falling)
    ranks = np.unique(np.geomspace(1, count, _TAIL_POINTS).astype(np.int64))
    return {
        "scores": _rounded(falling[ranks - 1]),
        "rates": [float(rank / count) for rank in ranks],
    }


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 6) for value in values]


def plot(measured: Mapping[str, Mapping[str, object]], out: Path) -> None:
    """Draw what measure returned as a PNG.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    figure, axes = plotting.panels(6, "Invented templates beside real ones")
    middles = [(a + b) / 2 for a, b in itertools.pairwise(DISTANCES_PX)]
    for name, colour in (("real", "tab:blue"), ("generated", "tab:orange")):
        side: Mapping[str, Any] = measured[name]
        style: dict[str, Any] = {
            "label": name,
            "color": colour,
            "marker": ".",
            "linewidth": 1.2,
        }
        axes[0].plot(side["counts"], PERCENTS, **style)
        axes[1].plot(middles, side["spacing"], **style)
        axes[2].plot(middles, side["turn_rad"], **style)
        axes[2].plot(middles, side["same_direction"], **{**style, "linestyle": ":"})
        axes[3].plot(side["quality"], PERCENTS, **style)
        axes[4].plot(side["tail"]["scores"], side["tail"]["rates"], **style)
        shares = np.linspace(0, 100, len(side["mated_curve"]))
        axes[5].plot(side["mated_curve"], shares, **style)
    _label(axes)
    plotting.write(figure, out)


def _label(axes: Sequence[Axes]) -> None:
    texts = (
        ("Minutiae of a template", "minutiae", "templates below, %"),
        ("Pair correlation", "distance, px", "pairs, as multiple of even"),
        ("Turn (line), pointing alike (dots)", "distance, px", "radians; share"),
        ("Quality of minutiae", "quality", "minutiae below, %"),
        ("Non-mated pairs", "score", "share that reaches it"),
        ("Mated pairs", "score", "pairs below, %"),
    )
    for panel, (title, across, up) in zip(axes, texts, strict=True):
        panel.set(title=title, xlabel=across, ylabel=up)
        panel.legend(fontsize="small")
    axes[4].set(yscale="log")
