"""Bad input at the command line: exit status 2 and one line on what and where."""

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cli.main import main
from edge.config import default_cache_dir

REPOSITORY = Path(__file__).parents[3]
COMMANDS = {
    "finger extract": ("finger", "extract", "FILE"),
    "finger compare": ("finger", "compare", "GOOD", "FILE"),
    "finger draw": ("finger", "draw", "FILE", "--out", "OUT"),
    "face detect": ("face", "detect", "FILE", "--out", "OUT"),
    "face compare": ("face", "compare", "FILE", "GOOD"),
    "check finger": ("check", "--finger", "FILE"),
    "check face": ("check", "--face", "FILE"),
    "enrol finger": ("enrol", "--name", "X", "--finger", "FILE"),
    "enrol face": ("enrol", "--name", "X", "--face", "FILE"),
}
PRINT_COMMANDS = ["finger extract", "finger draw", "check finger", "enrol finger"]


def png(width, height, *, row_count):
    """Return a 1-bit PNG of zeros whose data holds row_count rows."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = bytes((1 + (width + 7) // 8) * row_count)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def encoded(suffix):
    image = np.random.default_rng(1).integers(0, 255, (200, 200), np.uint8)
    is_done, data = cv2.imencode(suffix, image)
    assert is_done
    return data.tobytes()


def bad_files():
    return {
        "text.png": b"these are words, not pixels\n" * 50,
        "empty.png": b"",
        "tiny.png": png(1, 1, row_count=1),
        "huge.png": png(20_000, 20_000, row_count=20_000),
        "announced.png": png(20_000, 20_000, row_count=1),
        "cut.png": encoded(".png")[:5000],
        "cut.tif": encoded(".tif")[:5000],
        "cut.jpg": encoded(".jpg")[:5000],
    }


class Shell:
    """Runs the command line in this process, with a configuration of its own."""

    def __init__(self, folder, capsys, monkeypatch):
        self.folder = folder
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.out = folder / "drawn.png"
        self.good = folder / "good.png"
        self.good.write_bytes(encoded(".png"))
        self.config = folder / "edge.toml"
        self.config.write_text(
            f'[store]\npath = "{folder / "booth.db"}"\n'
            f'[models]\ncache_dir = "{default_cache_dir() / "models"}"\n'
        )

    def arguments(self, command, path):
        places = {"FILE": path, "GOOD": self.good, "OUT": self.out}
        words = [str(places.get(word, word)) for word in COMMANDS[command]]
        return [*words, "--config", str(self.config)]

    def refusal(self, *arguments):
        """Run the command line; return the one line with which it refuses."""
        self._monkeypatch.setattr(sys, "argv", ["edge", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        output = self._capsys.readouterr()
        assert ended.value.code == 2, output
        assert "Traceback" not in output.err
        return the_line(output.err)


def the_line(text):
    """Return the one line of a refusal; click puts its usage before it."""
    lines = text.strip().splitlines()
    if lines[0].startswith("Usage:"):
        [line] = [line for line in lines if line.startswith("Error: ")]
        assert lines[-1] == line
    else:
        [line] = lines
        assert line.startswith("edge: ")
    return line


@pytest.fixture
def shell(tmp_path, capsys, monkeypatch):
    return Shell(tmp_path, capsys, monkeypatch)


@pytest.mark.parametrize("name", bad_files())
@pytest.mark.parametrize("command", COMMANDS)
def test_a_bad_image_file_is_refused_by_name(shell, command, name):
    path = shell.folder / name
    path.write_bytes(bad_files()[name])
    before = sorted(shell.folder.iterdir())
    line = shell.refusal(*shell.arguments(command, path))
    assert str(path) in line
    assert sorted(shell.folder.iterdir()) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_not_there_is_refused_by_name(shell, command):
    path = shell.folder / "nowhere.png"
    assert str(path) in shell.refusal(*shell.arguments(command, path))
    assert not shell.out.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_in_the_place_of_an_image_is_refused_by_name(shell, command):
    path = shell.folder / "images.png"
    path.mkdir()
    assert str(path) in shell.refusal(*shell.arguments(command, path))
    assert not shell.out.exists()


@pytest.mark.parametrize("ppi", ["72", "5000", "0", "-500", "nan", "inf"])
@pytest.mark.parametrize("command", PRINT_COMMANDS)
def test_a_wrong_resolution_is_refused_with_the_file(shell, command, ppi):
    arguments = shell.arguments(command, shell.good)
    line = shell.refusal(*arguments, "--ppi", ppi)
    assert str(shell.good) in line or "--ppi" in line
    assert not shell.out.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_misspelt_key_of_the_configuration_is_named(shell, command):
    arguments = shell.arguments(command, shell.good)
    shell.config.write_text("[scanner]\ntimeout = 3\n")
    line = shell.refusal(*arguments)
    assert str(shell.config) in line
    assert "scanner.timeout" in line
    assert not shell.out.exists()


@pytest.mark.parametrize("text", ["[store", "= 1", "\x00", "store = 3"])
def test_a_configuration_that_is_no_toml_is_named(shell, text):
    arguments = shell.arguments("finger extract", shell.good)
    shell.config.write_text(text)
    assert str(shell.config) in shell.refusal(*arguments)


def test_a_configuration_that_is_not_there_is_named(shell):
    nowhere = shell.folder / "nowhere.toml"
    line = shell.refusal("finger", "extract", shell.good, "--config", nowhere)
    assert str(nowhere) in line


@pytest.mark.parametrize("command", ["finger extract", "face detect", "check finger"])
def test_a_model_folder_that_cannot_be_made_is_named(shell, command):
    blocked = shell.folder / "blocked"
    blocked.write_text("a file where the folder should be")
    shell.config.write_text(
        f'[store]\npath = "{shell.folder / "booth.db"}"\n'
        f'[models]\ncache_dir = "{blocked / "models"}"\n'
    )
    line = shell.refusal(*shell.arguments(command, shell.good))
    assert str(blocked) in line


@pytest.mark.parametrize("command", ["finger draw", "face detect"])
def test_a_drawing_that_cannot_be_written_is_named(shell, command):
    shell.out = shell.folder / "nowhere" / "drawn.png"
    line = shell.refusal(*shell.arguments(command, shell.good))
    assert str(shell.out) in line


@pytest.mark.parametrize("command", ["finger extract", "face detect", "check finger"])
def test_a_process_of_its_own_ends_with_status_2_and_one_line(shell, command):
    path = shell.folder / "text.png"
    path.write_bytes(b"not an image")
    result = subprocess.run(
        [sys.executable, "-m", "edge", *shell.arguments(command, path)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert result.stdout == ""
    assert str(path) in the_line(result.stderr)
