import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError
from edge.trust.keys import (
    ContentKey,
    SealingKey,
    SealingPublicKey,
    SigningKey,
    VerifyingKey,
)

# RFC 8032, 7.1: secret key, public key, message, signature of TEST 1, 2 and 3.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_signatures_are_those_of_rfc_8032(secret, public, message, signature):
    key = SigningKey(bytes.fromhex(secret))
    assert key.public.raw.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    verifying = VerifyingKey(bytes.fromhex(public))
    assert verifying.is_signature(bytes.fromhex(signature), bytes.fromhex(message))


@given(st.binary(max_size=200), st.integers(0, 511))
def test_a_signature_with_one_bit_turned_is_none(data, bit):
    key = SigningKey(bytes(range(32)))
    signature = bytearray(key.sign(data))
    signature[bit // 8] ^= 1 << bit % 8
    assert not key.public.is_signature(bytes(signature), data)


@given(st.binary(max_size=80))
def test_no_bytes_of_a_stranger_are_a_signature(signature):
    assert not SigningKey(bytes(32)).public.is_signature(signature, b"data")


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_what_is_sealed_opens_with_the_key_and_the_info_only(text, info):
    key, other = SealingKey.generate(), SealingKey.generate()
    sealed = key.public.seal(text, info=info)
    assert key.open(sealed, info=info) == text
    for wrong, about in ((other, info), (key, info + b"x")):
        with pytest.raises(MessageError, match="not for this key, or changed"):
            wrong.open(sealed, info=about)


def test_every_byte_of_a_sealed_text_counts():
    key = SealingKey.generate()
    sealed = key.public.seal(b"text", info=b"")
    for index in range(len(sealed)):
        changed = bytearray(sealed)
        changed[index] ^= 1
        with pytest.raises(MessageError):
            key.open(bytes(changed), info=b"")


@given(st.binary(max_size=100))
def test_hostile_bytes_are_no_sealed_text(data):
    with pytest.raises(MessageError):
        SealingKey(bytes(range(32))).open(data, info=b"")


def test_two_sealed_texts_of_the_same_do_not_resemble():
    public = SealingKey.generate().public
    first, second = (public.seal(b"text", info=b"") for _ in range(2))
    assert first[:32] != second[:32]
    assert first[32:] != second[32:]


def test_a_point_of_small_order_is_not_sealed_to():
    with pytest.raises(MessageError, match="weak"):
        SealingPublicKey(bytes(32)).seal(b"text", info=b"")


@pytest.mark.parametrize("kind", [VerifyingKey, SigningKey, SealingKey])
@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_has_32_bytes(kind, length):
    with pytest.raises(MessageError, match="32 expected"):
        kind(bytes(length))


def test_no_key_shows_its_secret():
    secret = bytes(range(32))
    for key in (SigningKey(secret), SealingKey(secret), ContentKey(1, secret)):
        assert secret.hex() not in repr(key)
        assert str(secret) not in repr(key)
