"""Deletion receipts are given when the files no longer hold what was deleted."""

from datetime import UTC, datetime

import pytest

from edge.clock import ManualClock
from edge.replication.position import LogPosition
from edge.sync.holdings import HoldingReporter
from edge.sync.messages import Holding

POSITION = LogPosition("ab" * 16, 7, bytes(32), bytes(32), 3)


class ScriptedList:
    def __init__(self):
        self.gone = []
        self.is_read = False
        self.held = POSITION

    def position(self):
        return self.held

    def withdrawn(self, *, limit):
        return self.gone[:limit]

    def receipted(self, withdrawn):
        del self.gone[: len(withdrawn)]

    def scrub(self):
        return not self.is_read


@pytest.fixture
def clock():
    return ManualClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def held():
    return ScriptedList()


@pytest.fixture
def said():
    return []


@pytest.fixture
def reporter(held, said, clock):
    return HoldingReporter(
        held, lambda _kind, body: said.append(Holding.decode(body)), clock
    )


def test_what_is_held_is_said_at_the_start_and_then_seldom(reporter, said, clock):
    reporter.report_if_due()
    reporter.report_if_due()
    assert [holding.sequence for holding in said] == [7]
    clock.advance(6 * 3600)
    reporter.report_if_due()
    assert len(said) == 2


def test_a_withdrawal_is_said_at_once_and_once(reporter, held, said):
    held.gone = [(n, f"e{n}") for n in range(1, 301)]
    reporter.on_held(POSITION)
    assert [len(holding.withdrawn) for holding in said] == [256, 44]
    reporter.on_held(POSITION)
    assert len(said) == 2


def test_nothing_is_said_while_the_files_still_hold_what_was_deleted(
    reporter, held, said, clock
):
    held.gone, held.is_read = [(7, "e1")], True
    reporter.on_held(POSITION)
    reporter.report_if_due()
    assert said == []
    held.is_read = False
    clock.advance(10)
    reporter.report_if_due()
    assert [w.entry_id for w in said[0].withdrawn] == ["e1"]


def test_nothing_is_said_while_a_gallery_still_holds_what_was_deleted(
    held, said, clock
):
    is_gone = []
    reporter = HoldingReporter(
        held,
        lambda _kind, body: said.append(Holding.decode(body)),
        clock,
        is_gone_elsewhere=lambda: bool(is_gone),
    )
    held.gone = [(7, "e1")]
    reporter.on_held(POSITION)
    clock.advance(3600)
    reporter.report_if_due()
    assert (said, held.gone) == ([], [(7, "e1")])
    is_gone.append(True)
    clock.advance(10)
    reporter.report_if_due()
    assert [w.entry_id for w in said[0].withdrawn] == ["e1"]


def test_a_booth_without_a_list_says_nothing(reporter, held, said):
    held.held = None
    reporter.report_if_due()
    assert said == []
