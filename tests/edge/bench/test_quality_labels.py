import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.bench.quality_labels import Label, labelled_sets, read_labels
from edge.errors import InputError

HEAD = "set,image,ppi_given,nfiq2\n"
LABELS = {
    "optical": {"1_1.png": Label(500, 60), "1_2.png": Label(500, 30)},
    "large": {"1_1.png": Label(569, 10)},
}


@pytest.fixture
def labels_file(tmp_path):
    def write(text):
        path = tmp_path / "labels.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def sets(tmp_path):
    for folder, names in (
        ("optical", ["1_1", "1_2", "1_3"]),
        ("large", ["1_1"]),
        ("unknown", ["1_1"]),
    ):
        (tmp_path / folder).mkdir()
        for name in names:
            image = np.zeros((20, 20), np.uint8)
            cv2.imwrite(str(tmp_path / folder / f"{name}.png"), image)
    return tmp_path


def test_labels_are_read_by_set_and_image(labels_file):
    path = labels_file(
        "image,more,set,ppi_given,nfiq2\n"
        "1_1.png,x,optical,500.0,60\n1_2.png,y,optical,500,30\n1_1.png,,large,569,10\n"
    )
    assert read_labels(path) == LABELS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no column set, image, ppi_given, nfiq2"),
        ("set,image,quality\n", "no column ppi_given, nfiq2"),
        (HEAD, "no labels"),
        (HEAD + "a,1_1.png,500\n", "line 2: ppi_given and nfiq2 must be numbers"),
        (HEAD + "a,1_1.png,500,good\n", "line 2: ppi_given and nfiq2 must be num"),
        (HEAD + "a,1_1.png,500,255\n", "line 2: nfiq2 255 of 500 ppi"),
        (HEAD + "a,1_1.png,nan,5\n", "line 2: nfiq2 5 of nan ppi"),
        (HEAD + "a,1_1.png,500,5\n" * 2, "line 3: '1_1.png' has a label already"),
        (b"\xff\xfe\x00", "no CSV file"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(labels_file, text, expected):
    with pytest.raises(InputError, match=expected) as caught:
        read_labels(labels_file(text))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_labels(tmp_path / "absent.csv")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text('a,1"\n.\0', max_size=80)))
def test_any_bytes_are_labels_or_refused(labels_file, tail):
    tail = tail if isinstance(tail, bytes) else tail.encode()
    try:
        read_labels(labels_file(HEAD.encode() + tail))
    except InputError:
        return


def test_a_folder_of_sets_gives_each_that_is_labelled(sets):
    found = labelled_sets([sets], LABELS)
    assert sorted(found) == ["large", "optical"]
    [large] = found["large"]
    assert (large.impression.ppi, large.label) == (569, 10)
    # 1_3 has no label.
    assert [item.label for item in found["optical"]] == [60, 30]


def test_a_set_may_be_given_itself(sets):
    assert sorted(labelled_sets([sets / "optical"], LABELS)) == ["optical"]


def test_a_set_that_is_given_twice_is_refused(sets):
    with pytest.raises(InputError, match="the set optical is given twice"):
        labelled_sets([sets, sets / "optical"], LABELS)


def test_a_folder_without_a_labelled_set_is_refused(sets):
    with pytest.raises(InputError, match="neither a labelled set nor a folder"):
        labelled_sets([sets / "unknown"], LABELS)


def test_a_labelled_print_that_is_not_there_is_refused(sets):
    (sets / "optical" / "1_2.png").unlink()
    with pytest.raises(InputError, match=r"'1_2\.png' has a label but is not there"):
        labelled_sets([sets], LABELS)
