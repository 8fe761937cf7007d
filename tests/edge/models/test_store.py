"""The model store: what is used is what was made of the pinned source."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import subprocess
import sys

import pytest

from edge.errors import ModelError
from edge.models.spec import ModelSpec, PackagedSource
from edge.models.store import ModelStatus, ModelStore

SOURCE_FILE = "click/__init__.py"


def _source() -> bytes:
    located = importlib.metadata.distribution("click").locate_file(SOURCE_FILE)
    return located.read_bytes()


def _build(source: bytes) -> bytes:
    return b"built:" + source


@pytest.fixture
def spec() -> ModelSpec:
    return ModelSpec(
        model_id="sample",
        role="test",
        source=PackagedSource(
            "click", SOURCE_FILE, hashlib.sha256(_source()).hexdigest()
        ),
        licence="BSD-3-Clause",
        card="",
        build=_build,
    )


def test_first_use_prepares_the_model(tmp_path, spec):
    store = ModelStore(tmp_path / "new" / "cache", [spec])
    assert store.verify("sample") is ModelStatus.ABSENT
    assert store.path("sample").read_bytes() == _build(_source())
    assert store.verify("sample") is ModelStatus.READY


@pytest.mark.parametrize("damage", [b"", b"built:", b"other"])
def test_a_changed_or_cut_file_is_never_handed_out(tmp_path, spec, damage):
    store = ModelStore(tmp_path, [spec])
    store.path("sample").write_bytes(damage)
    assert store.verify("sample") is ModelStatus.DAMAGED
    with pytest.raises(ModelError, match="edge models prepare"):
        store.path("sample")
    assert store.prepare("sample").read_bytes() == _build(_source())


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b"\xff", b"{" * 5000])
def test_a_damaged_manifest_is_refused(tmp_path, spec, manifest):
    store = ModelStore(tmp_path, [spec])
    store.path("sample")
    (tmp_path / "sample.json").write_bytes(manifest)
    with pytest.raises(ModelError, match="damaged"):
        store.path("sample")


def test_an_unfinished_preparation_is_made_again(tmp_path, spec):
    (tmp_path / "sample.onnx").write_bytes(b"half")
    assert ModelStore(tmp_path, [spec]).path("sample").read_bytes() != b"half"


def test_a_source_with_another_hash_is_not_parsed(tmp_path, spec):
    def explode(_source: bytes) -> bytes:
        raise AssertionError

    wrong = dataclasses.replace(
        spec, source=dataclasses.replace(spec.source, sha256="0" * 64), build=explode
    )
    with pytest.raises(ModelError, match="not the pinned file"):
        ModelStore(tmp_path, [wrong]).path("sample")
    assert not (tmp_path / "sample.onnx").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"distribution": "edge-no-such-package"}, "not installed"),
        ({"file": "click/absent.bin"}, "cannot read"),
    ],
)
def test_a_missing_source_is_named(tmp_path, spec, changes, message):
    source = dataclasses.replace(spec.source, **changes)
    absent = dataclasses.replace(spec, source=source)
    with pytest.raises(ModelError, match=message):
        ModelStore(tmp_path, [absent]).path("sample")


def test_a_new_pin_replaces_what_was_built_from_the_old_one(tmp_path, spec):
    located = importlib.metadata.distribution("click").locate_file("click/types.py")
    digest = hashlib.sha256(located.read_bytes()).hexdigest()
    source = PackagedSource("click", "click/types.py", digest)
    ModelStore(tmp_path, [dataclasses.replace(spec, source=source)]).path("sample")
    store = ModelStore(tmp_path, [spec])
    assert store.verify("sample") is ModelStatus.OUTDATED
    assert store.path("sample").read_bytes() == _build(_source())


def test_an_unknown_model_is_refused_with_the_known_ones(tmp_path, spec):
    with pytest.raises(ModelError, match="known are sample"):
        ModelStore(tmp_path, [spec]).path("other")


def test_a_cache_folder_that_is_a_file_is_refused(tmp_path, spec):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelError, match="cache_dir"):
        ModelStore(tmp_path / "file", [spec]).path("sample")


def test_processes_that_prepare_together_do_not_disturb_each_other(tmp_path):
    program = (
        "import sys, pathlib; from edge.models.store import ModelStore;"
        "print(ModelStore(pathlib.Path(sys.argv[1])).path('leader').stat().st_size)"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    sizes = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    assert sizes[0] == sizes[1] == (tmp_path / "leader.onnx").stat().st_size
    assert len(list(tmp_path.iterdir())) == 3  # model, manifest, lock
