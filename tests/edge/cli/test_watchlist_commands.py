import json
from contextlib import closing
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlite_utils import Database

from edge.cli.hub import hub
from edge.cli.watchlist import watchlist
from edge.config import default_cache_dir
from edge.errors import ConfigurationError, InputError, WatchlistError
from edge.recognition.image_encoding import encode_png
from edge.simulate.faces import demo_faces
from edge.simulate.fingers import SyntheticFinger, poor_impression
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog


@pytest.fixture
def place(tmp_path):
    """A hub and a stand-alone booth, with a configuration each."""
    cache = json.dumps(str(default_cache_dir() / "models"))
    for name, section in (("hub", "[hub]\nstore"), ("booth", "[store]\npath")):
        store = json.dumps(str(tmp_path / f"{name}.db"))
        (tmp_path / f"{name}.toml").write_text(
            f"{section} = {store}\n[models]\ncache_dir = {cache}\n", encoding="utf-8"
        )
    with closing(open_database(tmp_path / "hub.db", "hub").conn) as connection:
        log = StoredHubLog(Database(connection))
        log.begin_log("ab" * 16, at=datetime(2026, 3, 1, tzinfo=UTC))
    images = {
        "finger": SyntheticFinger(11).impression(0),
        "poor": poor_impression(SyntheticFinger(11).impression(0)),
        "face": demo_faces(1)[0].frame(0),
    }
    for name, image in images.items():
        (tmp_path / f"{name}.png").write_bytes(encode_png(image))
    return tmp_path


def _run(command, *arguments):
    result = CliRunner().invoke(
        command, [str(a) for a in arguments], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def _enrol(place, machine="hub", entry_id="x1", finger="finger.png:2"):
    from edge.cli.enrol import enrol  # noqa: PLC0415  slow to load

    name, _, position = finger.partition(":")
    print_file = f"{place / name}:{position}" if position else place / name
    options = ["--config", place / f"{machine}.toml", "--id", entry_id, "--name", "N"]
    files = ["--finger", print_file, "--face", place / "face.png"]
    return _run(enrol, *options, *files)


def test_an_enrolled_person_is_listed_and_shown(place):
    assert "x1 enrolled at this hub with 2 references" in _enrol(place)
    config = ("--config", place / "hub.toml")
    (entry,) = json.loads(_run(watchlist, "list", "--json", *config))
    assert entry["name"] == "N"
    shown = json.loads(_run(watchlist, "show", "x1", "--json", *config))
    kinds = [(r["modality"], r["position"]) for r in shown["references"]]
    assert kinds == [("fingerprint", 2), ("face", 0)]
    assert "right index" in _run(watchlist, "show", "x1", *config)


def test_a_list_travels_by_file_to_a_stand_alone_booth(place):
    _enrol(place)
    file = place / "list.jsonl"
    _run(watchlist, "export", file, "--config", place / "hub.toml")
    config = ("--config", place / "booth.toml")
    assert "1 of 1" in _run(watchlist, "import", file, *config)
    assert "0 of 1" in _run(watchlist, "import", file, *config)
    assert "x1" in _run(watchlist, "list", *config)
    _run(watchlist, "withdraw", "x1", *config)
    assert json.loads(_run(watchlist, "list", "--json", *config)) == []


def test_a_person_can_be_enrolled_once_and_withdrawn_once(place):
    _enrol(place)
    with pytest.raises(WatchlistError, match="already on the watchlist"):
        _enrol(place)
    config = ("--config", place / "hub.toml")
    _run(watchlist, "withdraw", "x1", *config)
    with pytest.raises(WatchlistError, match="not on the watchlist"):
        _run(watchlist, "withdraw", "x1", *config)


def test_a_print_too_poor_to_search_with_is_not_enrolled(place):
    with pytest.raises(InputError, match=r"poor\.png: too poor to enrol"):
        _enrol(place, finger="poor.png")
    config = ("--config", place / "hub.toml")
    assert json.loads(_run(watchlist, "list", "--json", *config)) == []


def test_an_unknown_finger_position_is_refused(place):
    with pytest.raises(InputError, match="finger position 77"):
        _enrol(place, finger="finger.png:77")


def test_the_hubs_commands_need_a_hub(place):
    with pytest.raises(ConfigurationError, match=r"no \[hub\] section"):
        _run(hub, "hits", "--config", place / "booth.toml")


def test_an_empty_hub_has_no_hits_and_no_booths(place):
    config = ("--config", place / "hub.toml")
    assert json.loads(_run(hub, "hits", "--json", *config)) == []
    assert json.loads(_run(hub, "booths", "--json", *config)) == []
