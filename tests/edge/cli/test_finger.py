"""edge finger and edge models, on files."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.cli.finger import finger
from edge.cli.models import models
from edge.errors import InputError


@pytest.fixture
def configuration(tmp_path):
    path = tmp_path / "edge.toml"
    path.write_text(f'[models]\ncache_dir = "{tmp_path / "models"}"\n')
    return str(path)


@pytest.fixture
def image(tmp_path):
    y, x = np.indices((192, 192), np.float64)
    phase = np.hypot(x - 96, y - 96) * 0.7 + np.arctan2(y - 60, x - 60)
    path = tmp_path / "print.png"
    cv2.imwrite(str(path), (127 + 100 * np.cos(phase)).astype(np.uint8))
    return str(path)


def test_models_are_listed_prepared_and_verified(configuration):
    runner = CliRunner()
    options = ["--config", configuration, "--json"]
    assert runner.invoke(models, ["verify", *options]).exit_code == 1
    assert runner.invoke(models, ["prepare", *options]).exit_code == 0
    assert runner.invoke(models, ["verify", *options]).exit_code == 0
    listed = json.loads(runner.invoke(models, ["list", *options]).stdout)
    states = {model["state"]: model["optional"] for model in listed}
    assert states == {"ready": False, "not fetched": True}


def test_a_print_is_extracted_compared_and_drawn(configuration, image, tmp_path):
    runner = CliRunner()
    options = ["--config", configuration]
    extracted = runner.invoke(finger, ["extract", image, "--json", *options])
    assert json.loads(extracted.stdout)["width_px"] == 192
    compared = runner.invoke(finger, ["compare", image, image, "--json", *options])
    assert 0 < json.loads(compared.stdout)["false_match_rate"] <= 1
    out = tmp_path / "drawn.png"
    runner.invoke(finger, ["draw", image, "--out", str(out), *options])
    assert cv2.imread(str(out)).shape == (192, 192, 3)


def test_a_wrong_resolution_is_refused_with_the_file(configuration, image):
    arguments = ["extract", image, "--ppi", "72", "--config", configuration]
    result = CliRunner().invoke(finger, arguments)
    assert isinstance(result.exception, InputError)
    assert image in str(result.exception)
