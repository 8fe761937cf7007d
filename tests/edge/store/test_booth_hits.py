import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from edge.errors import AdjudicationError, StoreError
from edge.records.decisions import decode_decision
from edge.store import migrations
from edge.store.audit import lines_after, verify_audit
from edge.store.booth_hits import BoothHits
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.store.outbox import StoredOutbox
from edge.terms import (
    DecisionState,
    HitDecision,
    OfficerVerdict,
    Verdict,
    VerdictReason,
)

FIRST, SECOND = DecisionState.AWAITING_SECOND, DecisionState.CONFIRMED


@pytest.fixture
def hits(booth, things):
    store = CheckStore(booth)
    for number in (1, 2):
        store.record(things.check(number), things.hit(number))
    return BoothHits(booth)


@pytest.fixture
def outbox(booth):
    return StoredOutbox(booth)


@pytest.fixture
def decision(things):
    def make(hit_id="hit-1", number=1, state=FIRST):
        return HitDecision(
            hit_id=hit_id,
            booth_id="booth-1",
            number=number,
            needs_second=True,
            state=state,
            verdict=OfficerVerdict(
                f"officer-{number}",
                Verdict.CONFIRM,
                VerdictReason.FACES_AGREE,
                "",
                things.start + timedelta(seconds=10 * number),
            ),
        )

    return make


def test_a_verdict_waits_for_the_hub_as_it_was_recorded(hits, outbox, booth, decision):
    hits.decide(decision())
    row = outbox.row("decision-hit-1-1")
    assert (row.kind, row.sequence) == ("decision", 3)
    assert decode_decision(row.payload) == decision()
    assert hits.decisions("hit-1") == [decision()]
    last = lines_after(booth, verify_audit(booth) - 1, limit=1)[0]
    assert (last.actor, last.action) == ("officer-1", "verdict confirm")
    assert last.subject == "hit-1 faces_agree awaiting_second"


@pytest.mark.parametrize("table", ["verdicts", "outbox", "audit"])
def test_a_verdict_is_recorded_whole_or_not_at_all(
    hits, outbox, booth, decision, breaking, table
):
    before = verify_audit(booth)
    breaking(booth, table)
    with pytest.raises(StoreError, match="disk trouble"):
        hits.decide(decision())
    assert hits.decisions("hit-1") == []
    assert (outbox.depth(), verify_audit(booth)) == (2, before)


def test_the_list_says_what_is_open_newest_first(hits, outbox, decision, things):
    hits.decide(decision(number=1))
    hits.decide(decision(number=2, state=SECOND))
    outbox.clear_many(["hit-1"], at=things.start)
    everything = [(h.hit_id, str(h.state)) for h in hits.hits()]
    assert everything == [("hit-2", "undecided"), ("hit-1", "confirmed")]
    assert [h.hit_id for h in hits.hits(is_open=True)] == ["hit-2"]
    assert hits.line("hit-1").delivered_at == things.start
    assert hits.line("hit-2").delivered_at is None
    assert hits.line("hit-9") is None
    assert hits.hit("hit-1") == things.hit(1)
    assert hits.hit("hit-9") is None


def test_who_was_slower_is_told(hits, outbox, decision):
    hits.decide(decision())
    with pytest.raises(AdjudicationError, match="somebody else"):
        hits.decide(decision())
    with pytest.raises(AdjudicationError, match="not of this booth"):
        hits.decide(decision("hit-9"))
    assert outbox.depth() == 3


def test_a_verdict_cannot_be_changed_or_taken_back(hits, booth, decision):
    hits.decide(decision())
    for statement in ("update verdicts set officer = 'x'", "delete from verdicts"):
        with pytest.raises(sqlite3.IntegrityError, match="verdict is not"):
            booth.conn.execute(statement)


def test_a_hub_that_lost_a_verdict_gets_it_again(hits, outbox, decision, things):
    hits.decide(decision())
    names = ["hit-1", "hit-2", "decision-hit-1-1"]
    assert outbox.clear_many(names, at=things.start) == 3
    assert outbox.reissue(outbox.stream(), [(1, 3)], at=things.start) == 3
    back = {row.message_id: row for row in outbox.next_rows(limit=9, besides=())}
    assert set(back) == set(names)
    assert decode_decision(back["decision-hit-1-1"].payload) == decision()


def test_a_verdict_is_not_posted_by_itself(outbox, things):
    with pytest.raises(StoreError, match="not posted"):
        outbox.post("decision", b"", at=things.start)


def test_hits_of_the_version_before_are_undecided_and_no_drills(
    booth_path, things, monkeypatch
):
    steps = migrations._steps("booth")
    with monkeypatch.context() as before:
        before.setattr(migrations, "_steps", lambda _schema: steps[:5])
        old = open_database(booth_path, "booth")
    with closing(old.conn) as connection:
        connection.execute(
            "insert into hits (hit_id, check_id, entry_id, entry_version,"
            " occurred_at, payload) values ('hit-0', 'check-0', 'e1', 1, ?, x'')",
            (things.start.isoformat(),),
        )
    database = open_database(booth_path, "booth")
    with closing(database.conn):
        [line] = BoothHits(database).hits(is_open=True)
    assert (line.state, line.is_drill) == ("undecided", False)
