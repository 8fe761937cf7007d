import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from importlib import resources
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import StoreError
from edge.records.hits import encode_hit
from edge.records.message_map import MessageMap
from edge.store.audit import verify_audit
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.store.migrations import APPLICATION_IDS
from edge.store.outbox import READ_BYTES, StoredOutbox
from edge.store.outbox_policy import PRIORITIES, OutboxLimits, void_body


class Void(MessageMap):
    """As the protocol has it."""

    type_name = "void"
    reason: str


@pytest.fixture
def outbox(booth):
    return StoredOutbox(booth)


def record(booth, things, number):
    CheckStore(booth).record(things.check(number), things.hit(number))


def waiting(outbox, besides=()):
    return outbox.next_rows(limit=1000, besides=besides)


def kinds(outbox):
    by_number = sorted(waiting(outbox), key=lambda row: row.sequence)
    return [row.kind for row in by_number]


def test_a_store_has_one_stream_of_its_own(outbox, booth_path, tmp_path):
    stream = outbox.stream()
    assert re.fullmatch("[0-9a-f]{16}", stream)
    again = open_database(booth_path, "booth")
    other = open_database(tmp_path / "other.db", "booth")
    with closing(again.conn), closing(other.conn):
        assert StoredOutbox(again).stream() == stream
        assert StoredOutbox(other).stream() != stream


def test_the_urgent_overtakes_and_each_class_keeps_its_order(outbox, booth, things):
    for kind in ("health", "audit", "holding", "answer", "holding", "audit"):
        outbox.post(kind, kind.encode(), at=things.start)
    record(booth, things, 1)
    wanted = [4, 7, 3, 5, 2, 6, 1]
    assert [row.sequence for row in waiting(outbox)] == wanted
    assert outbox.depth() == 7


def test_a_message_is_named_by_its_place_in_the_stream(outbox, things):
    assert outbox.post("health", b"body", at=things.start) == 1
    (row,) = waiting(outbox)
    assert row.message_id == f"health-{outbox.stream()}-1"
    assert outbox.row(row.message_id) == row
    assert outbox.row("other") is None
    assert (row.payload, row.created_at) == (b"body", things.start)


@pytest.mark.parametrize("kind", ["hit", "void", "gossip"])
def test_hits_and_unknown_kinds_are_not_posted(outbox, things, kind):
    with pytest.raises(StoreError, match=kind):
        outbox.post(kind, b"", at=things.start)
    assert outbox.depth() == 0


def test_what_is_under_way_is_left_out_without_being_read(outbox, things):
    for _ in range(4):
        outbox.post("audit", b"x", at=things.start)
    first = [row.message_id for row in outbox.next_rows(limit=2, besides=())]
    rest = [row.sequence for row in outbox.next_rows(limit=9, besides=first)]
    assert rest == [3, 4]


