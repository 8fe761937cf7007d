from datetime import UTC, datetime, timedelta

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.trust.anchors import (
    CHAIN_LIMIT,
    MAX_DOCUMENTS,
    TrustDocument,
    decode_chain,
    encode_chain,
    first_anchors,
    kept_anchors,
    later_anchors,
    root_fingerprint,
    sign_document,
)
from edge.trust.keys import SealingKey, SigningKey

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROOTS = [SigningKey(bytes([n]) * 32) for n in range(1, 6)]
LOG, OTHER_LOG = "0" * 32, "f" * 32
SEALING = SealingKey(bytes([9]) * 32).public.raw


def document(version=1, *, roots=(0,), threshold=1, **fields):
    usual = {
        "log": LOG,
        "version": version,
        "issued_at": NOW,
        "expires_at": NOW + timedelta(days=365),
        "threshold": threshold,
        "roots": [ROOTS[n].public.raw for n in roots],
        "watchlist": [SigningKey(bytes([50 + version % 100]) * 32).public.raw],
        "operations": [SigningKey(bytes([150]) * 32).public.raw],
        "sealing": [SEALING],
        "ca": b"CA",
    }
    return TrustDocument(**{**usual, **fields})


def signed(version=1, by=(0,), **fields):
    return sign_document(document(version, **fields), [ROOTS[n] for n in by])


def fingerprint(roots=(0,)):
    return root_fingerprint([ROOTS[n].public.raw for n in roots])


def first(*documents, roots=(0,), now=NOW):
    data = encode_chain(documents)
    return first_anchors(data, fingerprint=fingerprint(roots), now=now)


def later(anchors, *documents, now=NOW):
    return later_anchors(anchors, encode_chain(documents), now=now)


def refused(reason, call, *arguments, **options):
    with pytest.raises(RefusalError) as caught:
        call(*arguments, **options)
    assert caught.value.reason is reason
    assert "\n" not in str(caught.value)


def test_the_first_document_is_believed_by_the_fingerprint_of_its_roots():
    anchors = first(signed())
    assert (anchors.version, anchors.log) == (1, LOG)
    assert anchors.sealing_key.raw == SEALING
    assert next(iter(anchors.operations_keys.values())).raw in (
        anchors.document.operations
    )
    assert anchors.fingerprint == fingerprint()


def test_a_fingerprint_may_be_typed_in_any_manner():
    typed = fingerprint().upper().replace("-", " ")
    assert first_anchors(encode_chain([signed()]), fingerprint=typed, now=NOW)


@pytest.mark.parametrize("typed", ["", "0000", fingerprint()[:-1], fingerprint() * 2])
def test_half_a_fingerprint_is_none(typed):
    data = encode_chain([signed()])
    refused(RefusalReason.WRONG_SIGNER, first_anchors, data, fingerprint=typed, now=NOW)


def test_attack_a_document_of_other_roots():
    refused(RefusalReason.WRONG_SIGNER, first, signed(roots=(1,), by=(1,)))


def test_attack_our_roots_named_but_signed_by_another():
    refused(RefusalReason.WRONG_SIGNER, first, signed(by=(1,)))


def test_attack_fewer_signatures_than_the_threshold():
    roots = (0, 1, 2)
    fields = {"roots": roots, "threshold": 2}
    refused(RefusalReason.WRONG_SIGNER, first, signed(by=(0,), **fields), roots=roots)
    twice = signed(by=(0, 0), **fields)
    refused(RefusalReason.WRONG_SIGNER, first, twice, roots=roots)
    assert first(signed(by=(0, 2), **fields), roots=roots).version == 1


def test_attack_one_root_named_twice_to_reach_the_threshold():
    fields = {"roots": (0, 0), "threshold": 2}
    refused(
        RefusalReason.WRONG_SIGNER, first, signed(by=(0, 0), **fields), roots=(0, 0)
    )


def test_a_successor_replaces_working_keys():
    anchors = later(first(signed()), signed(2))
    assert anchors.version == 2
    assert anchors.watchlist_keys.keys() != first(signed()).watchlist_keys.keys()


def test_a_successor_replaces_roots_with_the_signatures_of_both():
    anchors = later(first(signed()), signed(2, roots=(1,), by=(0, 1)))
    assert later(anchors, signed(3, roots=(1,), by=(1,))).version == 3
    refused(RefusalReason.WRONG_SIGNER, later, anchors, signed(3, by=(0,)))


def test_attack_a_successor_that_its_predecessor_did_not_sign():
    anchors = first(signed())
    forged = signed(2, roots=(1,), by=(1,))
    refused(RefusalReason.WRONG_SIGNER, later, anchors, forged)


