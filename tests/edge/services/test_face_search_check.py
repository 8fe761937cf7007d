"""What is said of the search of faces on this machine."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

import numpy as np
import pytest

from edge.config import parse_config
from edge.recognition.face.embedding import DLIB_TEMPLATES, RETAIL_TEMPLATES
from edge.recognition.face.inner_products import FloatProducts
from edge.services import face_search_check
from edge.services.face_search_check import face_search_state
from edge.store.database import open_database
from edge.store.references import StoredReferences
from edge.store.watchlist import BoothWatchlist
from edge.terms import (
    ChangeOperation,
    DraftChange,
    FaceTemplate,
    FingerPosition,
    Modality,
    Reference,
    WatchlistEntry,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


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


def test_faces_of_other_networks_are_told_with_entries_and_what_to_do(config):
    database = open_database(config.store.watchlist_path, "watchlist")
    model_ids = {"e1": DLIB_TEMPLATES, "e2": RETAIL_TEMPLATES, "e3": "older"}
    with closing(database.conn):
        BoothWatchlist(database).apply_local(
            [draft(entry, model_id) for entry, model_id in model_ids.items()], at=NOON
        )
    is_good, text = face_search_state(config)
    assert not is_good
    assert "2 references are of other networks" in text
    assert "such as e2, e3;" in text
    assert "edge hub rederive" in text


def draft(entry_id, model_id):
    vector = np.zeros(128, np.float32)
    vector[0] = 1
    reference = Reference(
        f"{entry_id}-1",
        entry_id,
        Modality.FACE,
        FingerPosition.UNKNOWN,
        FaceTemplate(model_id, vector),
    )
    entry = WatchlistEntry(entry_id, 1, "c", "o", "h", "l", "Refer.", NOON, None)
    return DraftChange(ChangeOperation.ADD, entry_id, entry, (reference,))
