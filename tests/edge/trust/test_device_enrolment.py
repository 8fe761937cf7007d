from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.trust.anchors import (
    TrustDocument,
    encode_chain,
    first_anchors,
    root_fingerprint,
    sign_document,
)
from edge.trust.certificates import make_request as make_certificate_request
from edge.trust.cose import read_signed, sign
from edge.trust.enrolment import (
    REQUEST_LIFETIME,
    TEXT_PREFIX,
    EnrolmentAnswer,
    EnrolmentRequest,
    from_text,
    make_request,
    open_answer,
    open_request,
    request_digest,
    require_vouched,
    to_text,
)
from edge.trust.keys import SealingKey, SigningKey

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD, NEW, STRANGER = (SigningKey.generate() for _ in range(3))
SEALING = SealingKey.generate()
_, CSR = make_certificate_request("booth-1")
ROOT, OPERATIONS = SigningKey.generate(), SigningKey.generate()


def request(**changes):
    usual = {"signing": NEW, "sealing": SEALING, "csr": CSR, "now": NOW}
    booth_id = changes.pop("booth_id", "booth-1")
    return make_request(booth_id, **{**usual, **changes})


def trust(root=ROOT, operations=OPERATIONS):
    document = TrustDocument(
        log="0" * 32,
        version=1,
        issued_at=NOW,
        expires_at=NOW + timedelta(days=9),
        threshold=1,
        roots=[root.public.raw],
        watchlist=[operations.public.raw],
        operations=[operations.public.raw],
        sealing=[SEALING.public.raw],
        ca=b"CA",
    )
    return encode_chain([sign_document(document, [root])])


FINGERPRINT = root_fingerprint([ROOT.public.raw])
REQUEST = request()


def answer(key=OPERATIONS, **changes):
    usual = {
        "booth_id": "booth-1",
        "request_digest": request_digest(REQUEST),
        "trust": trust(),
        "certificate": b"PEM",
        "broker_host": "hub.example",
        "broker_port": 8883,
        "grant": b"grant",
    }
    return sign(EnrolmentAnswer(**{**usual, **changes}).encode(), key)


def refused(reason, call, *arguments, **options):
    with pytest.raises(RefusalError) as caught:
        call(*arguments, **options)
    assert caught.value.reason is reason
    assert "\n" not in str(caught.value)


def test_a_request_is_read_again():
    read = open_request(request(), now=NOW)
    assert (read.booth_id, read.signing) == ("booth-1", NEW.public.raw)
    assert read.previous is None


def test_a_request_fits_into_one_code():
    """A QR code of version 40 at level M holds 2,331 bytes."""
    assert len(to_text(request(previous=OLD))) < 2331


def test_attack_the_keys_of_another_in_a_request():
    payload = read_signed(request(), limit=4096).payload
    with pytest.raises(MessageError, match="does not verify"):
        open_request(sign(payload, STRANGER), now=NOW)


def test_attack_a_certificate_request_of_another_booth():
    with pytest.raises(MessageError, match="not booth 'booth-2'"):
        open_request(request(booth_id="booth-2"), now=NOW)


def test_an_old_request_and_one_to_come_are_refused():
    late = NOW + REQUEST_LIFETIME + timedelta(seconds=1)
    refused(RefusalReason.EXPIRED, open_request, request(), now=late)
    early = NOW - timedelta(days=2)
    refused(RefusalReason.FUTURE, open_request, request(), now=early)


def test_every_byte_of_a_request_counts():
    for data in (request(), request(previous=OLD)):
        for index in range(len(data)):
            changed = bytearray(data)
            changed[index] ^= 1
            with pytest.raises(MessageError):
                open_request(bytes(changed), now=NOW)


@given(st.binary(max_size=300))
def test_hostile_bytes_are_no_request_and_no_answer(data):
    for hostile in (data, sign(data, NEW), sign(data, OPERATIONS)):
        with pytest.raises(MessageError):
            open_request(hostile, now=NOW)
        with pytest.raises(MessageError):
            open_answer(hostile, REQUEST, now=NOW, fingerprint=FINGERPRINT)


def test_the_old_key_vouches_for_the_new_ones():
    require_vouched(open_request(request(previous=OLD), now=NOW), OLD.public)


