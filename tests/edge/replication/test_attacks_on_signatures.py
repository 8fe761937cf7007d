"""Somebody signs what he may not, sends what is for others, or changes single bits.

Each test says what he does and what the booth keeps.
"""

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.records.message_map import BoothId, Instant, MessageMap
from edge.replication.freshness import FreshnessState
from edge.replication.head import make_head
from edge.replication.requests import AskChanges
from edge.trust.cose import sign
from edge.trust.keys import ContentKey, SigningKey

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOTHING_HELD = AskChanges(0, bytes(32))


@contextmanager
def refused(reason):
    with pytest.raises(RefusalError) as caught:
        yield
    assert caught.value.reason is reason


def deliveries(booth, head, changes, manifest):
    return [(booth.head, head), (booth.changes, changes), (booth.manifest, manifest)]


def signed_by(hub, key):
    """Return the hub's messages as another signer would make them."""
    true_key, hub.key = hub.key, key
    messages = hub.head(), hub.changes(0, 10), hub.take_snapshot()
    hub.key = true_key
    return messages


# Wrong signer


def test_wrong_signer_an_unknown_key_is_not_believed(hub, booth):
    for take, data in deliveries(booth, *signed_by(hub, SigningKey.generate())):
        with refused(RefusalReason.WRONG_SIGNER):
            take(data)
    assert booth.replica.next_request() == NOTHING_HELD
    assert booth.replica.freshness(START).behind == 0


def test_wrong_signer_a_booth_that_was_taken_over_cannot_speak_for_the_hub(hub, booth):
    # The booth's key is a true key of the system; it may sign hits, not the watchlist.
    booths_key = SigningKey.generate()
    for take, data in deliveries(booth, *signed_by(hub, booths_key)):
        with refused(RefusalReason.WRONG_SIGNER):
            take(data)
    assert booth.replica.newest is None


def test_wrong_signer_an_operations_key_signs_no_head_no_change_and_no_manifest(
    hub, booth
):
    for take, data in deliveries(booth, *signed_by(hub, hub.operations_key)):
        with refused(RefusalReason.WRONG_SIGNER):
            take(data)
    assert booth.replica.newest is None


def test_wrong_signer_a_key_that_was_rotated_away_is_believed_no_longer(
    hub, full_booth
):
    lost, hub.key = hub.key, SigningKey.generate()
    full_booth.replica.trust(hub.anchors())
    hub.add(1)
    for take, data in [
        (full_booth.head, hub.head(START + MINUTE, key=lost)),
        (full_booth.changes, hub.changes(10, 11, key=lost)),
    ]:
        with refused(RefusalReason.WRONG_SIGNER):
            take(data)
    assert full_booth.position == hub.positions[10]
    full_booth.changes(hub.changes(10, 11))  # the new key goes on with the same log
    assert full_booth.position == hub.position


def test_wrong_signer_the_name_of_a_true_key_does_not_help_a_false_signature(
    hub, booth
):
    forger = SigningKey.generate()
    for take, data in deliveries(booth, *signed_by(hub, forger)):
        name, false = hub.key.public.key_id, forger.public.key_id
        with pytest.raises(MessageError, match="does not verify"):
            take(data.replace(false, name))


def test_wrong_signer_a_lost_key_cannot_keep_honest_heads_out_after_its_rotation(
    hub, full_booth
):
    # The thief signs a head far ahead, so that every honest one looks like a rollback.
    far = replace(hub.position, sequence=10**12, chain=b"x" * 32)
    now = START + MINUTE
    full_booth.head(make_head(far, 1, 0, now, 3600, hub.key), now)
    with refused(RefusalReason.ROLLBACK):
        full_booth.head(hub.head(now), now)
    hub.key = SigningKey.generate()
    full_booth.replica.trust(hub.anchors())
    full_booth.head(hub.head(now), now)
    freshness = full_booth.replica.freshness(now)
    assert (freshness.state, freshness.behind) == (FreshnessState.FRESH, 0)


# Replay to another booth


class AddressedNote(MessageMap):
    """In the shape of grant, receipt and command: it names the booth it is for."""

    type_name = "grant"
    booth_id: BoothId
    serial: int
    issued_at: Instant
    sealed: bytes


@pytest.mark.parametrize("booth_id", ["booth-1", "booth-2"])
@pytest.mark.parametrize("signer", ["operations", "watchlist"])
def test_replay_of_what_is_addressed_to_a_booth_is_no_word_on_the_watchlist(
    hub, booth, booth_id, signer
):
    note = AddressedNote(booth_id=booth_id, serial=1, issued_at=START, sealed=b"x")
    key = hub.operations_key if signer == "operations" else hub.key
    for take, data in deliveries(booth, *[sign(note.encode(), key)] * 3):
        with pytest.raises(MessageError):
            take(data)
    assert booth.replica.next_request() == NOTHING_HELD


