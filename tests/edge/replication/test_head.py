from datetime import UTC, datetime, timedelta

import cbor2
import pytest

from edge.errors import MessageError
from edge.replication.head import read_head
from edge.trust.cose import sign

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000
HOUR_US = 3_600_000_000


def signed_head(hub, **changed):
    """Sign a head past its maker, with fields that it would not put in."""
    fields = {
        "v": 1,
        "type": "head",
        "log": hub.log,
        "epoch": 1,
        "sequence": 10,
        "chain": hub.position.chain,
        "digest": hub.position.digest,
        "count": 10,
        "snapshot": 0,
        "issued_at": START_US,
        "expires_at": START_US + HOUR_US,
    }
    return sign(cbor2.dumps(fields | changed, canonical=True), hub.key)


def test_a_head_of_another_maker_reads_the_same(hub):
    # The protocol in the test's own words: what a foreign client would write.
    assert read_head(signed_head(hub), hub.anchors()).position == hub.position
    assert signed_head(hub) == hub.head(START)


@pytest.mark.parametrize(
    "changed",
    [
        {"expires_at": START_US},
        {"expires_at": START_US - 1},
        {"expires_at": START_US + 7 * 24 * HOUR_US + 1},
        {"snapshot": 11},
        {"count": 11},
        {"epoch": 0},
        {"sequence": -1},
        {"sequence": 2**63},
        {"sequence": "10"},
        {"sequence": True},
        {"chain": b"short"},
        {"log": "AB" * 16},
        {"log": "ab" * 17},
        {"issued_at": 2**63},
        {"v": 2},
        {"type": "changes"},
        {"another": 1},
    ],
    ids=str,
)
def test_a_head_that_cannot_be_is_refused_whoever_signed_it(hub, changed):
    with pytest.raises(MessageError):
        read_head(signed_head(hub, **changed), hub.anchors())


def test_a_head_may_be_valid_for_seven_days_and_no_longer(hub):
    week = signed_head(hub, expires_at=START_US + 7 * 24 * HOUR_US)
    head = read_head(week, hub.anchors())
    assert head.expires_at - head.issued_at == timedelta(days=7)
