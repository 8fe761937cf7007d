"""The benchmark on an engine whose scores are known: prints of one grey are alike."""

import cv2
import numpy as np
import pytest

from edge.bench import finger_plot
from edge.bench.finger import FingerMethods, fvc_pairs, mean_report, measure_fingers
from edge.bench.print_folder import read_folder
from edge.errors import InputError, ModelError
from edge.terms import FingerPosition, FingerprintTemplate

UNUSABLE_GREY = 0
EMPTY_GREY = 255
BROKEN_GREY = 254


class GreyExtractor:
    """Implements Extractor: the template's width is the print's grey."""

    def extract(self, sample):
        grey = int(sample.image[0, 0])
        if grey == UNUSABLE_GREY:
            message = "nothing to see"
            raise InputError(message)
        if grey == BROKEN_GREY:
            message = "the network fails"
            raise ModelError(message)
        count = 0 if grey == EMPTY_GREY else 3
        zeros = np.zeros(count, np.int16)
        return FingerprintTemplate(
            FingerPosition.UNKNOWN,
            "grey",
            grey,
            1,
            zeros,
            zeros,
            zeros.astype(np.float32),
            zeros.astype(np.uint8),
            zeros.astype(np.uint8),
        )


METHODS = FingerMethods(
    extractor=GreyExtractor(),
    prepare=lambda template: template.width_px,
    compare=lambda a, b: 1 - abs(a - b) / 255,
    encode=lambda template: bytes(template.width_px),
)


@pytest.fixture
def prints(tmp_path):
    """Return a function that makes impressions of one grey each."""

    def make(**greys):
        for name, grey in greys.items():
            image = np.full((20, 20), grey, np.uint8)
            cv2.imwrite(str(tmp_path / f"{name.lstrip('f')}.png"), image)
        return read_folder(tmp_path)

    return make


def test_every_pair_is_counted_once(prints):
    measured = measure_fingers(
        prints(f1_1=10, f1_2=11, f1_3=12, f2_1=90, f2_2=91, f3_1=200), METHODS
    ).report()
    assert (measured["impressions"], measured["fingers"]) == (6, 3)
    assert (measured["mated"], measured["non_mated"]) == (3 + 1, 3 * 2 + 3 + 2)
    fvc = measured["fvc_protocol"]
    assert (fvc["mated"], fvc["non_mated"]) == (4, 3)
    assert measured["eer"] == fvc["eer"] == 0.0


def test_the_competitions_compare_first_impressions_of_different_fingers():
    pairs = set(zip(*fvc_pairs(["a", "a", "b", "c", "c"]), strict=True))
    assert pairs == {(0, 1), (3, 4), (0, 2), (0, 3), (2, 3)}


def test_a_print_that_cannot_be_extracted_scores_0_and_is_counted(prints):
    measured = measure_fingers(
        prints(f1_1=10, f1_2=UNUSABLE_GREY, f2_1=90, f2_2=EMPTY_GREY), METHODS
    )
    assert measured.failure_to_extract == 0.5
    assert list(measured.all_pairs.mated) == [0.0, 0.0]
    assert list(measured.all_pairs.non_mated)[:3] == [0.0] * 3
    assert measured.all_pairs.zero_fmr == 1.0


def test_a_set_of_which_nothing_can_be_extracted_is_all_errors_and_has_no_medians(
    prints,
):
    measured = measure_fingers(
        prints(f1_1=UNUSABLE_GREY, f1_2=UNUSABLE_GREY, f2_1=UNUSABLE_GREY), METHODS
    ).report()
    assert measured["failure_to_extract"] == 1.0
    assert measured["eer"] == 0.5
    assert measured["extract_ms_median"] is None
    assert measured["template_bytes_median"] is None


def test_the_result_is_the_same_for_any_number_of_threads(prints):
    impressions = prints(f1_1=10, f1_2=60, f2_1=50, f2_2=110, f3_1=70, f3_2=90)
    reports = [
        measure_fingers(impressions, METHODS, threads=threads).all_pairs.report()
        for threads in (1, 2, 5)
    ]
    assert reports[0] == reports[1] == reports[2]


def test_progress_is_told_to_the_end(prints):
    told = []

    class Listener:
        def step(self, text, done, total):
            told.append((text, done, total))

    measure_fingers(
        prints(f1_1=10, f1_2=11, f2_1=90), METHODS, threads=2, progress=Listener()
    )
    assert ("extracting", 3, 3) in told
    assert ("comparing", 3, 3) in told


@pytest.mark.parametrize("greys", [{"f1_1": 1, "f1_2": 2}, {"f1_1": 1, "f2_1": 2}])
def test_a_folder_without_mated_or_non_mated_pairs_is_refused(prints, greys):
    with pytest.raises(InputError, match="two impressions of a finger and two fing"):
        measure_fingers(prints(**greys), METHODS)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_failing_network_ends_the_benchmark(prints, threads):
    with pytest.raises(ModelError):
        measure_fingers(
            prints(f1_1=10, f1_2=BROKEN_GREY, f2_1=90), METHODS, threads=threads
        )


def test_the_mean_of_sets_sums_counts_and_averages_rates():
    reports = [
        {"mated": 2, "eer": 0.1, "fvc": {"zero_fmr": 0.0}, "ms": None},
        {"mated": 4, "eer": 0.2, "fvc": {"zero_fmr": 1.0}, "ms": 7.0},
    ]
    mean = mean_report(reports)
    assert mean.pop("eer") == pytest.approx(0.15)
    assert mean == {"mated": 6, "fvc": {"zero_fmr": 0.5}, "ms": None}


def test_the_trade_off_and_the_scores_are_drawn(prints, tmp_path):
    first = measure_fingers(prints(f1_1=10, f1_2=11, f2_1=90), METHODS)
    second = measure_fingers(prints(f3_1=UNUSABLE_GREY), METHODS)
    out = tmp_path / "drawn"
    finger_plot.draw({"first": first, "second": second}, out)
    assert cv2.imread(str(out)).shape == (552, 1344, 3)
    with pytest.raises(InputError, match="cannot be written"):
        finger_plot.draw({"first": first}, tmp_path / "absent" / "plot.png")
