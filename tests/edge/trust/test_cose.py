import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError
from edge.trust.cose import (
    ENCRYPT0_TAG,
    OVERHEAD_BYTES,
    SIGN1_TAG,
    SIGN_TAG,
    _to_be_signed,
    decrypt,
    encrypt,
    read_signed,
    read_signed_by_many,
    sign,
    sign_by_many,
)
from edge.trust.keys import ContentKey, SigningKey

KEY, OTHER = SigningKey(bytes(range(32))), SigningKey(bytes(range(1, 33)))
CONTENT = ContentKey(3, bytes(range(32)))
LIMIT = 4096


def verified(data, key=KEY):
    return read_signed(data, limit=LIMIT).verified(key.public)


def test_the_signature_is_that_of_the_published_example():
    """Example eddsa-examples/eddsa-sig-01 of the COSE working group."""
    key = SigningKey(
        bytes.fromhex(
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
        )
    )
    protected = bytes.fromhex("a201270300")
    data = _to_be_signed("Signature1", protected, None, b"This is the content.")
    assert key.sign(data).hex() == (
        "7142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb87"
        "11497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d"
    )


@given(st.binary(max_size=500))
def test_what_was_signed_is_read_again(payload):
    data = sign(payload, KEY)
    assert verified(data) == payload
    assert len(data) <= len(payload) + OVERHEAD_BYTES
    assert data == sign(payload, KEY)


def test_every_byte_of_a_signed_object_counts():
    data = sign(b"payload", KEY)
    for index in range(len(data)):
        for change in (1, 0x80, 0xFF):
            changed = bytearray(data)
            changed[index] ^= change
            with pytest.raises(MessageError):
                verified(bytes(changed))


def test_an_object_cut_short_or_drawn_out_is_refused():
    data = sign(b"payload", KEY)
    for length in range(len(data)):
        with pytest.raises(MessageError):
            verified(data[:length])
    with pytest.raises(MessageError):
        verified(data + b"\0")


def test_a_signature_by_another_key_is_refused():
    with pytest.raises(MessageError, match="does not verify"):
        verified(sign(b"payload", OTHER))
    # The name of our key, the signature of another.
    protected, unprotected, payload, _ = cbor2.loads(sign(b"payload", KEY)).value
    forged = cbor2.loads(sign(b"payload", OTHER)).value[3]
    mixed = [protected, dict(unprotected), payload, forged]
    with pytest.raises(MessageError, match="does not verify"):
        verified(cbor2.dumps(cbor2.CBORTag(SIGN1_TAG, mixed)))


def signed1(**parts):
    header = cbor2.dumps({1: -8, 4: KEY.public.key_id})
    usual = {
        "protected": header,
        "unprotected": {},
        "payload": b"p",
        "signature": bytes(64),
    }
    return cbor2.dumps(cbor2.CBORTag(SIGN1_TAG, list({**usual, **parts}.values())))


@pytest.mark.parametrize(
    "parts",
    [
        {"unprotected": {4: b"12345678"}},
        {"protected": b""},
        {"protected": cbor2.dumps({1: -7, 4: KEY.public.key_id})},
        {"protected": cbor2.dumps({1: -8})},
        {"protected": cbor2.dumps({1: -8, 4: b"short"})},
        {"protected": cbor2.dumps({1: -8, 4: "12345678"})},
        {"protected": cbor2.dumps({1: -8, 4: KEY.public.key_id, 2: [99]})},
        {"protected": b"\xa3\x01\x27\x01\x27\x04\x41a"},
        {"protected": "text"},
        {"payload": None},
        {"payload": "text"},
        {"payload": [1]},
        {"signature": bytes(63)},
        {"signature": bytes(65)},
        {"signature": None},
        {"more": 1},
    ],
)
def test_a_form_that_is_not_ours_is_refused(parts):
    with pytest.raises(MessageError):
        verified(signed1(**parts))


def test_one_kind_of_object_is_not_taken_for_another():
    one, many = sign(b"p", KEY), sign_by_many(b"p", [KEY])
    text = encrypt(b"p", CONTENT, context=b"")
    for data in (many, text, cbor2.dumps([1]), cbor2.dumps({})):
        with pytest.raises(MessageError, match=f"tag {SIGN1_TAG} expected"):
            read_signed(data, limit=LIMIT)
    for data in (one, text):
        with pytest.raises(MessageError, match=f"tag {SIGN_TAG} expected"):
            read_signed_by_many(data, limit=LIMIT)
        with pytest.raises(MessageError):
            decrypt(one, CONTENT, context=b"", limit=LIMIT)
    # The signature of one kind is none of the other.
    signature = cbor2.loads(one).value[3]
    header = cbor2.dumps({1: -8, 4: KEY.public.key_id})
    forged = [b"", {}, b"p", [[header, {}, signature]]]
    item = read_signed_by_many(
        cbor2.dumps(cbor2.CBORTag(SIGN_TAG, forged)), limit=LIMIT
    )
    assert item.signers([KEY.public]) == set()


