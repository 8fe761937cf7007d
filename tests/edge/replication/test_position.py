from dataclasses import replace

import pytest

from edge.errors import RefusalError, RefusalReason
from edge.records.changes import decode_change
from edge.replication.position import RecordedChange, advanced, beginning
from edge.replication.set_digest import EMPTY_DIGEST, SetDigest, record_digest
from edge.terms import ChangeOperation


def recorded(hub, sequence):
    record = hub.records[sequence - 1]
    return RecordedChange(decode_change(record), record)


def test_the_beginning_of_a_log_holds_nothing(hub):
    position = beginning(hub.log)
    assert (position.sequence, position.count) == (0, 0)
    assert (position.chain, position.digest) == (bytes(32), EMPTY_DIGEST)


def test_adding_and_withdrawing_an_entry_leaves_the_set_as_it_was(make_hub):
    hub = make_hub()
    hub.add(2)
    hub.withdraw("person-2")
    assert hub.position.digest == hub.positions[1].digest
    assert hub.position.count == 1
    assert hub.position.chain != hub.positions[1].chain


@pytest.mark.parametrize(
    ("operation", "is_there"),
    [("add", True), ("replace", False), ("withdraw", False)],
)
def test_a_change_that_does_not_fit_what_is_there_is_refused(
    make_hub, operation, is_there
):
    hub = make_hub()
    hub.add(1)
    if operation != "add":
        hub.change(ChangeOperation(operation), "person-1")
    change = recorded(hub, hub.position.sequence)
    before, lanes = hub.positions[-2], SetDigest()
    with pytest.raises(RefusalError) as caught:
        advanced(before, lanes, change, record_digest(b"old") if is_there else None)
    assert caught.value.reason is RefusalReason.MIXED
    assert lanes.digest() == EMPTY_DIGEST


def test_a_change_out_of_turn_is_refused(hub):
    later = replace(hub.positions[3], sequence=5)
    with pytest.raises(RefusalError) as caught:
        advanced(later, SetDigest(), recorded(hub, 4), None)
    assert caught.value.reason is RefusalReason.GAP
