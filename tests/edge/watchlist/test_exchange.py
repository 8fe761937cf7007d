import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError
from edge.records.template import encode_template
from edge.terms import (
    FaceTemplate,
    FingerPosition,
    Modality,
    Reference,
    WatchlistEntry,
)
from edge.watchlist.exchange import HEADER, read_watchlist, write_watchlist

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _item(entry_id="e1"):
    entry = WatchlistEntry(
        *(entry_id, 3, "c", "o", "h", "l", "do this", NOON, None, "Ünal \u202e")
    )
    template = FaceTemplate("model", np.arange(4, dtype=np.float32))
    reference = Reference(
        f"r-{entry_id}", entry_id, Modality.FACE, FingerPosition.UNKNOWN, template
    )
    return entry, (reference,)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "list.jsonl"
    assert write_watchlist(path, [_item("e1"), _item("e2")]) == 2
    items = read_watchlist(path)
    assert [entry for entry, _ in items] == [_item("e1")[0], _item("e2")[0]]
    written = encode_template(_item()[1][0].template)
    assert encode_template(items[0][1][0].template) == written
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nonsense", "line 2"),
        ("[]", '"entry" and "references" expected'),
        ('{"entry": {}, "references": []}', "entry_id is missing"),
        ('{"entry": {}, "references": [], "x": 1}', '"entry" and "references"'),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_read(tmp_path, line, expected):
    path = tmp_path / "list.jsonl"
    path.write_text(json.dumps(HEADER) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2") as caught:
        read_watchlist(path)
    assert expected in str(caught.value)
    assert "nothing was imported" in str(caught.value)


def test_an_entry_that_comes_twice_is_refused(tmp_path):
    path = tmp_path / "list.jsonl"
    write_watchlist(path, [_item("e1"), _item("e1")])
    with pytest.raises(InputError, match="line 3: its entry id came before"):
        read_watchlist(path)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "list.jsonl"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match="line 1: not a watchlist file"):
        read_watchlist(path)


def test_a_damaged_template_is_refused_with_its_line(tmp_path):
    path = tmp_path / "list.jsonl"
    write_watchlist(path, [_item()])
    text = path.read_text(encoding="utf-8").replace(
        '"template": "RV', '"template": "AA'
    )
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="line 2"):
        read_watchlist(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot write"):
        write_watchlist(tmp_path / "missing" / "list.jsonl", [_item()])


@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_watchlist_or_an_input_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "list.jsonl"
    path.write_bytes(json.dumps(HEADER).encode() + b"\n" + data)
    try:
        items = read_watchlist(path)
    except InputError as error:
        message = str(error)
    else:
        message = ""
        assert items == []
    assert not message or str(path) in message
