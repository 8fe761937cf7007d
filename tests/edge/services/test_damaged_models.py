"""Networks that were cut, changed or swapped: one clear line wherever they are met."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from edge.cli.models import models as models_command
from edge.config import parse_config
from edge.errors import ModelError
from edge.models.store import ModelStore
from edge.recognition.face.face_sets import MTCNN_IDS
from edge.services import device_checks, wiring
from edge.services.findings import Status

DAMAGED, OTHER = MTCNN_IDS[:2]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    store = ModelStore(folder)
    for name in MTCNN_IDS:
        store.prepare(name)
    return folder


@pytest.fixture
def models(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "models")


def cut(folder):
    path = folder / f"{DAMAGED}.onnx"
    path.write_bytes(path.read_bytes()[:1000])


def flip_a_bit(folder):
    path = folder / f"{DAMAGED}.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def empty(folder):
    (folder / f"{DAMAGED}.onnx").write_bytes(b"")


def swap(folder):
    shutil.copy(folder / f"{OTHER}.onnx", folder / f"{DAMAGED}.onnx")


DAMAGES = pytest.mark.parametrize("damage", [cut, flip_a_bit, empty, swap])


def config_of(folder):
    return parse_config(f'models.cache_dir = "{folder}"', origin="test")


@DAMAGES
def test_the_engine_does_not_start_with_a_damaged_network(models, damage):
    damage(models)
    with pytest.raises(ModelError) as caught:
        wiring.face_engine(config_of(models))
    text = str(caught.value)
    assert "\n" not in text
    assert str(models / f"{DAMAGED}.onnx") in text
    assert "run: edge models prepare" in text


@DAMAGES
def test_the_doctor_and_verify_name_the_network_and_what_to_do(models, damage):
    damage(models)
    found = {f.subject: f for f in device_checks.check_models(ModelStore(models))}
    bad = found[f"model {DAMAGED}"]
    assert bad.status is Status.FAILED
    assert "run: edge models prepare" in bad.text
    assert found[f"model {OTHER}"].status is Status.OK
    path = models / "edge.toml"
    path.write_text(f'models.cache_dir = "{models}"')
    reply = CliRunner().invoke(models_command, ["verify", "--config", str(path)])
    assert reply.exit_code == 1
    assert DAMAGED in reply.output


@DAMAGES
def test_preparing_again_mends_it(models, damage):
    damage(models)
    store = ModelStore(models)
    store.prepare(DAMAGED)
    assert store.path(DAMAGED).exists()


def test_a_network_that_was_swapped_with_its_manifest_is_made_anew(models):
    right = (models / f"{DAMAGED}.onnx").read_bytes()
    for suffix in ("onnx", "json"):
        shutil.copy(models / f"{OTHER}.{suffix}", models / f"{DAMAGED}.{suffix}")
    assert ModelStore(models).path(DAMAGED).read_bytes() == right


def test_a_booth_goes_on_without_the_networks_that_judge_presentations(models):
    for name in ("minifasnet-v2", "minifasnet-v1se"):
        shutil.copy(models / f"{OTHER}.onnx", models / f"{name}.onnx")
        shutil.copy(models / f"{OTHER}.json", models / f"{name}.json")
    told = []
    assert wiring.presentation_detector(config_of(models), told.append) is None
    assert len(told) == 1
    assert "minifasnet-v2" in told[0]


def test_where_policy_wants_no_judgement_no_network_is_asked_for(tmp_path):
    text = f'models.cache_dir = "{tmp_path}"\npolicy.presentation_attack = "off"'
    config = parse_config(text, origin="test")
    assert wiring.presentation_detector(config, pytest.fail) is None
