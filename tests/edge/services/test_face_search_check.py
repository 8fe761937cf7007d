"""What is said of the search of faces on this machine."""

from __future__ import annotations

import pytest

from edge.config import parse_config
from edge.recognition.face.inner_products import FloatProducts
from edge.services import face_search_check
from edge.services.face_search_check import face_search_state
from edge.store.database import open_database
from edge.store.references import StoredReferences


@pytest.fixture
def config(tmp_path):
    text = f'[store]\npath = "{tmp_path}/booth.db"'
    return parse_config(text, origin="test")


@pytest.fixture
def watchlist(config):
    open_database(config.store.watchlist_path, "watchlist").conn.close()


def test_without_a_watchlist_the_engine_is_told(config):
    is_good, text = face_search_state(config)
    assert is_good
    assert text.startswith("products in int8")


def test_a_processor_without_exact_products_of_bytes_is_told(config, monkeypatch):
    monkeypatch.setattr(
        face_search_check, "product_engine", lambda _threads: FloatProducts()
    )
    is_good, text = face_search_state(config)
    assert not is_good
    assert "not exact on this processor" in text


@pytest.mark.usefixtures("watchlist")
@pytest.mark.parametrize(
    ("persons", "is_carried", "words"),
    [(200, True, "face carries"), (180_000, False, "only confirms")],
)
def test_a_list_too_long_for_the_networks_is_told(
    config, monkeypatch, persons, is_carried, words
):
    monkeypatch.setattr(StoredReferences, "tally", lambda *_: (persons, persons))
    is_good, text = face_search_state(config)
    assert is_good == is_carried
    assert words in text
