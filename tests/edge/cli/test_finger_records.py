"""edge finger export and show-record, and enrolment from minutiae records."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pytest
from click.testing import CliRunner

from edge.cli.enrol import enrol
from edge.cli.finger import finger
from edge.cli.watchlist import watchlist
from edge.clock import SystemClock
from edge.config import default_cache_dir
from edge.errors import InputError
from edge.interchange.minutiae_formats import WRITABLE_FORMATS
from edge.interchange.record_file import read_record_file, write_record_file
from edge.interchange.template_conversion import FOREIGN_MODEL_ID, templates_of
from edge.recognition.fingerprint.comparison import compare, prepare
from edge.recognition.image_encoding import encode_png
from edge.simulate.fingers import SyntheticFinger
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    store = json.dumps(str(folder / "hub.db"))
    cache = json.dumps(str(default_cache_dir() / "models"))
    (folder / "hub.toml").write_text(
        f"[hub]\nstore = {store}\n[models]\ncache_dir = {cache}\n", encoding="utf-8"
    )
    database = open_database(folder / "hub.db", "hub")
    with closing(database.conn):
        StoredHubLog(database).begin_log("ab" * 16, at=SystemClock().now())
    image = encode_png(SyntheticFinger(11).impression(0))
    (folder / "finger.png").write_bytes(image)
    for name in WRITABLE_FORMATS:
        run(place=folder, command=finger, arguments=exported(folder, name))
    return folder


def exported(folder, name):
    options = ["--format", name, "--out", folder / f"{name}.fmr", "--position", "7"]
    return ["export", folder / "finger.png", *options]


def invoke(command, arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments])


def run(place, command, arguments):
    result = invoke(command, [*arguments, "--config", place / "hub.toml"])
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def view_of(path):
    [view] = read_record_file(path).record.views
    return view


@pytest.mark.parametrize("name", WRITABLE_FORMATS)
def test_an_exported_print_is_the_print_that_is_extracted(place, name):
    [template] = templates_of(read_record_file(place / f"{name}.fmr").record)
    arguments = ["extract", place / "finger.png", "--json"]
    extracted = json.loads(run(place, finger, arguments).stdout)
    assert (template.model_id, template.position) == (extracted["model_id"], 7)
    assert template.width_px == extracted["width_px"]
    found = zip(template.x, template.y, template.quality, strict=True)
    expected = [(m["x"], m["y"], m["quality"]) for m in extracted["minutiae"]]
    assert list(found) == expected
    assert view_of(place / f"{name}.fmr").qualities[0].value == extracted["quality"]


def test_a_print_of_one_format_matches_itself_in_another(place):
    a, b = (
        prepare(templates_of(read_record_file(place / f"{name}.fmr").record)[0])
        for name in WRITABLE_FORMATS[:2]
    )
    assert compare(a, b) == pytest.approx(compare(a, a), abs=0.1)


@pytest.mark.parametrize("name", WRITABLE_FORMATS)
def test_a_record_is_shown(place, name):
    path = place / f"{name}.fmr"
    text = invoke(finger, ["show-record", path, "--strict"]).stdout
    assert text.startswith(f"{name}, 1 views\nposition 7 (left index), view 0")
    assert "197 x 197 px per cm" in text
    assert "vendor's block 0x01ed" in text
    shown = json.loads(invoke(finger, ["show-record", path, "--json"]).stdout)
    assert shown["format"] == name
    assert shown["warnings"] == []
    [view] = shown["views"]
    assert len(view["minutiae"]) == len(view_of(path).minutiae)
    assert {m["kind"] for m in view["minutiae"]} <= {"ending", "bifurcation"}


def test_a_deviating_record_is_shown_with_what_deviates(place, tmp_path):
    path = tmp_path / "long.fmr"
    path.write_bytes((place / "iso-2005.fmr").read_bytes() + b"\0")
    assert "deviates: " in invoke(finger, ["show-record", path]).stdout
    strict = invoke(finger, ["show-record", path, "--strict"])
    assert isinstance(strict.exception, InputError)
    assert str(path) in str(strict.exception)


@pytest.mark.parametrize("name", ["finger.png", "absent.fmr", "."])
def test_what_is_no_record_is_refused_with_the_file(place, name):
    result = invoke(finger, ["show-record", place / name])
    assert isinstance(result.exception, InputError)
    assert str(place / name) in str(result.exception)


def test_a_record_that_cannot_be_written_is_refused(place):
    arguments = exported(place, "iso-2005")
    arguments[5] = place / "absent" / "x.fmr"
    result = invoke(finger, [*arguments, "--config", place / "hub.toml"])
    assert isinstance(result.exception, InputError)
    assert "cannot be written" in str(result.exception)


def test_a_person_is_enrolled_from_records_without_any_image(place, tmp_path):
    path = tmp_path / "foreign.fmr"
    record = read_record_file(place / "ansi-378.fmr").record
    first = replace(record.views[0], extended=())
    views = (first, replace(first, position=3))
    write_record_file(path, replace(record, views=views))
    output = run(
        place,
        enrol,
        ["--id", "foreign", "--finger", path, "--finger", place / "iso-2011.fmr"],
    ).output
    assert "with 3 references" in output
    shown = run(place, watchlist, ["show", "foreign", "--json"]).stdout
    found = {(r["position"], r["model_id"]) for r in json.loads(shown)["references"]}
    assert found == {(7, FOREIGN_MODEL_ID), (3, FOREIGN_MODEL_ID), (7, "leader")}


def test_a_deviating_record_is_enrolled_and_said(place, tmp_path):
    path = tmp_path / "long.fmr"
    path.write_bytes((place / "iso-2005.fmr").read_bytes() + b"\0")
    result = run(place, enrol, ["--id", "long", "--finger", f"{path}:7"])
    assert "taken all the same" in result.stderr


def test_another_finger_than_the_records_is_refused(place):
    options = ["--config", place / "hub.toml"]
    record = f"{place / 'iso-2005.fmr'}:2"
    result = invoke(enrol, ["--finger", record, *options])
    assert isinstance(result.exception, InputError)
    assert "finger position 7, not 2" in str(result.exception)


def test_a_record_of_too_few_minutiae_is_refused(place, tmp_path):
    path = tmp_path / "few.fmr"
    record = read_record_file(place / "iso-2005.fmr").record
    few = record.views[0].minutiae
    columns = {name: values[:7] for name, values in vars(few).items()}
    view = replace(record.views[0], minutiae=replace(few, **columns))
    write_record_file(path, replace(record, views=(view,)))
    result = invoke(enrol, ["--finger", path, "--config", place / "hub.toml"])
    assert isinstance(result.exception, InputError)
    assert "7 minutiae, at least 8 needed" in str(result.exception)
