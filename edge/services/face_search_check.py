"""Whether faces can be searched on this machine, among as many as there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.recognition.face.calibration import calibration_of
from edge.recognition.face.carrying import can_carry
from edge.recognition.face.face_sets import face_set
from edge.recognition.face.inner_products import FloatProducts, product_engine
from edge.services.wiring import search_threads
from edge.store.inspection import inspected_database
from edge.store.references import StoredReferences
from edge.terms import Modality

if TYPE_CHECKING:
    from edge.config import Config

NAMED_ENTRIES = 5


def face_search_state(config: Config) -> tuple[bool, str]:
    """Return whether all is as it should be, and what there is to say.

    Raises:
        StoreError: the watchlist cannot be read.
        ModelError: no calibration belongs to the configured networks.
    """
    engine = product_engine(search_threads(config)).name
    is_fast, text = engine != FloatProducts.name, f"products in {engine}"
    if not is_fast:
        text += ", four times slower: those of bytes are not exact on this processor"
    if not config.store.watchlist_path.exists():
        return is_fast, text
    model_id = face_set(config.models.face).template_id
    with inspected_database(config.store.watchlist_path, "watchlist") as database:
        references = StoredReferences(database)
        persons, _ = references.tally(Modality.FACE)
        others, entries = references.faces_of_other_models(model_id, NAMED_ENTRIES)
    verdict = can_carry(
        calibration_of(model_id),
        persons,
        config.policy.face_false_positive_identification_rate,
        config.policy.face_false_match_rate,
    )
    if others:
        named = ", ".join(entries)
        text = (
            f"{others} references are of other networks than [models] face = "
            f'"{config.models.face}" and not searched, of entries such as {named}; at '
            f"the hub run: edge hub rederive; {text}"
        )
    is_good = is_fast and verdict.is_carried and not others
    return is_good, f"{verdict.text}; {text}"
