"""What is said of the search of faces on this machine."""

from __future__ import annotations

import pytest

from edge.config import parse_config
from edge.recognition.face.inner_products import FloatProducts
from edge.services import face_search_check
from edge.services.doctor import Status, check_face_search
from edge.store.database import open_database
from edge.store.references import StoredReferences


@pytest.fixture
def config(tmp_path):
    text = f'[store]\npath = "{tmp_path}/booth.db"'
    return parse_config(text, origin="test")


@pytest.fixture
def watchlist(config):
    open_database(config.store.watchlist_path, "watchlist").conn.close()


def finding(config):
    (found,) = check_face_search(config)
    return found


def test_without_a_watchlist_the_engine_is_told(config):
    found = finding(config)
    assert found.status is Status.OK
    assert found.text.startswith("products in int8")


def test_a_processor_without_exact_products_of_bytes_is_told(config, monkeypatch):
    monkeypatch.setattr(
        face_search_check, "product_engine", lambda _threads: FloatProducts()
    )
    found = finding(config)
    assert found.status is Status.WARNING
    assert "not exact on this processor" in found.text


@pytest.mark.usefixtures("watchlist")
@pytest.mark.parametrize(
    ("persons", "status", "text"),
    [(200, Status.OK, "face carries"), (180_000, Status.WARNING, "only confirms")],
)
def test_a_list_too_long_for_the_networks_is_told(
    config, monkeypatch, persons, status, text
):
    monkeypatch.setattr(StoredReferences, "tally", lambda *_: (persons, persons))
    found = finding(config)
    assert found.status is status
    assert text in found.text
