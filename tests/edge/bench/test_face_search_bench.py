"""The benchmark of the search of face vectors."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.bench import face_search, face_search_plot
from edge.bench.face_search import drawn_probes, drawn_vectors, measure_face_search
from edge.bench.memory_read import memory_read_gb_per_s
from edge.cli.bench_face_search import face_search as command
from edge.errors import InputError

READ_BYTES = 1 << 20


@pytest.fixture(scope="module")
def measured():
    return measure_face_search(
        *(3000, 32), threads=(1, 2), searches=30, read_bytes=READ_BYTES
    )


def test_what_is_found_is_what_float64_finds(measured):
    assert measured.is_exact
    assert measured.recall == 1.0


def test_the_report_holds_all_that_was_asked(measured):
    report = json.loads(json.dumps(measured.report(), allow_nan=False))
    assert (report["vectors"], report["dim"]) == (3000, 32)
    for name in ("latency_ms", "gb_per_s", "memory_read_gb_per_s"):
        assert set(report[name]) == {"1", "2"}
    assert set(report["latency_ms"]["1"]) >= {"median", "p95"}
    assert report["engine"]
    assert report["is_exact"] is True
    assert report["bytes_per_vector"] > 5 * 32
    assert report["patch_ms"]["median"] > 0


def test_a_wrong_search_is_told(monkeypatch):
    def wrong(searched, probe, count, engine):
        rows, distances = right(searched, probe, count, engine)
        return rows + 1, distances

    right = face_search.nearest
    monkeypatch.setattr(face_search, "nearest", wrong)
    vectors = drawn_vectors(np.random.default_rng(1), 100, 16)
    searched = face_search._searched(vectors)
    recall, is_exact = face_search._checked(searched, vectors[:3], [1])
    assert recall < 1
    assert not is_exact


def test_every_other_probe_lies_near_a_vector():
    rng = np.random.default_rng(2)
    vectors = drawn_vectors(rng, 500, 64)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    best = (drawn_probes(rng, vectors, 20) @ vectors.T).max(axis=1)
    assert best[::2].min() > best[1::2].max()


def test_reading_memory_has_a_rate():
    assert memory_read_gb_per_s(2, READ_BYTES) > 0


def test_the_measurement_is_drawn(measured, tmp_path):
    out = tmp_path / "plot.png"
    face_search_plot.draw(measured, out)
    assert cv2.imread(str(out)) is not None


def test_more_than_a_machine_holds_is_refused():
    with pytest.raises(InputError, match="at most"):
        measure_face_search(10_000_000, 4096)


def test_the_command_writes_and_shows(tmp_path, monkeypatch):
    monkeypatch.setattr(
        face_search, "memory_read_gb_per_s", lambda threads, _: 10.0 * threads
    )
    out = tmp_path / "out.json"
    sizes = ("--vectors", "500", "--dim", "16", "--searches", "6", "--threads", "1")
    result = CliRunner().invoke(command, [*sizes, "--json", str(out)])
    assert result.exit_code == 0
    assert json.loads(out.read_text())["memory_read_gb_per_s"] == {"1": 10.0}
    assert "latency ms: 1: median" in result.output
