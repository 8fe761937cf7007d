from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.trust.cose import sign
from edge.trust.grants import (
    MAX_EPOCHS,
    EpochKey,
    Epochs,
    Grant,
    _info,
    make_grant,
    open_epoch,
    open_grant,
    read_grant,
    seal_epoch,
)
from edge.trust.keys import ContentKey, SealingKey, SigningKey

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HUB, STRANGER = SigningKey.generate(), SigningKey.generate()
BOOTH = SealingKey.generate()
KEYS = {HUB.public.key_id: HUB.public}
EPOCHS = [ContentKey.generate(n) for n in range(1, 4)]


def grant(booth_id="booth-1", serial=5, epochs=EPOCHS, key=HUB):
    return make_grant(
        booth_id, BOOTH.public, epochs, serial=serial, issued_at=NOW, key=key
    )


def refused(reason, *arguments, **options):
    with pytest.raises(RefusalError) as caught:
        read_grant(*arguments, **options)
    assert caught.value.reason is reason


def test_a_booth_opens_its_grant():
    read = read_grant(grant(), "booth-1", KEYS)
    assert read.serial == 5
    assert open_grant(read, BOOTH) == {key.epoch: key for key in EPOCHS}


def test_only_the_newest_epochs_are_given():
    keys = [ContentKey.generate(n) for n in range(1, MAX_EPOCHS + 6)]
    opened = open_grant(read_grant(grant(epochs=keys), "booth-1", KEYS), BOOTH)
    assert list(opened) == list(range(6, MAX_EPOCHS + 6))


def test_attack_a_grant_for_another_booth():
    refused(RefusalReason.WRONG_READER, grant("booth-2"), "booth-1", KEYS)


def test_attack_a_grant_by_a_stranger():
    refused(RefusalReason.WRONG_SIGNER, grant(key=STRANGER), "booth-1", KEYS)


def test_attack_an_older_grant_replayed():
    refused(RefusalReason.ROLLBACK, grant(serial=4), "booth-1", KEYS, known_serial=5)
    assert read_grant(grant(serial=5), "booth-1", KEYS, known_serial=5).serial == 5
    assert read_grant(grant(serial=6), "booth-1", KEYS, known_serial=5).serial == 6


def test_attack_the_keys_of_an_old_grant_in_a_new_one():
    """The hub's signature alone is not enough: what is sealed names its serial."""
    old = read_grant(grant(serial=4), "booth-1", KEYS)
    forged = sign(old.model_copy(update={"serial": 9}).encode(), HUB)
    with pytest.raises(MessageError, match="changed"):
        open_grant(read_grant(forged, "booth-1", KEYS), BOOTH)


def test_another_booth_cannot_open_it():
    with pytest.raises(MessageError, match="not for this key"):
        open_grant(read_grant(grant(), "booth-1", KEYS), SealingKey.generate())


def test_an_epoch_given_twice_is_refused():
    twice = Epochs(epochs=[EpochKey(epoch=1, secret=bytes(32))] * 2)
    sealed = BOOTH.public.seal(twice.encode(), info=_info("booth-1", 1))
    data = Grant(booth_id="booth-1", serial=1, issued_at=NOW, sealed=sealed)
    with pytest.raises(MessageError, match="twice"):
        open_grant(data, BOOTH)


@given(st.binary(max_size=300))
def test_hostile_bytes_are_refused(data):
    for hostile in (data, sign(data, HUB)):
        with pytest.raises(MessageError):
            read_grant(hostile, "booth-1", KEYS)


def test_every_byte_of_a_grant_counts():
    data = grant()
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= 1
        with pytest.raises(MessageError):
            read_grant(bytes(changed), "booth-1", KEYS)


def test_the_hub_keeps_an_epoch_sealed_to_itself():
    hub = SealingKey.generate()
    sealed = seal_epoch(EPOCHS[0], hub.public)
    assert open_epoch(1, sealed, hub) == EPOCHS[0]
    assert EPOCHS[0].secret not in sealed
    with pytest.raises(MessageError):
        open_epoch(2, sealed, hub)
    with pytest.raises(MessageError):
        open_epoch(1, sealed, BOOTH)
