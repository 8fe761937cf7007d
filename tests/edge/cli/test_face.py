"""edge face on drawn faces."""

from __future__ import annotations

import json

import cv2
import pytest
from click.testing import CliRunner

from edge.cli.face import face
from edge.errors import InputError
from edge.simulate.faces import demo_faces, empty_scene


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    person = demo_faces(1)[0]
    images = {"a": person.frame(0), "b": person.frame(1), "empty": empty_scene()}
    for name, image in images.items():
        cv2.imwrite(str(folder / f"{name}.png"), image[:, :, ::-1])
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("config")
    path = folder / "edge.toml"
    path.write_text(f'[models]\ncache_dir = "{folder / "models"}"\n')
    return path


@pytest.fixture
def run(config):
    def call(command, *arguments):
        options = ["--config", str(config), *map(str, arguments)]
        result = CliRunner().invoke(face, [command, *options], catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    return call


def test_detect_prints_the_faces_and_draws_them(run, pictures, tmp_path):
    out = tmp_path / "drawn.png"
    found = json.loads(run("detect", pictures / "a.png", "--json", "--out", out))
    assert len(found["faces"]) == 1
    assert len(found["faces"][0]["points"]) == 5
    assert found["quality"]["sufficient"]
    assert cv2.imread(str(out)) is not None


def test_detect_says_why_an_image_is_not_usable(run, pictures):
    output = run("detect", pictures / "empty.png")
    assert "0 faces" in output
    assert "no face" in output


def test_compare_states_the_false_match_rate(run, pictures):
    result = json.loads(
        run("compare", pictures / "a.png", pictures / "b.png", "--json")
    )
    assert result["match"]
    assert result["false_match_rate"] <= result["max_false_match_rate"]
    output = run("compare", pictures / "a.png", pictures / "b.png")
    assert output.startswith("possible match: one false match in")


def test_compare_refuses_an_image_without_a_face(run, pictures):
    with pytest.raises(InputError, match="no face found"):
        run("compare", pictures / "a.png", pictures / "empty.png")


def test_detect_refuses_an_output_that_is_no_image_format(run, pictures, tmp_path):
    with pytest.raises(InputError, match="png"):
        run("detect", pictures / "a.png", "--out", tmp_path / "drawn.xyz")
