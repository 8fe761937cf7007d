import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError
from edge.replication.set_digest import EMPTY_DIGEST, SetDigest, record_digest

ENTRIES = st.dictionaries(st.text(max_size=20), st.binary(max_size=20), max_size=8)


def digest_of(entries):
    made = SetDigest()
    for entry_id, record in entries:
        made.add(entry_id, record_digest(record))
    return made.digest()


def by_the_book(entries):
    """The digest as the protocol states it, in plain integers."""
    lanes = [0] * 1024
    for entry_id, record in entries:
        name = entry_id.encode()
        data = b"edge-set" + len(name).to_bytes(2, "big") + name
        data += hashlib.sha256(record).digest()
        element = hashlib.shake_256(data).digest(2048)
        for i in range(1024):
            value = int.from_bytes(element[2 * i : 2 * i + 2], "little")
            lanes[i] = (lanes[i] + value) % 2**16
    state = b"".join(lane.to_bytes(2, "little") for lane in lanes)
    return hashlib.sha256(state).digest()


def test_the_digest_of_nothing_is_that_of_empty_lanes():
    assert SetDigest().digest() == EMPTY_DIGEST == hashlib.sha256(bytes(2048)).digest()


def test_the_digest_of_one_entry_stays_what_it_is():
    # Written down, so that booths and hubs of different versions agree.
    found = digest_of([("person-1", b"record")]).hex()
    assert found == ("e428fba8682f64681d8fddc83436d730020f9b44f0f82c62d2b415eef3c90c56")


@given(ENTRIES)
def test_the_digest_is_as_the_protocol_states_it(entries):
    assert digest_of(entries.items()) == by_the_book(entries.items())


@given(ENTRIES, st.randoms(use_true_random=False))
def test_the_order_of_entries_leaves_no_trace(entries, random):
    shuffled = list(entries.items())
    random.shuffle(shuffled)
    assert digest_of(shuffled) == digest_of(entries.items())


@given(ENTRIES, st.text(max_size=20), st.binary(max_size=20))
def test_an_entry_removed_leaves_no_trace(entries, entry_id, record):
    made = SetDigest()
    made.add(entry_id, record_digest(record))
    for name, other in entries.items():
        made.add(name, record_digest(other))
    made.remove(entry_id, record_digest(record))
    assert made.digest() == digest_of(entries.items())


def test_entries_that_differ_in_id_or_record_have_different_digests():
    sets = [
        [],
        [("a", b"x")],
        [("a", b"y")],
        [("b", b"x")],
        [("a", b"x"), ("b", b"x")],
        [("a", b"x"), ("a", b"x")],
    ]
    assert len({digest_of(entries) for entries in sets}) == len(sets)


def test_a_digest_goes_on_from_its_bytes_and_a_copy_on_its_own():
    made = SetDigest()
    made.add("a", record_digest(b"x"))
    restored, copied = SetDigest.from_bytes(made.to_bytes()), made.copy()
    for each in (restored, copied):
        assert each.digest() == made.digest()
        each.add("b", record_digest(b"y"))
    assert made.digest() == digest_of([("a", b"x")])
    assert restored.digest() == copied.digest() == digest_of([("a", b"x"), ("b", b"y")])


@pytest.mark.parametrize("length", [0, 2047, 2049])
def test_a_state_of_another_length_is_refused(length):
    with pytest.raises(MessageError, match="2048 expected"):
        SetDigest.from_bytes(bytes(length))
