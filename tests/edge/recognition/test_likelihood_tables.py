import json

import pytest

from edge.errors import InputError, ModelError
from edge.recognition.face.face_sets import face_set
from edge.recognition.likelihood_tables import (
    FINGERPRINT,
    committed_fingers,
    of_fingers,
    read_fingers,
    table_of,
)

FACES = [face_set(name).template_id for name in ("default", "better")]


@pytest.mark.parametrize("kind", [FINGERPRINT, *FACES])
def test_every_kind_speaks_for_and_against(kind):
    table = table_of(kind)
    assert table.log_ratio(1.0) < -1
    assert table.log_ratio(1e-9) > 6


def test_a_face_says_no_more_beyond_what_can_be_extrapolated():
    table = table_of(FACES[0])
    assert table.log_ratio(1e-12) == table.log_ratio(1e-8)


def test_faces_without_a_calibration_are_refused():
    with pytest.raises(ModelError, match="no calibration"):
        table_of("unknown")


def test_a_set_can_be_left_out():
    file = committed_fingers()
    for name, counts in file.sets.items():
        others = file.table(without=name)
        assert sum(counts.in_bins) == 280
        assert others.log_ratios != file.table().log_ratios
    one = type(file)(file.made_for, file.bins, {"a": next(iter(file.sets.values()))})
    with pytest.raises(ModelError, match="no mated comparison"):
        one.table(without="a")


def test_what_is_written_can_be_read():
    file = committed_fingers()
    assert read_fingers(file.to_json()) == file


def damaged(**changes):
    data = json.loads(committed_fingers().to_json())
    return json.dumps(data | changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "damaged"),
        (damaged(sets=None), "damaged"),
        (damaged(sets={"a": {"fingers": 1, "in_bins": [1]}}), "damaged"),
        (damaged(made_for="another"), "run edge calibration ratios"),
        (damaged(bins=[0.0] * 23), "run edge calibration ratios"),
    ],
)
def test_a_file_that_is_damaged_or_of_another_calibration_is_refused(text, words):
    with pytest.raises(ModelError, match=words):
        read_fingers(text)


def test_few_mates_make_no_table():
    with pytest.raises(InputError, match="at least 100"):
        of_fingers({"a": [("1", 1e-9)] * 99})
    file = of_fingers({"a": [("1", 1e-9)] * 90, "b": [("1", 1e-3)] * 10})
    assert file.sets["a"].in_bins[-1] == 90
