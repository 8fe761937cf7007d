"""The demonstration as a visitor runs it: a process of its own, judged by its file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

import edge
from edge.simulate.broker import find_mosquitto
from edge.simulate.cast import invented_cast

# The package that the tests import: another copy would compile its kernels anew.
PACKAGE_FOLDER = Path(edge.__file__).parents[1]
ENDS_S = 240.0
TRAVELLER_KEYS = {"name", "expected", "actual", "timings_ms", "hit_id", "delivered"}
EXPECTED = {
    "T1": "refer",
    "T2": "refer",
    "T3": "clear",
    "T4": "clear",
    "T5": "refer",
    "T6": "refer",
}

pytestmark = pytest.mark.slow


def run_demo(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "edge", "demo", "--once", *map(str, arguments)],
        cwd=PACKAGE_FOLDER,
        env={**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER)},
        capture_output=True,
        text=True,
        timeout=ENDS_S,
        check=False,
    )


def assert_all_six_as_expected(result, report):
    assert result.returncode == 0, result.stdout + result.stderr
    document = json.loads(report.read_text("utf-8"))
    travellers = {t["name"]: t for t in document["travellers"]}
    assert document["ok"] is True
    assert {name: t["actual"] for name, t in travellers.items()} == EXPECTED
    assert {name: t["expected"] for name, t in travellers.items()} == EXPECTED
    for traveller in travellers.values():
        assert traveller.keys() >= TRAVELLER_KEYS
        assert traveller["problem"] is None
        assert traveller["timings_ms"]
        assert all(value >= 0 for value in traveller["timings_ms"].values())
        is_hit = traveller["expected"] == "refer"
        assert (traveller["hit_id"] is not None) is is_hit
        assert traveller["delivered"] is is_hit
    hit_ids = [t["hit_id"] for t in travellers.values() if t["hit_id"]]
    assert len(set(hit_ids)) == len(hit_ids)
    assert travellers["T4"]["attempts"] >= 2


def write_folders(folder, cast):
    fingers, faces = folder / "fingers", folder / "faces"
    fingers.mkdir()
    faces.mkdir()
    for person, member in enumerate(cast, start=1):
        prints = [*member.finger_enrolled, *member.finger_presented]
        for number, image in enumerate(prints, start=1):
            assert cv2.imwrite(str(fingers / f"p{person}_{number}.png"), image)
        frames = [*member.face_enrolled, *member.face_presented]
        for number, image in enumerate(frames, start=1):
            frame = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
            assert cv2.imwrite(str(faces / f"p{person}_{number}.png"), frame)
    return fingers, faces


def test_all_six_travellers_go_as_expected_with_mosquitto(tmp_path):
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    result = run_demo("--json", tmp_path / "demo.json")
    assert_all_six_as_expected(result, tmp_path / "demo.json")
    assert "broker: mosquitto" in result.stdout


def test_all_six_travellers_go_as_expected_with_the_embedded_broker(tmp_path):
    result = run_demo("--broker", "amqtt", "--json", tmp_path / "demo.json")
    assert_all_six_as_expected(result, tmp_path / "demo.json")
    assert "broker: amqtt" in result.stdout


def test_the_demo_plays_persons_from_folders_of_images(tmp_path):
    fingers, faces = write_folders(tmp_path, invented_cast())
    report = tmp_path / "demo.json"
    result = run_demo("--fingers", fingers, "--faces", faces, "--json", report)
    assert_all_six_as_expected(result, report)


@pytest.mark.shared
def test_the_demo_plays_real_prints_and_faces(tmp_path, shared_folder):
    fingers = shared_folder / "data/fingerprints/fvc2002_db1_b"
    faces = shared_folder / "data/faces/orl"
    report = tmp_path / "demo.json"
    result = run_demo("--fingers", fingers, "--faces", faces, "--json", report)
    assert_all_six_as_expected(result, report)


@pytest.mark.parametrize("option", ["--fingers", "--faces"])
def test_a_folder_with_too_few_persons_is_refused_in_one_line(tmp_path, option):
    folders = dict(
        zip(
            ["--fingers", "--faces"],
            write_folders(tmp_path, invented_cast()[:2]),
            strict=True,
        )
    )
    report = tmp_path / "demo.json"
    result = run_demo(option, folders[option], "--json", report)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"edge: {folders[option]}: needs 6 persons")
    assert "found 2" in result.stderr
    assert not report.exists()


def test_a_folder_that_is_not_there_is_refused_in_one_line(tmp_path):
    result = run_demo("--fingers", tmp_path / "nowhere")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert str(tmp_path / "nowhere") in result.stderr
    assert "no such folder" in result.stderr