@given(st.binary(max_size=300))
def test_hostile_bytes_are_refused_by_every_reader(data):
    for tag in (b"", b"\xd2", b"\xd8\x62", b"\xd0", b"\xd2\x84", b"\xd0\x83"):
        hostile = tag + data
        for read in (
            lambda d: read_signed(d, limit=LIMIT).verified(KEY.public),
            lambda d: decrypt(d, CONTENT, context=b"", limit=LIMIT),
        ):
            with pytest.raises(MessageError):
                read(hostile)
        try:
            item = read_signed_by_many(hostile, limit=LIMIT)
        except MessageError:
            continue
        assert item.signers([KEY.public]) == set()


def test_hostile_depth_and_length_cost_nothing():
    deep = b"\xd2" + b"\x81" * 2000 + b"\x00"
    claims = b"\xd2\x9b" + (2**60).to_bytes(8, "big")
    text = b"\xd2\x84\x5b" + (2**62).to_bytes(8, "big")
    endless = b"\xd2\x9f" + b"\x40" * 100 + b"\xff"
    for data in (deep, claims, text, endless):
        with pytest.raises(MessageError):
            read_signed(data, limit=LIMIT)
    with pytest.raises(MessageError, match="4097 bytes, 4096 allowed"):
        read_signed(bytes(4097), limit=LIMIT)


def test_many_signatures_are_told_apart():
    third = SigningKey.generate()
    item = read_signed_by_many(sign_by_many(b"p", [KEY, OTHER]), limit=LIMIT)
    assert item.payload == b"p"
    keys = [KEY.public, third.public]
    assert item.signers(keys) == {KEY.public}
    assert item.signers([*keys, OTHER.public]) == {KEY.public, OTHER.public}


def test_one_signature_given_twice_is_one_signer():
    item = read_signed_by_many(sign_by_many(b"p", [KEY] * 5), limit=LIMIT)
    assert item.signers([KEY.public, KEY.public]) == {KEY.public}


def test_every_byte_of_many_signatures_counts():
    data = sign_by_many(b"payload", [KEY, OTHER])
    keys = [KEY.public, OTHER.public]
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= 1
        try:
            item = read_signed_by_many(bytes(changed), limit=LIMIT)
        except MessageError:
            continue
        assert len(item.signers(keys)) < 2


def test_too_many_signatures_are_not_verified():
    with pytest.raises(MessageError, match="1 to 16 signatures"):
        read_signed_by_many(sign_by_many(b"p", [KEY] * 17), limit=LIMIT)


@given(st.binary(max_size=500), st.binary(max_size=30))
def test_what_was_encrypted_is_read_in_its_place_only(text, context):
    data = encrypt(text, CONTENT, context=context)
    assert decrypt(data, CONTENT, context=context, limit=LIMIT) == text
    with pytest.raises(MessageError, match="of another place"):
        decrypt(data, CONTENT, context=context + b"x", limit=LIMIT)


def test_every_byte_of_an_encrypted_object_counts():
    data = encrypt(b"text", CONTENT, context=b"c")
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= 1
        with pytest.raises(MessageError):
            decrypt(bytes(changed), CONTENT, context=b"c", limit=LIMIT)


def test_another_epoch_or_key_opens_nothing():
    data = encrypt(b"text", CONTENT, context=b"c")
    with pytest.raises(MessageError, match="not of epoch 4"):
        decrypt(data, ContentKey(4, CONTENT.secret), context=b"c", limit=LIMIT)
    with pytest.raises(MessageError, match="changed"):
        decrypt(data, ContentKey(3, bytes(32)), context=b"c", limit=LIMIT)


@pytest.mark.parametrize(
    "unprotected",
    [
        {},
        {4: bytes(8)},
        {4: (3).to_bytes(8, "big"), 5: bytes(11)},
        {4: (3).to_bytes(8, "big"), 5: "nonce"},
        {4: (3).to_bytes(8, "big"), 5: bytes(12), 6: b""},
        [],
    ],
)
def test_an_encrypted_object_of_another_form_is_refused(unprotected):
    protected = cbor2.dumps({1: 24})
    data = cbor2.dumps(cbor2.CBORTag(ENCRYPT0_TAG, [protected, unprotected, bytes(20)]))
    with pytest.raises(MessageError):
        decrypt(data, CONTENT, context=b"", limit=LIMIT)


@pytest.mark.parametrize(("depth", "is_read"), [(3, True), (6, False)])
def test_endless_nesting_in_a_signed_object_stops_at_a_few_levels(depth, is_read):
    empty = cbor2.dumps(b"")
    unprotected = b"\xa1\x01" + b"\x81" * depth + b"\x00"
    data = b"\xd2\x84" + empty + unprotected + empty + cbor2.dumps(bytes(64))
    with pytest.raises(MessageError) as refused:
        read_signed(data, limit=LIMIT)
    # What is read is refused later, for what it says.
    assert ("COSE_Sign1: no CBOR" in str(refused.value)) == (not is_read)
