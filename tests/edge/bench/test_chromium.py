import pytest

from edge.bench.chromium import find_chromium, open_chromium
from edge.errors import ConfigurationError


def test_a_chromium_is_found_where_programs_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium() is None
    program = tmp_path / "chromium-browser"
    program.touch(mode=0o755)
    assert find_chromium() == str(program)


def test_without_chromium_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(ConfigurationError, match="apt install chromium"),
        open_chromium(),
    ):
        pytest.fail("there is no browser to open")
