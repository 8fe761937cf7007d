"""The benchmark on prints of one grey each: what is judged and compared is known."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.bench import quality_plot
from edge.bench.finger import FingerMethods
from edge.bench.print_folder import read_folder
from edge.bench.quality import QualityMethods, measure_quality
from edge.bench.quality_labels import LabelledPrint
from edge.errors import InputError
from edge.terms import FingerPosition, FingerprintTemplate


class GreyExtractor:
    """Implements Extractor: the template's width is the print's grey; 0 is refused."""

    def extract(self, sample):
        grey = int(sample.image[0, 0])
        if grey == 0:
            message = "nothing to see"
            raise InputError(message)
        one = np.ones(1, np.uint8)
        return FingerprintTemplate(
            FingerPosition.UNKNOWN, "grey", grey, 1, one, one, one, one, one
        )


METHODS = QualityMethods(
    preview=lambda sample: float(sample.image[0, 0]),
    assess=lambda sample: 255 - float(sample.image[0, 0]),
    comparison=FingerMethods(
        extractor=GreyExtractor(),
        prepare=lambda template: template.width_px,
        compare=lambda a, b: 1 - abs(a - b) / 255,
        encode=lambda template: bytes(template.width_px),
    ),
)


@pytest.fixture
def labelled(tmp_path):
    def make(name, greys, labels):
        folder = tmp_path / name
        folder.mkdir()
        for i, grey in enumerate(greys):
            image = np.full((20, 20), grey, np.uint8)
            cv2.imwrite(str(folder / f"{i // 2}_{i % 2}.png"), image)
        prints = read_folder(folder)
        return [LabelledPrint(p, q) for p, q in zip(prints, labels, strict=True)]

    return make


def test_each_quality_is_ranked_beside_the_label_per_set_and_over_all(labelled):
    sets = {
        "up": labelled("up", [10, 20, 30, 40], [1, 2, 3, 4]),
        "down": labelled("down", [10, 20, 30, 40], [9, 8, 7, 6]),
    }
    report = measure_quality(sets, METHODS, threads=2).report()
    assert report["images"] == 8
    assert report["spearman_per_set"] == pytest.approx({"up": 1, "down": -1})
    turned = report["with_minutiae"]["spearman_per_set"]
    assert turned == pytest.approx({"up": -1, "down": 1})
    assert report["spearman"] == pytest.approx(-report["with_minutiae"]["spearman"])
    assert report["ms_median"] > 0


def test_a_set_of_one_quality_has_no_correlation(labelled):
    report = measure_quality({"s": labelled("s", [9] * 4, [1, 2, 3, 4])}, METHODS)
    assert report.report()["spearman_per_set"] == {"s": None}


def test_dropping_the_poorest_pairs_drops_the_errors_that_they_cause(labelled):
    # Five fingers; only finger 0 fails, and its quality is the poorest.
    greys = [0, 50, 100, 101, 140, 141, 180, 181, 220, 221]
    measured = measure_quality({"s": labelled("s", greys, range(10))}, METHODS)
    points = {p.discarded: p.fnmr for p in measured.discard_points("preview")}
    assert points[0.0] == pytest.approx(1 / 5)
    assert points[0.2] == pytest.approx(0)
    report = measured.report()["error_versus_discard"]
    assert report["points"][0] == {"discarded": 0.0, "fnmr": points[0.0]}


def test_without_pairs_there_is_nothing_to_discard(labelled, tmp_path):
    measured = measure_quality({"s": labelled("s", [9, 10], [1, 2])}, METHODS)
    assert measured.report()["error_versus_discard"] is None
    quality_plot.draw(measured, tmp_path / "plot.png")


def test_no_prints_are_refused():
    with pytest.raises(InputError, match="no labelled prints"):
        measure_quality({}, METHODS)


def test_ranks_and_discards_are_drawn(labelled, tmp_path):
    sets = {"s": labelled("s", [0, 50, 200, 210, 60, 70], range(6))}
    out = Path(tmp_path / "plot.png")
    quality_plot.draw(measure_quality(sets, METHODS), out)
    assert cv2.imread(str(out)).shape == (552, 1344, 3)
