"""The face benchmark, on an engine whose faces are known."""

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.bench import face_plot
from edge.bench.face import FAILED_SCORE, in_frame, measure_faces
from edge.bench.face_folder import read_face_folder
from edge.bench.identification import divide, identification_report
from edge.cli.main import edge
from edge.errors import InputError
from edge.recognition.face.comparison import similarity_matrix
from edge.recognition.face.detection import Face
from edge.simulate.faces import demo_faces
from edge.terms import FaceTemplate


class Painted:
    """Sees in the first pixel which person an image shows; 255: nobody."""

    def detect(self, image):
        face = self.central_face(image)
        return [] if face is None else [face]

    def central_face(self, image):
        if image[0, 0, 0] == 255:
            return None
        return Face(np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 1.0)

    def embed(self, image, face):
        del face
        vector = np.full(8, 0.1, np.float32)
        vector[image[0, 0, 0] % 8] = 1 + image[0, 0, 1] / 100
        return FaceTemplate("painted", vector)

    def scores(self, vectors):
        return similarity_matrix(vectors)


def write(folder, person, number, seen=None):
    image = np.full((20, 30, 3), person, np.uint8)
    image[0, 0] = (0, number, person if seen is None else seen)  # BGR
    cv2.imwrite(str(folder / f"p{person}_{number}.png"), image)


@pytest.fixture
def folder(tmp_path):
    for person in range(4):
        for number in range(3):
            write(tmp_path, person, number)
    for person in (5, 6, 7):
        write(tmp_path, person, 0)
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_persons_that_are_apart_are_told_apart(folder):
    report = measure_faces(read_face_folder(folder), Painted()).report()
    assert (report["images"], report["persons"]) == (15, 7)
    assert (report["mated"], report["eer"], report["failure_to_detect"]) == (12, 0, 0)
    assert set(report["fnmr_at_fmr"]) == {"1e-2", "1e-3", "1e-4", "1e-5"}
    assert (report["listed"], report["probes"], report["strangers"]) == (4, 8, 3)
    assert report["rank1"] == 1
    assert report["fnir_at_fpir"] == {"1e-1": None, "1e-2": None}


def test_an_image_without_a_face_matches_nobody(folder):
    write(folder, 0, 1, seen=255)
    measured = measure_faces(read_face_folder(folder), Painted())
    assert measured.report()["failure_to_detect"] == pytest.approx(1 / 15)
    assert measured.report()["without_face"] == ["p0_1.png"]
    assert (measured.pairs.mated == FAILED_SCORE).sum() == 2
    assert measured.report()["rank1"] == pytest.approx(7 / 8)


def test_without_persons_of_one_image_every_other_person_is_a_stranger():
    division = divide([f"p{i // 3}" for i in range(12)])
    assert division.references.tolist() == [0, 6]
    assert division.probes.tolist() == [1, 2, 7, 8]
    assert division.strangers.tolist() == [3, 4, 5, 9, 10, 11]


def test_misses_are_counted_at_the_threshold_of_the_strangers():
    persons = ["a", "a", "b", "b"] + [f"s{i}" for i in range(100)]
    scores = np.zeros((104, 104))
    scores[1, 0], scores[3, 2] = 0.5, 0.95  # the probes' own references
    scores[4:, 0] = np.linspace(0, 0.9, 100)
    report = identification_report(scores, persons)
    # One stranger in a hundred may reach the threshold: it lies at the second highest.
    assert report["fnir_at_fpir"]["1e-2"] == 0.5
    assert report["fnir_at_fpir"]["1e-1"] == 0.5
    assert report["rank1"] == 1.0


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([], "0 images"),
        (["a_1.png", "b_1.png"], "one with two images"),
        (["a.png", "b_1.png"], "name it"),
        (["a_.png", "b_1.png"], "name it"),
    ],
)
def test_a_folder_that_gives_no_error_rates_is_refused(tmp_path, names, complaint):
    for name in names:
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(InputError, match=complaint):
        read_face_folder(tmp_path)


@pytest.mark.parametrize("shape", [(20, 30), (480, 640), (900, 100), (1000, 1000)])
def test_an_image_lies_in_the_middle_of_the_frame(shape):
    image = np.random.default_rng(1).integers(0, 255, (*shape, 3)).astype(np.uint8)
    frame = in_frame(image)
    assert frame.shape == (480, 640, 3)
    assert (frame[240, 320] == image[shape[0] // 2, shape[1] // 2]).all()


def test_the_command_measures_drawn_faces(tmp_path):
    images = tmp_path / "faces"
    images.mkdir()
    for number, face in enumerate(demo_faces(3)):
        for i in range(2):
            frame = cv2.cvtColor(face.frame(i), cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(images / f"p{number}_{i}.png"), frame)
    out = tmp_path / "face.json"
    options = ["--data", str(images), "--json", str(out), "--threads", "1"]
    result = CliRunner().invoke(edge, ["bench", "face", *options])
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    assert report["eer"] == 0
    assert report["detect_ms_median"] > 0
    assert report["embed_ms_median"] > 0


def test_what_was_measured_is_drawn(folder, tmp_path):
    measured = measure_faces(read_face_folder(folder), Painted())
    face_plot.draw(measured, tmp_path / "face.png")
    assert (tmp_path / "face.png").stat().st_size > 1000
