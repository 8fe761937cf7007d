"""A chunk that the hub itself has signed for holds what no snapshot can hold.

Only a hub that is broken, or whose keys were stolen, can send these. The store would
refuse the whole snapshot in the end; the core refuses the chunk.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from edge.errors import RefusalError, RefusalReason
from edge.replication.manifest import (
    ChunkLine,
    chunk_address,
    chunk_context,
    make_manifest,
)
from edge.replication.packing import array_of, deflated
from edge.replication.snapshot import entry_key
from edge.trust.cose import encrypt

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def in_order(hub, numbers):
    """Return the records of these persons as a snapshot sorts them."""
    by_key = {entry_key(f"person-{n}"): hub.records[n - 1] for n in numbers}
    return [record for _, record in sorted(by_key.items())]


def opened(hub, booth, records, *, sequence=None):
    """Let the booth open a chunk of these records under a manifest that names it."""
    packed = array_of(records)
    context = chunk_context(hub.log, 1)
    data = encrypt(deflated(packed), hub.content_key, context=context)
    line = ChunkLine(chunk_address(data), len(data), len(packed), len(records))
    position = replace(
        hub.position, count=len(records), sequence=sequence or hub.position.sequence
    )
    manifest = booth.replica.accept_manifest(
        make_manifest(position, 1, [line], START, hub.key), START
    )
    return booth.replica.open_chunk(manifest, data)


def test_an_honest_chunk_opens(hub, booth):
    assert len(opened(hub, booth, in_order(hub, range(1, 11)))) == 10


def test_mix_a_withdrawal_among_the_entries_is_not_taken(hub, booth):
    hub.withdraw("person-3")
    with pytest.raises(RefusalError, match="withdrawal") as caught:
        opened(hub, booth, [hub.records[10]])
    assert caught.value.reason is RefusalReason.MIXED


def test_mix_an_entry_of_a_later_state_is_not_taken(hub, booth):
    with pytest.raises(RefusalError, match="later change") as caught:
        opened(hub, booth, in_order(hub, range(1, 11)), sequence=9)
    assert caught.value.reason is RefusalReason.MIXED


@pytest.mark.parametrize("how", ["swapped", "twice"])
def test_mix_entries_out_of_their_order_are_not_taken(hub, booth, how):
    first, second = in_order(hub, [1, 2])
    records = [second, first] if how == "swapped" else [first, first]
    with pytest.raises(RefusalError, match="wrong place") as caught:
        opened(hub, booth, records)
    assert caught.value.reason is RefusalReason.MIXED
