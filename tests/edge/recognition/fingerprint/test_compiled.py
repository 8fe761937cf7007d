"""Where compiled kernels are kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.recognition.fingerprint import compiled as module

PRINT_FOLDER = (
    "from edge.recognition.fingerprint import compiled\n"
    "import numba\n"
    "print(numba.config.CACHE_DIR)\n"
)
PRINT_SERVICES_FOLDER = """
from edge.config import Config
print(Config().models.cache_dir / "kernels")
"""
KERNEL = """
from edge.recognition.fingerprint.compiled import compiled

@compiled
def plus(a, b):
    return a + b
"""
COMPILE = "from invented_kernel import plus; print(plus(1, 2))"
SOURCES = Path(module.__file__).parents[3]
VARIABLES = ("NUMBA_CACHE_DIR", "CACHE_DIRECTORY", "XDG_CACHE_HOME")


@pytest.fixture
def run(tmp_path):
    """Run code with only the named variables of the environment set."""

    def start(code, **variables):
        environment = {k: v for k, v in os.environ.items() if k not in VARIABLES}
        environment |= {"HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
        environment["PYTHONPATH"] = f"{SOURCES}:{tmp_path}"
        environment |= {name: str(value) for name, value in variables.items()}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
            cwd=tmp_path,
        )
        return done.stdout.strip()

    return start


def test_the_users_cache_is_the_place_if_none_is_named(run, tmp_path):
    folder = Path(run(PRINT_FOLDER))
    users = tmp_path / "home" / ".cache" / "edge-checkpoint"
    assert folder.parent == users / "models" / "kernels"
    assert len(folder.name) == 16


def test_a_service_uses_the_first_folder_that_systemd_grants(run, tmp_path):
    granted = f"{tmp_path / 'one'}:{tmp_path / 'two'}"
    folder = Path(run(PRINT_FOLDER, CACHE_DIRECTORY=granted))
    assert folder.parent == tmp_path / "one" / "models" / "kernels"


def test_it_is_where_the_services_look_for_it(run):
    at_home, elsewhere = {}, {"XDG_CACHE_HOME": "/tmp/elsewhere"}  # noqa: S108
    for place in (at_home, elsewhere, {"CACHE_DIRECTORY": "/var/cache/edge"}):
        folder = Path(run(PRINT_FOLDER, **place))
        assert str(folder.parent) == run(PRINT_SERVICES_FOLDER, **place)


def test_a_folder_that_is_named_wins(run, tmp_path):
    variables = {"NUMBA_CACHE_DIR": tmp_path / "own", "CACHE_DIRECTORY": tmp_path}
    assert Path(run(PRINT_FOLDER, **variables)).parent == tmp_path / "own"


def test_the_folder_is_named_after_the_sources(run, tmp_path):
    copied = tmp_path / "copy" / "edge"
    for path in ("__init__.py", "recognition/__init__.py"):
        _copy(SOURCES / "edge" / path, copied / path)
    for source in Path(module.__file__).parent.glob("*.py"):
        _copy(source, copied / "recognition" / "fingerprint" / source.name)
    here = {"NUMBA_CACHE_DIR": tmp_path, "PYTHONPATH": copied.parent}
    before = run(PRINT_FOLDER, **here)
    assert run(PRINT_FOLDER, **here) == before
    changed = copied / "recognition" / "fingerprint" / "growth.py"
    changed.write_text(changed.read_text(encoding="utf-8") + "# changed\n")
    assert run(PRINT_FOLDER, **here) != before


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())


def test_what_is_compiled_is_kept_there(run, tmp_path):
    (tmp_path / "invented_kernel.py").write_text(KERNEL)
    assert run(COMPILE, NUMBA_CACHE_DIR=tmp_path / "own") == "3"
    assert list((tmp_path / "own").rglob("invented_kernel.plus-*.nbi"))


def test_without_any_folder_to_write_kernels_still_work(run, tmp_path):
    (tmp_path / "invented_kernel.py").write_text(KERNEL)
    # Files where numba would make folders.
    for name in ("own", "home", "__pycache__"):
        (tmp_path / name).write_text("no folder")
    assert run(COMPILE, NUMBA_CACHE_DIR=tmp_path / "own") == "3"


def test_a_compiled_function_computes_what_its_source_says():
    def plus(a, b):
        return a + b

    assert module.compiled(plus)(2, 3) == 5


@module.kernel
def _signs(numbers, first):
    return module.not_negative(numbers, first)


@module.kernel
def _lowest(word):
    return module.trailing_zeros(word)


@pytest.mark.parametrize("first", [0, 3, 8])
def test_eight_numbers_tell_which_are_not_negative(first):
    numbers = np.random.default_rng(4).integers(-3, 3, 16).astype(np.int32)
    numbers[:2] = np.iinfo(np.int32).min, np.iinfo(np.int32).max
    bits = [_signs(numbers, first) >> k & 1 for k in range(64)]
    assert bits[:8] == (numbers[first : first + 8] >= 0).tolist()
    assert not any(bits[8:])


def test_the_lowest_bit_set_is_found():
    for place in range(64):
        assert _lowest(np.uint64(1 << 63 | 1 << place)) == place
