import json

import pytest

from edge.cli.bench_output import number, percent, progress_bar, write_json
from edge.errors import InputError


def test_json_goes_to_a_file_or_to_standard_output(tmp_path, capsys):
    out = tmp_path / "out.json"
    write_json({"eer": 0.5}, str(out))
    assert json.loads(out.read_text()) == {"eer": 0.5}
    write_json({"eer": 0.25}, "-")
    assert json.loads(capsys.readouterr().out) == {"eer": 0.25}
    write_json({"eer": 0.25}, None)
    assert capsys.readouterr().out == ""


def test_json_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_json({}, str(tmp_path))


def test_where_nobody_looks_there_is_no_bar(capsys):
    with progress_bar(None) as progress:
        progress.step("comparing", 1, 2)
    assert capsys.readouterr().err == ""


def test_a_bar_is_shown_in_a_terminal_unless_the_output_is_parsed(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("-") as progress:
        progress.step("comparing", 1, 2)
    assert capsys.readouterr().err == ""
    with progress_bar("out.json") as progress:
        progress.step("comparing", 1, 2)
        progress.step("comparing", 2, 2)
    assert "comparing" in capsys.readouterr().err


def test_figures_are_rounded_for_a_person():
    assert percent(0.01234) == "1.23"
    assert number(1234.56) == "1,234.6"
    assert number(None) == "-"
