import cv2
import numpy as np
import pytest

from edge.bench.print_folder import read_folder
from edge.errors import InputError


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "prints"
    path.mkdir()
    return path


def write(folder, *names):
    for name in names:
        cv2.imwrite(str(folder / name), np.full((40, 30), 128, np.uint8))


def test_prints_come_by_finger_in_natural_order(folder):
    write(folder, "101_10.png", "101_2.bmp", "9_1.tif", "left_index_1.png")
    found = [(item.finger, item.path.name) for item in read_folder(folder)]
    assert found == [
        ("9", "9_1.tif"),
        ("101", "101_2.bmp"),
        ("101", "101_10.png"),
        ("left_index", "left_index_1.png"),
    ]


def test_other_files_and_hidden_ones_are_left_out(folder):
    write(folder, "1_1.png", ".hidden_1.png")
    (folder / "readme.txt").write_text("these are prints")
    assert [item.path.name for item in read_folder(folder)] == ["1_1.png"]


def test_a_sample_has_the_resolution_of_its_folder(folder):
    write(folder, "1_1.png")
    [impression] = read_folder(folder, 569)
    sample = impression.sample()
    assert sample.resolution_ppi == 569
    assert sample.image.shape == (40, 30)


@pytest.mark.parametrize("name", ["101.png", "_1.png", "101_.png"])
def test_a_wrong_name_is_refused_with_the_right_form(folder, name):
    write(folder, "1_1.png", name)
    with pytest.raises(InputError, match=rf"{name}: name it <finger>_<impression>"):
        read_folder(folder)


def test_the_same_impression_in_two_formats_is_refused(folder):
    write(folder, "1_1.png", "1_1.bmp")
    with pytest.raises(InputError, match=r"1_1\.png: 1_1\.bmp is the same impression"):
        read_folder(folder)


def test_a_folder_without_prints_is_refused(folder):
    with pytest.raises(InputError, match="no prints; give files <finger>"):
        read_folder(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="absent: cannot be read"):
        read_folder(tmp_path / "absent")


def test_an_unusable_file_is_refused_by_name_when_it_is_read(folder):
    (folder / "1_1.png").write_bytes(b"not an image")
    (folder / "1_2.png").mkdir()
    for impression in read_folder(folder):
        with pytest.raises(InputError, match=impression.path.name):
            impression.sample()


def test_a_wrong_resolution_is_refused_with_the_file(folder):
    write(folder, "1_1.png")
    [impression] = read_folder(folder, 72)
    with pytest.raises(InputError, match=r"1_1\.png: .*wrong resolution 72 ppi"):
        impression.sample()