def test_replay_of_another_booths_answers_gives_only_what_all_booths_may_have(
    hub, make_booth
):
    # Heads, changes and chunks are the same for all booths and name none: what was
    # recorded on the way to one booth brings another to the hub's state, no further.
    first, second = make_booth(hub), make_booth(hub)
    recorded = [hub.changes(0, 4), hub.changes(4, 10)]
    for data in recorded:
        first.changes(data)
        second.changes(data)
    assert second.position == first.position == hub.position


# Other log, unknown epoch


def test_other_log_of_the_same_signer_is_not_mixed_in(hub, full_booth, make_hub):
    other = make_hub(log="cd" * 16, key=hub.key, content_key=hub.content_key)
    other.add(12)
    other_manifest = other.take_snapshot()
    for take, data in deliveries(
        full_booth, other.head(), other.changes(10, 12), other_manifest
    ):
        with refused(RefusalReason.WRONG_LOG):
            take(data)
    assert full_booth.position == hub.position
    assert full_booth.replica.freshness(START).behind == 0


def test_other_log_by_a_new_trust_document_starts_from_the_beginning(
    hub, full_booth, make_hub
):
    other = make_hub(log="cd" * 16, key=hub.key, content_key=hub.content_key)
    other.add(2)
    full_booth.replica.trust(other.anchors())
    assert full_booth.replica.newest is None
    assert full_booth.replica.freshness(START).state is FreshnessState.UNKNOWN
    accepted = full_booth.replica.accept_changes(other.changes(0, 2), START)
    assert accepted.before == other.positions[0]


def test_unknown_epoch_keeps_the_list_and_says_that_a_key_is_missing(
    hub, full_booth, make_booth
):
    hub.content_key = ContentKey.generate(2)  # the booth was revoked before it
    hub.add(1)
    with refused(RefusalReason.NO_KEY):
        full_booth.changes(hub.changes(10, 11))
    empty = make_booth(hub, content_keys={})
    manifest = empty.manifest(hub.take_snapshot())
    with refused(RefusalReason.NO_KEY):
        empty.replica.open_chunk(manifest, next(iter(hub.chunks.values())))
    assert full_booth.position == hub.positions[10]
    assert full_booth.replica.freshness(START).behind == 1


def test_unknown_epoch_opens_once_the_key_has_come(hub, full_booth):
    hub.content_key = ContentKey.generate(2)
    hub.add(1)
    full_booth.replica.use_content_keys({2: hub.content_key})
    full_booth.changes(hub.changes(10, 11))
    assert full_booth.position == hub.position


def test_another_key_of_the_same_epoch_opens_nothing(hub, make_booth):
    booth = make_booth(hub, content_keys={1: ContentKey.generate(1)})
    with pytest.raises(MessageError, match="changed"):
        booth.changes(hub.changes(0, 10))
    assert booth.entries == {}


# Changed bits


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_changed_bit_anywhere_in_any_object_makes_it_worthless(
    make_hub, make_booth, data
):
    hub = make_hub()
    hub.add(3)
    booth = make_booth(hub)
    manifest = hub.take_snapshot()
    kind = data.draw(st.sampled_from(["head", "changes", "manifest", "chunk"]))
    if kind == "chunk":
        booth.manifest(manifest)
    honest = {
        "head": hub.head(),
        "changes": hub.changes(0, 3),
        "manifest": manifest,
        "chunk": next(iter(hub.chunks.values())),
    }[kind]
    changed = bytearray(honest)
    bit = data.draw(st.integers(0, 8 * len(honest) - 1))
    changed[bit // 8] ^= 1 << bit % 8
    why = booth.hear((kind, bytes(changed)), START)
    assert why is not None
    assert booth.position.sequence == 0
    assert booth.replica.newest is None


@settings(max_examples=300, deadline=None)
@given(noise=st.binary(max_size=400), is_signed=st.booleans(), frame=st.booleans())
def test_noise_is_refused_without_any_other_error(
    make_hub, make_booth, noise, is_signed, frame
):
    hub = make_hub()
    hub.add(1)
    booth = make_booth(hub)
    booth.manifest(hub.take_snapshot())
    if is_signed:
        noise = sign(noise, hub.key)
    elif frame:
        noise = cbor2.dumps(cbor2.CBORTag(18, noise))
    for take in (booth.head, booth.changes, booth.manifest):
        with pytest.raises(MessageError):
            take(noise)
    with pytest.raises(MessageError):
        booth.chunk(noise)
