"""Signed and encrypted objects: what was made is read, what was changed is refused."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError
from edge.trust.cose import (
    OVERHEAD_BYTES,
    decrypt,
    encrypt,
    read_signed,
    read_signed_by_many,
    sign,
    sign_by_many,
)
from edge.trust.keys import ContentKey, SealingKey, SealingPublicKey, SigningKey

KEY = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(32))
CONTENT = ContentKey(7, bytes(range(32)))
READER = SealingKey(bytes(range(32)))


def verified(data, key=KEY):
    return read_signed(data, limit=10_000).verified(key.public)


@given(st.binary(max_size=500))
def test_what_was_signed_is_read_as_it_was(payload):
    data = sign(payload, KEY)
    assert verified(data) == payload
    assert len(data) <= len(payload) + OVERHEAD_BYTES


def test_another_key_verifies_nothing():
    with pytest.raises(MessageError, match="does not verify"):
        verified(sign(b"x", KEY), OTHER)


@pytest.mark.parametrize("place", range(len(sign(b"payload", KEY))))
def test_a_signed_object_with_any_bit_changed_is_refused(place):
    data = bytearray(sign(b"payload", KEY))
    data[place] ^= 1
    with pytest.raises(MessageError):
        verified(bytes(data))


def test_something_after_the_object_is_refused():
    with pytest.raises(MessageError, match="follows"):
        verified(sign(b"x", KEY) + b"\x00")


def test_an_object_over_the_limit_is_not_read():
    with pytest.raises(MessageError, match="allowed"):
        read_signed(sign(bytes(200), KEY), limit=100)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    for read in (read_signed, read_signed_by_many):
        with pytest.raises(MessageError):
            read(data, limit=1000)
    with pytest.raises(MessageError):
        decrypt(data, CONTENT, context=b"", limit=1000)
    with pytest.raises(MessageError):
        READER.open(data, info=b"")


def test_the_framing_is_that_of_the_standard():
    item = cbor2.loads(sign(b"payload", KEY))
    assert item.tag == 18
    protected, unprotected, payload, signature = item.value
    assert cbor2.loads(protected) == {1: -8, 4: KEY.public.key_id}
    assert (unprotected, payload) == ({}, b"payload")
    to_be_signed = cbor2.dumps(["Signature1", protected, b"", payload])
    assert KEY.public.is_signature(signature, to_be_signed)


def test_the_signature_is_that_of_rfc_8032():
    # RFC 8032, 7.1, test 2.
    key = SigningKey(
        bytes.fromhex(
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
        )
    )
    assert key.public.raw.hex() == (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    )
    assert key.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_many_signers_are_told_apart():
    third = SigningKey.generate()
    item = read_signed_by_many(sign_by_many(b"x", [KEY, OTHER]), limit=1000)
    found = item.signers([KEY.public, third.public])
    assert found == {KEY.public}
    assert item.payload == b"x"


def test_a_signer_that_is_there_twice_counts_once():
    item = read_signed_by_many(sign_by_many(b"x", [KEY, KEY]), limit=1000)
    assert item.signers([KEY.public]) == {KEY.public}


@given(st.binary(max_size=500))
def test_what_was_encrypted_opens_in_its_place_only(plaintext):
    data = encrypt(plaintext, CONTENT, context=b"here")
    assert decrypt(data, CONTENT, context=b"here", limit=1000) == plaintext
    with pytest.raises(MessageError):
        decrypt(data, CONTENT, context=b"there", limit=1000)
    with pytest.raises(MessageError):
        decrypt(data, ContentKey(8, CONTENT.secret), context=b"here", limit=1000)
    with pytest.raises(MessageError):
        decrypt(data, ContentKey(7, bytes(32)), context=b"here", limit=1000)


def test_equal_texts_are_encrypted_differently():
    one, two = (encrypt(b"x", CONTENT, context=b"") for _ in range(2))
    assert one != two


def test_what_was_sealed_opens_for_its_reader_and_info_only():
    sealed = READER.public.seal(b"secret", info=b"info")
    assert READER.open(sealed, info=b"info") == b"secret"
    assert b"secret" not in sealed
    with pytest.raises(MessageError):
        READER.open(sealed, info=b"other")
    with pytest.raises(MessageError):
        SealingKey.generate().open(sealed, info=b"info")


def test_a_weak_public_key_is_refused():
    with pytest.raises(MessageError, match="weak"):
        SealingPublicKey(bytes(32)).seal(b"secret", info=b"")


def test_secrets_do_not_show():
    for value in (KEY, READER, CONTENT):
        assert bytes(range(32)).hex() not in repr(value)
        assert repr(bytes(range(32)))[2:-1] not in repr(value)