def test_attack_new_keys_for_which_nobody_or_a_stranger_vouches():
    for data in (request(), request(previous=STRANGER), request(previous=NEW)):
        opened = open_request(data, now=NOW)
        refused(RefusalReason.WRONG_SIGNER, require_vouched, opened, OLD.public)


def test_attack_a_voucher_moved_to_another_request():
    voucher = open_request(request(previous=OLD), now=NOW).previous
    theirs = open_request(request(signing=STRANGER), now=NOW)
    moved = theirs.model_copy(update={"previous": voucher})
    opened = open_request(sign(moved.encode(), STRANGER), now=NOW)
    refused(RefusalReason.WRONG_SIGNER, require_vouched, opened, OLD.public)


def test_attack_another_message_of_the_booth_taken_for_a_voucher():
    plain = open_request(request(), now=NOW)
    for said in (b"", b"hello", sign(plain.encode(), STRANGER)):
        forged = plain.model_copy(update={"previous": sign(said, OLD)})
        opened = open_request(sign(forged.encode(), NEW), now=NOW)
        refused(RefusalReason.WRONG_SIGNER, require_vouched, opened, OLD.public)


def test_an_answer_is_believed_by_the_fingerprint():
    read, anchors = open_answer(answer(), REQUEST, now=NOW, fingerprint=FINGERPRINT)
    assert read.broker_host == "hub.example"
    assert anchors.version == 1


def test_an_answer_is_believed_by_what_is_trusted_already():
    anchors = first_anchors(trust(), fingerprint=FINGERPRINT, now=NOW)
    read, _ = open_answer(answer(), REQUEST, now=NOW, anchors=anchors)
    assert read.booth_id == "booth-1"


def test_without_a_fingerprint_nothing_is_believed():
    refused(RefusalReason.WRONG_SIGNER, open_answer, answer(), REQUEST, now=NOW)


def test_attack_an_answer_of_another_hub():
    theirs = trust(root=STRANGER, operations=STRANGER)
    data = answer(STRANGER, trust=theirs)
    refused(
        RefusalReason.WRONG_SIGNER,
        open_answer,
        data,
        REQUEST,
        now=NOW,
        fingerprint=FINGERPRINT,
    )


def test_attack_our_trust_in_an_answer_by_a_stranger():
    refused(
        RefusalReason.WRONG_SIGNER,
        open_answer,
        answer(STRANGER),
        REQUEST,
        now=NOW,
        fingerprint=FINGERPRINT,
    )


@pytest.mark.parametrize(
    "changes", [{"booth_id": "booth-2"}, {"request_digest": bytes(32)}]
)
def test_attack_the_answer_to_another(changes):
    refused(
        RefusalReason.WRONG_READER,
        open_answer,
        answer(**changes),
        REQUEST,
        now=NOW,
        fingerprint=FINGERPRINT,
    )


def test_every_byte_of_an_answer_counts():
    data = answer()
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= 1
        with pytest.raises(MessageError):
            open_answer(bytes(changed), REQUEST, now=NOW, fingerprint=FINGERPRINT)


@given(st.binary(max_size=500))
def test_what_was_made_text_is_read_again(data):
    text = to_text(data)
    assert text.startswith(TEXT_PREFIX)
    assert from_text(text.encode()) == data
    broken = "\r\n ".join(text[n : n + 60] for n in range(0, len(text), 60))
    assert from_text(f"  {broken}\n".encode()) == data


@given(st.text("ABCDabcd0189-_", max_size=40), st.sampled_from("!=.\0"))
def test_text_with_a_strange_character_is_refused(text, strange):
    with pytest.raises(MessageError, match="copy it again"):
        from_text(f"{TEXT_PREFIX}{text}{strange}AAA".encode())


def test_a_file_of_bytes_is_left_as_it_is():
    assert from_text(REQUEST) == REQUEST


def test_a_request_has_no_field_more():
    body = EnrolmentRequest.decode(read_signed(REQUEST, limit=4096).payload)
    with pytest.raises(ValueError, match="booth_id"):
        EnrolmentRequest.model_validate({**body.model_dump(), "booth_id": "hub"})
