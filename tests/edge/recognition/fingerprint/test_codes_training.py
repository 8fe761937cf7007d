"""The projection to codes, learned anew on invented fingers."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import InputError
from edge.recognition.fingerprint.codes import BITS, PLACES, projection
from edge.recognition.fingerprint.codes_training import descriptors_of, learn
from edge.recognition.fingerprint.comparison import prepare
from edge.recognition.fingerprint.cylinders import LAYERS
from edge.recognition.fingerprint.packed import pack
from edge.recognition.fingerprint.shortlist import codes_of, new_vote
from edge.recognition.fingerprint.training_set import TrainingPrint

FINGERS, IMPRESSIONS = 25, 3


@pytest.fixture(scope="module")
def prints(gallery, again):
    return [
        TrainingPrint("set", str(finger), str(number), again(template, number))
        for finger, template in enumerate(gallery[:FINGERS])
        for number in range(IMPRESSIONS)
    ]


@pytest.fixture(scope="module")
def table(prints):
    return learn(prints)


def test_a_descriptor_is_unpacked_bit_by_bit(gallery, derived):
    prepared = prepare(gallery[0])
    found = descriptors_of(prepared)
    count = len(prepared)
    assert found.bits.shape == found.seen.shape == (count, LAYERS * PLACES)
    words = derived(prepared.packed).words
    for i in range(0, count, 7):
        for layer in range(LAYERS):
            bits = found.bits[i, layer * PLACES : (layer + 1) * PLACES]
            word = sum(int(bit) << place for place, bit in enumerate(bits))
            assert word == int(words[layer, i])


def test_the_table_has_what_the_kernel_needs(table):
    assert table["weights"].shape == (LAYERS * PLACES, BITS)
    assert table["weights"].dtype == np.int8
    assert np.abs(table["weights"]).max() == 127
    assert table["share_set"].shape == (LAYERS * PLACES,)
    assert ((table["share_set"] >= 0) & (table["share_set"] <= 1)).all()
    assert table["offset"].shape == (BITS,)
    assert all(np.isfinite(values).all() for values in table.values())


def _distance(first, second):
    differ = (first ^ second).view(np.uint8).reshape(-1, 8)
    return np.unpackbits(differ, axis=1).sum(axis=1).tolist()


def test_learned_codes_tell_places_of_other_fingers_apart(table, gallery, turned):
    weights = table["weights"].astype(np.float32) * table["scale"]
    vote = new_vote(projection(weights, table["share_set"], table["offset"]))
    same, other = [], []
    for template in gallery[FINGERS : FINGERS + 20]:
        plain = codes_of(pack(template), vote)
        moved = codes_of(pack(turned(template, 0.8)), vote)
        same += _distance(plain, moved)
        other += _distance(plain, np.roll(moved, 1))
    assert np.mean(same) < BITS / 5
    assert np.mean(other) > BITS / 3


def test_the_table_follows_from_the_prints_alone(table, prints):
    again = learn(prints)
    assert all((again[name] == values).all() for name, values in table.items())


def test_prints_of_different_fingers_alone_are_refused(prints):
    with pytest.raises(InputError, match="no mated pairs"):
        learn(prints[::IMPRESSIONS])
