import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import Config, load_config, parse_config
from edge.errors import ConfigurationError

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["booth", "hub"])
def test_every_example_file_loads(name):
    load_config(REPOSITORY / "config" / f"{name}.example.toml")


def test_the_booth_example_shows_every_key_and_every_default():
    text = (REPOSITORY / "config" / "booth.example.toml").read_text(encoding="utf-8")
    shown = load_config(REPOSITORY / "config" / "booth.example.toml").model_dump()
    defaults = Config().model_dump()
    machine_paths = {
        ("store", "path"),
        ("models", "cache_dir"),
        ("keys", "folder"),
    }
    for section, value in defaults.items():
        if section in ("hub", "console"):
            continue
        if not isinstance(value, dict):
            assert shown[section] == value
            continue
        for key, default in value.items():
            is_there = f"{key} = " in text or f"[{section}.{key}" in text
            assert is_there, f"[{section}] {key} is not documented"
            if (section, key) not in machine_paths:
                assert shown[section][key] == default


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[scaner]\nsocket='x'", ["scaner", "unknown key", "did you mean scanner?"]),
        ("[scanner]\nsokcet='x'", ["scanner.sokcet", "did you mean socket?"]),
        ("[web]\nzzz=1", ["web.zzz", "allowed: host, port"]),
        ("[web]\nport='80'", ["web.port = '80'", "valid integer"]),
        ("[web]\nport=70000", ["web.port = 70000", "less than or equal to 65535"]),
        ("[web]\nhost='0.0.0.0'", ["web.host", "loopback"]),
        ("booth_id='Booth 1'", ["booth_id", "match pattern"]),
        ("[broker]\nprotocol='4'", ["broker.protocol", "'auto', '5' or '3.1.1'"]),
        ("[policy]\nmax_attempts=0", ["policy.max_attempts", "greater than"]),
        ("[policy\n", ["not valid TOML", "line 1"]),
    ],
)
def test_a_mistake_is_named_with_file_key_and_what_is_allowed(text, expected):
    with pytest.raises(ConfigurationError) as caught:
        parse_config(text, origin="edge.toml")
    message = str(caught.value)
    assert message.startswith("edge.toml: ")
    assert "\n" not in message.split("TOML", maxsplit=1)[0]
    for part in expected:
        assert part in message


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml: cannot read"):
        load_config(tmp_path / "nowhere.toml")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "edge.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_config(path)


def test_the_environment_variable_chooses_the_file(tmp_path, monkeypatch):
    path = tmp_path / "edge.toml"
    path.write_text("booth_id = 'quay-7'", encoding="utf-8")
    monkeypatch.setenv("EDGE_CONFIG", str(path))
    assert load_config().booth_id == "quay-7"


def test_systemd_folders_are_the_defaults_where_it_gave_them(monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/edge")
    monkeypatch.setenv("CACHE_DIRECTORY", "/var/cache/edge")
    config = parse_config("", origin="edge.toml")
    assert config.store.path == Path("/var/lib/edge/booth.db")
    assert config.models.cache_dir == Path("/var/cache/edge/models")


@given(st.text(max_size=200))
def test_any_text_is_a_configuration_or_a_configuration_error(text):
    with contextlib.suppress(ConfigurationError):
        assert isinstance(parse_config(text, origin="edge.toml"), Config)


def test_the_hub_example_shows_every_key_of_the_console():
    path = REPOSITORY / "config" / "hub.example.toml"
    text, console = path.read_text(encoding="utf-8"), load_config(path).console
    for key in type(console).model_fields:
        assert f"{key} = " in text.partition("[console]")[2], key
    assert console == Config().console