def test_large_messages_are_read_a_few_at_a_time(outbox, things):
    for _ in range(3):
        outbox.post("audit", bytes(READ_BYTES // 2), at=things.start)
    assert len(waiting(outbox)) == 2


def test_a_receipt_clears_many_at_once_and_some_are_audited(outbox, booth, things):
    record(booth, things, 1)
    outbox.post("holding", b"h", at=things.start)
    outbox.post("health", b"h", at=things.start)
    before = verify_audit(booth)
    names = [row.message_id for row in waiting(outbox)]
    assert outbox.clear_many([*names, "unknown"], at=things.start) == 3
    assert outbox.clear_many(names, at=things.start) == 0
    assert outbox.depth() == 0
    assert verify_audit(booth) == before + 2


def test_newer_health_takes_the_place_of_what_waits(outbox, things):
    for body in (b"old", b"new"):
        outbox.post("health", body, at=things.start)
    first, second = sorted(waiting(outbox), key=lambda row: row.sequence)
    assert (first.kind, second.kind) == ("void", "health")
    assert second.payload == b"new"
    assert Void.decode(first.payload).reason == "superseded by a newer one"


@pytest.mark.parametrize("limits", [OutboxLimits(rows=5), OutboxLimits(bytes=5 * 1000)])
def test_too_much_gives_up_the_least_urgent_and_the_oldest_of_it(booth, things, limits):
    outbox = StoredOutbox(booth, limits)
    for kind in ("audit", "health", "holding", "audit", "answer"):
        outbox.post(kind, bytes(1000), at=things.start)
    assert kinds(outbox) == ["audit", "health", "holding", "audit", "answer"]
    outbox.post("holding", bytes(1000), at=things.start)
    assert kinds(outbox)[:2] == ["audit", "void"]
    outbox.post("holding", bytes(1000), at=things.start)
    assert kinds(outbox)[:4] == ["void", "void", "holding", "audit"]
    assert outbox.depth() == 7
    given_up = [row for row in waiting(outbox) if row.kind == "void"]
    assert [row.sequence for row in given_up] == [1, 2]
    assert Void.decode(given_up[0].payload).reason == "the outbox was full"


def test_hits_answers_and_deletion_receipts_are_never_given_up(booth, things):
    outbox = StoredOutbox(booth, OutboxLimits(rows=1, bytes=1))
    record(booth, things, 1)
    for kind in ("holding", "answer", "audit", "health"):
        outbox.post(kind, b"body", at=things.start)
    record(booth, things, 2)
    assert kinds(outbox) == ["hit", "holding", "answer", "void", "void", "hit"]


def test_giving_up_is_audited_once(booth, things):
    outbox = StoredOutbox(booth, OutboxLimits(rows=1))
    for _ in range(3):
        outbox.post("audit", b"body", at=things.start)
    rows = booth.conn.execute("select action, subject from audit").fetchall()
    assert rows == [("outbox full", "1 messages given up")] * 2


def test_what_is_given_up_leaves_the_disk_room(booth, things):
    outbox = StoredOutbox(booth, OutboxLimits(bytes=200_000))
    (pages,) = booth.conn.execute("pragma page_count").fetchone()
    booth.conn.execute(f"pragma max_page_count = {pages + 100}")
    for _ in range(50):
        outbox.post("audit", bytes(50_000), at=things.start)
    record(booth, things, 1)
    assert outbox.depth() == 51
    assert waiting(outbox)[0].kind == "hit"


def test_a_post_to_a_full_disk_is_refused_whole(outbox, booth, things):
    outbox.post("holding", b"first", at=things.start)
    (pages,) = booth.conn.execute("pragma page_count").fetchone()
    booth.conn.execute(f"pragma max_page_count = {pages + 2}")
    with pytest.raises(StoreError, match="full"):
        outbox.post("holding", bytes(100_000), at=things.start)
    assert outbox.post("holding", b"second", at=things.start) == 2
    assert outbox.depth() == 2


def test_two_processes_number_one_stream(booth_path, booth, outbox, things):
    def work(first):
        database = open_database(booth_path, "booth")
        with closing(database.conn):
            for number in range(first, first + 10):
                record(database, things, number)
                StoredOutbox(database).post("holding", b"h", at=things.start)

    threads = [Thread(target=work, args=(n,)) for n in (100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = waiting(outbox)
    assert sorted(row.sequence for row in rows) == list(range(1, 61))
    assert [row.kind for row in rows] == ["hit"] * 30 + ["holding"] * 30
    assert verify_audit(booth) == 60


def test_a_hit_that_the_hub_lost_comes_back_as_it_was(outbox, booth, things):
    record(booth, things, 1)
    (before,) = waiting(outbox)
    outbox.clear_many(["hit-1"], at=things.start + timedelta(minutes=1))
    assert outbox.reissue(outbox.stream(), [(1, 5)], at=things.start) == 1
    assert waiting(outbox) == [before]
    assert outbox.clear_many(["hit-1"], at=things.start) == 1
    assert outbox.depth() == 0


def test_any_other_kind_comes_back_void_under_its_name(outbox, things):
    for kind in ("holding", "answer"):
        outbox.post(kind, b"body", at=things.start)
    before = waiting(outbox)
    for row in before:
        outbox.clear_many([row.message_id], at=things.start + timedelta(minutes=1))
    later = things.start + timedelta(days=1)
    assert outbox.reissue(outbox.stream(), [(1, 1), (2, 2)], at=later) == 2
    for old, new in zip(before, waiting(outbox)[::-1], strict=True):
        assert (new.sequence, new.message_id) == (old.sequence, old.message_id)
        assert new.created_at == things.start
        assert new.kind == "void"
        assert Void.decode(new.payload).reason == "delivered before, not kept"


def test_only_what_was_cleared_in_this_stream_is_put_back(outbox, booth, things):
    record(booth, things, 1)
    record(booth, things, 2)
    outbox.clear_many(["hit-1"], at=things.start)
    assert outbox.reissue("0" * 16, [(1, 9)], at=things.start) == 0
    ranges = [(1, 1 << 62), (0, 2), (2, 2), (5, 3)]
    assert outbox.reissue(outbox.stream(), ranges, at=things.start) == 1
    assert [row.sequence for row in waiting(outbox)] == [1, 2]
    assert outbox.reissue(outbox.stream(), ranges, at=things.start) == 0


def test_what_was_cleared_is_known_for_ninety_days_and_has_a_name_after(
    outbox, booth, things
):
    for _ in range(2):
        outbox.post("holding", b"body", at=things.start)
    first, second = waiting(outbox)
    outbox.clear_many([first.message_id], at=things.start)
    outbox.clear_many([second.message_id], at=things.start + timedelta(days=91))
    known = booth.conn.execute("select sequence from outbox_cleared").fetchall()
    assert known == [(2,)]
    outbox.reissue(outbox.stream(), [(1, 1)], at=things.start)
    (row,) = waiting(outbox)
    assert row.message_id == f"void-{outbox.stream()}-1"


def test_one_order_puts_only_so_many_back(outbox, things, monkeypatch):
    monkeypatch.setattr("edge.store.outbox.REISSUE_ROWS", 120)
    for _ in range(130):
        outbox.post("holding", b"", at=things.start)
    outbox.clear_many([row.message_id for row in waiting(outbox)], at=things.start)
    stream = outbox.stream()
    assert outbox.reissue(stream, [(1, 130)], at=things.start) == 120
    assert outbox.reissue(stream, [(1, 130)], at=things.start) == 10


def test_the_void_body_is_the_message_of_the_protocol():
    assert void_body("why") == Void(reason="why").encode()


def test_what_waited_before_there_was_a_stream_waits_in_it(booth_path, things):
    folder = resources.files("edge.store") / "schema" / "booth"
    steps = sorted(folder.iterdir(), key=lambda item: item.name)[:3]
    with closing(sqlite3.connect(booth_path)) as connection:
        for step in steps:
            connection.executescript(step.read_text("utf-8"))
        connection.execute(f"pragma application_id = {APPLICATION_IDS['booth']}")
        connection.execute("pragma user_version = 3")
        for number in (1, 2):
            hit = encode_hit(things.hit(number))
            row = (f"hit-{number}", "c", "e", 1, things.start.isoformat(), hit, None)
            connection.execute("insert into hits values (?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute(
            "insert into outbox values ('hit-2', 2, 'hit', ?, ?, 0, null)",
            (hit, things.start.isoformat()),
        )
        connection.execute("update outbox_counter set last_sequence = 2")
        connection.commit()
    database = open_database(booth_path, "booth")
    with closing(database.conn):
        outbox = StoredOutbox(database)
        assert [row.sequence for row in waiting(outbox)] == [2]
        assert outbox.depth() == 1
        assert outbox.post("holding", b"h", at=things.start) == 3
        outbox.clear_many(["hit-2"], at=things.start)
        outbox.reissue(outbox.stream(), [(1, 2)], at=things.start)
        assert [row.kind for row in waiting(outbox)] == ["hit", "holding", "void"]


ACTS = st.lists(
    st.one_of(
        st.sampled_from(["hit", "answer", "holding", "audit", "health"]),
        st.integers(0, 20),
    ),
    max_size=40,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS, limit=st.integers(1, 6))
def test_whatever_happens_no_number_and_no_hit_is_lost(
    things, tmp_path_factory, acts, limit
):
    database = open_database(tmp_path_factory.mktemp("store") / "booth.db", "booth")
    outbox = StoredOutbox(database, OutboxLimits(rows=limit))
    cleared, given_out = [], {}
    for act in acts:
        if isinstance(act, int):
            cleared += [row.sequence for row in waiting(outbox)[:act]]
            names = [row.message_id for row in waiting(outbox)[:act]]
            assert outbox.clear_many(names, at=things.start) == len(names)
        elif act == "hit":
            record(database, things, len(given_out))
            given_out[len(given_out) + 1] = act
        else:
            number = outbox.post(act, b"body", at=things.start)
            assert number == len(given_out) + 1
            given_out[number] = act
    rows = waiting(outbox)
    assert rows == sorted(rows, key=lambda r: (PRIORITIES[r.kind], r.sequence))
    assert sorted([*cleared, *(row.sequence for row in rows)]) == sorted(given_out)
    for row in rows:
        assert row.kind == given_out[row.sequence] or (
            row.kind == "void" and given_out[row.sequence] in ("audit", "health")
        )
    contents = [row for row in rows if row.kind != "void"]
    assert sum(row.kind in ("audit", "health") for row in contents) <= limit
    outbox.reissue(outbox.stream(), [(1, 1 << 40)], at=things.start)
    assert outbox.depth() == len(given_out)
    counted = database.conn.execute(
        "select waiting, contents, bytes from outbox_counter"
    ).fetchone()
    found = waiting(outbox)
    with_content = [row for row in found if row.kind != "void"]
    size = sum(len(row.payload) for row in with_content)
    assert counted == (len(found), len(with_content), size)
    hits = {number for number, kind in given_out.items() if kind == "hit"}
    assert hits <= {row.sequence for row in found if row.kind == "hit"}
    database.conn.close()