def test_attack_a_successor_that_its_own_roots_did_not_sign():
    anchors = first(signed())
    refused(RefusalReason.WRONG_SIGNER, later, anchors, signed(2, roots=(1,), by=(0,)))


def test_attack_a_stolen_root_below_the_threshold_changes_nothing():
    roots = (0, 1, 2)
    anchors = first(signed(by=(0, 1), roots=roots, threshold=2), roots=roots)
    forged = signed(2, roots=(0,), threshold=1, by=(0,))
    refused(RefusalReason.WRONG_SIGNER, later, anchors, forged)


def test_attack_a_version_skipped():
    anchors = first(signed())
    refused(RefusalReason.GAP, later, anchors, signed(3))
    refused(RefusalReason.GAP, later, anchors, signed(2), signed(4))


def test_attack_an_older_document_replayed():
    anchors = later(first(signed()), signed(2))
    refused(RefusalReason.ROLLBACK, later, anchors, signed(1))


def test_the_document_that_is_held_may_come_again():
    anchors = later(first(signed()), signed(2))
    assert later(anchors, signed(1), signed(2)) is anchors


def test_attack_another_document_of_the_same_version_changes_nothing():
    anchors = first(signed())
    assert later(anchors, signed(1, log=OTHER_LOG)).log == LOG


def test_attack_an_expired_document():
    after = NOW + timedelta(days=365)
    refused(RefusalReason.EXPIRED, first, signed(), now=after)
    anchors = first(signed())
    refused(RefusalReason.EXPIRED, later, anchors, signed(), now=after)
    fresh = signed(2, expires_at=after + timedelta(days=1))
    assert later(anchors, fresh, now=after).version == 2


def test_an_expired_document_on_the_way_to_one_that_holds_does_no_harm():
    short = signed(2, expires_at=NOW + timedelta(days=1))
    now = NOW + timedelta(days=2)
    assert later(first(signed()), short, signed(3), now=now).version == 3


def test_a_new_log_needs_the_roots():
    anchors = first(signed())
    moved = later(anchors, signed(2, log=OTHER_LOG))
    assert moved.log == OTHER_LOG
    forged = signed(2, log=OTHER_LOG, by=(1,))
    refused(RefusalReason.WRONG_SIGNER, later, anchors, forged)


def test_a_booth_may_be_given_the_fingerprint_of_later_roots():
    chain = [signed(), signed(2, roots=(1,), by=(0, 1)), signed(3, roots=(1,), by=(1,))]
    assert first(*chain, roots=(1,)).version == 3
    assert first(*chain, roots=(0,)).version == 3
    refused(RefusalReason.WRONG_SIGNER, first, *chain, roots=(2,))


def test_only_the_last_documents_travel():
    documents = [signed(version) for version in range(1, MAX_DOCUMENTS + 4)]
    anchors = first(documents[0])
    for item in documents[1:]:
        anchors = later(anchors, item)
    assert decode_chain(anchors.encode()) == documents[-MAX_DOCUMENTS:]
    behind = later(first(documents[0]), *documents[1:4])
    assert later_anchors(behind, anchors.encode(), now=NOW).version == anchors.version


def test_what_was_kept_is_read_again():
    anchors = later(first(signed()), signed(2))
    assert kept_anchors(anchors.encode()) == anchors
    with pytest.raises(MessageError):
        kept_anchors(anchors.encode()[:-3])


def test_every_byte_of_a_document_counts():
    data = encode_chain([signed()])
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= 1
        with pytest.raises(MessageError):
            first_anchors(bytes(changed), fingerprint=fingerprint(), now=NOW)


@given(st.binary(max_size=300))
def test_hostile_bytes_are_refused(data):
    for hostile in (data, cbor2.dumps([data]), cbor2.dumps([signed(), data])):
        with pytest.raises(MessageError):
            first_anchors(hostile, fingerprint=fingerprint(), now=NOW)


@pytest.mark.parametrize(
    "data",
    [
        bytes(CHAIN_LIMIT + 1),
        cbor2.dumps([]),
        cbor2.dumps([b"x"] * (MAX_DOCUMENTS + 1)),
        cbor2.dumps(["text"]),
        cbor2.dumps({}),
        cbor2.dumps([bytes(20_000)]),
        b"\x9f\xff",
    ],
)
def test_an_array_of_another_form_is_refused(data):
    with pytest.raises(MessageError):
        later_anchors(first(signed()), data, now=NOW)


def test_a_fingerprint_does_not_depend_on_the_order_of_the_roots():
    assert fingerprint((0, 1)) == fingerprint((1, 0))
    assert fingerprint((0, 1)) != fingerprint((0,))
    assert len(fingerprint().split("-")) == 16
