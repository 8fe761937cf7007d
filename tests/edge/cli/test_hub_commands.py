"""What the hub operator sees and does, on a hub's store with something in it."""

import hashlib
import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from edge.cli.hub import hub
from edge.clock import SystemClock
from edge.errors import InputError, StoreError, WatchlistError
from edge.records.decisions import encode_decision
from edge.records.hits import encode_hit
from edge.records.hub_values import HoldingStatement, ReceivedContent
from edge.services import hub_desk
from edge.services.hub import hub_stores
from edge.store.database import open_database
from edge.store.inspection import inspected_database
from edge.sync.messages import Content
from edge.terms import (
    Candidate,
    ComparisonScore,
    DecisionState,
    Evidence,
    FingerPosition,
    Hit,
    HitDecision,
    Modality,
    OfficerVerdict,
    Verdict,
    VerdictReason,
    WatchlistEntry,
)
from edge.trust.cose import sign
from edge.trust.keys import SigningKey
from edge.trust.registered_booth import AdmittedBooth
from edge.watchlist.exchange import write_watchlist

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
STREAM = "0123456789abcdef"


def make_entry(entry_id, version=1):
    return WatchlistEntry(
        *(entry_id, version, "wanted", "test", "A", "none", "call"),
        valid_from=START - timedelta(days=1),
        expires_at=None,
    )


def make_content(kind, sequence, body=b"", **parts):
    message_id = f"m-{sequence}"
    content = Content(
        booth_id="booth-1",
        stream=STREAM,
        sequence=sequence,
        message_id=message_id,
        kind=kind,
        created_at=START,
        body=body,
    ).encode()
    return ReceivedContent(
        *("booth-1", STREAM, sequence, message_id, kind, START),
        signed=sign(content, SigningKey.generate()),
        digest=hashlib.sha256(content).digest(),
        **parts,
    )


def make_hit(hit_id):
    index = FingerPosition.RIGHT_INDEX
    score = ComparisonScore(50.0, 1e-7)
    return Hit(
        *(hit_id, "check-1", "booth-1", START, "entry-1", 1),
        candidates=(
            Candidate("entry-1", "reference-1", Modality.FINGERPRINT, index, score),
        ),
        evidence=(Evidence(Modality.FINGERPRINT, index, "image/png", b"PNG-1"),),
    )


class Site:
    def __init__(self, folder) -> None:
        self.folder = folder
        self.config = folder / "hub.toml"
        self.path = folder / "hub.db"
        self.config.write_text(f"[hub]\nstore = {json.dumps(str(self.path))}\n")
        self.database = open_database(self.path, "hub")
        self.stores = hub_stores(self.database)
        self.stores.log.begin_log("ab" * 16, at=START)
        booth = AdmittedBooth("booth-1", bytes(32), bytes(32), b"", START)
        self.stores.registry.admit(booth, at=START)

    def receive(self, *contents, at=START):
        self.stores.messages.accept(contents, at=at)

    def receive_hit(self, hit_id, sequence, *, at=START):
        hit = make_hit(hit_id)
        self.receive(make_content("hit", sequence, encode_hit(hit), hit=hit), at=at)

    def run(self, *arguments):
        words = [str(word) for word in (*arguments, "--config", self.config)]
        result = CliRunner().invoke(hub, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json"))

    def write(self, *entries):
        file = self.folder / "list.jsonl"
        write_watchlist(file, ((entry, ()) for entry in entries))
        return file

    def audit(self):
        with inspected_database(self.path, "hub") as database:
            return database.conn.execute("select action, subject from audit").fetchall()


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    with closing(made.database.conn):
        yield made


def test_a_file_is_published_and_higher_versions_replace(site):
    file = site.write(make_entry("a"), make_entry("b"))
    assert site.json("publish", file) == {"entries": 2, "published": 2, "sequence": 2}
    file = site.write(make_entry("a"), make_entry("b", version=2), make_entry("c"))
    assert "2 of 3 entries published" in site.run("publish", file)
    assert site.stores.log.position().count == 3


def test_an_interrupted_publication_is_finished_by_the_same_command(site, monkeypatch):
    monkeypatch.setattr(hub_desk, "PUBLISHED_AT_ONCE", 2)
    file = site.write(*(make_entry(name) for name in "abcde"))
    site.database.conn.execute(
        "create trigger full before insert on log_changes when new.sequence = 4"
        " begin select raise(abort, 'database or disk is full'); end"
    )
    with pytest.raises(StoreError, match="full"):
        site.run("publish", file)
    site.database.conn.execute("drop trigger full")
    assert site.json("publish", file) == {"entries": 5, "published": 3, "sequence": 5}


def test_a_file_with_a_bad_line_publishes_nothing(site):
    file = site.write(make_entry("a"))
    file.write_text(file.read_text() + "{}\n")
    with pytest.raises(InputError, match="line 3"):
        site.run("publish", file)
    assert site.stores.log.position().sequence == 0


def test_a_withdrawal_is_pending_until_the_booth_has_signed_that_it_is_gone(site):
    site.run("publish", site.write(make_entry("a"), make_entry("b")))
    words = ("--reason", "court order", "--originator", "police")
    assert site.json("withdraw", "a", *words) == {"entry_id": "a", "sequence": 3}
    [recall] = site.json("recalls", "--pending")
    assert (recall["entry_id"], recall["originator"]) == ("a", "police")
    assert recall["pending"] == ["booth-1"]
    end = site.stores.log.position()
    holding = HoldingStatement(
        *(end.log, end.sequence, end.chain, end.digest, end.count, ((3, "a"),), START)
    )
    site.receive(make_content("holding", 1, holding=holding))
    assert site.json("recalls", "--pending") == []
    [recall] = site.json("recalls")
    assert recall["confirmed"] == {"booth-1": "m-1"}
    assert "court order" in site.run("recalls")
    [booth] = site.json("booths")
    assert (booth["held_sequence"], booth["behind"], booth["is_same"]) == (3, 0, True)


def test_an_unknown_entry_cannot_be_withdrawn(site):
    with pytest.raises(WatchlistError, match="not on the watchlist"):
        site.run("withdraw", "x", "--reason", "r", "--originator", "o")


def test_hits_are_listed_by_booth_time_and_lateness(site):
    site.receive_hit("hit-1", 1)
    site.receive_hit("hit-2", 2, at=START + timedelta(hours=1))
    assert [hit["hit_id"] for hit in site.json("hits")] == ["hit-1", "hit-2"]
    [late] = site.json("hits", "--historical")
    assert (late["hit_id"], late["skew_s"]) == ("hit-2", 3600)
    assert len(site.json("hits", "--since", "2026-03-01T12:30:00")) == 1
    assert site.json("hits", "--booth", "booth-2") == []
    assert "late" in site.run("hits")


def test_a_hit_is_shown_with_its_candidates_and_the_look_is_audited(site):
    site.receive_hit("hit-1", 1)
    view = site.json("hit", "hit-1")
    assert view["candidates"][0]["position"] == "right index"
    assert view["evidence"][0]["size_bytes"] == 5
    assert "reference-1" in site.run("hit", "hit")
    assert site.audit().count(("read hit", "hit-1")) == 2


def test_what_the_officers_said_is_shown_with_the_hit(site):
    site.receive_hit("hit-1", 1)
    assert site.json("hits")[0]["decision"] == "undecided"
    said = OfficerVerdict(
        "officer-1", Verdict.CONFIRM, VerdictReason.OTHER, "a\x1b[2Jscar", START
    )
    decision = HitDecision(
        *("hit-1", "booth-1", 1, False, DecisionState.CONFIRMED, said)
    )
    body = encode_decision(decision)
    site.receive(make_content("decision", 2, body, decision=decision))
    assert site.json("hits")[0]["decision"] == "confirmed"
    assert "confirmed" in site.run("hits")
    [verdict] = site.json("hit", "hit-1")["verdicts"]
    assert (verdict["officer"], verdict["reason"]) == ("officer-1", "other")
    shown = site.run("hit", "hit-1")
    assert "officer-1" in shown
    assert "\x1b" not in shown


def test_a_drill_is_marked_on_the_narrowest_terminal(site):
    hit = replace(make_hit("hit-1"), is_drill=True)
    site.receive(make_content("hit", 1, encode_hit(hit), hit=hit))
    assert site.json("hits")[0]["is_drill"]
    assert "DRILL" in site.run("hits")


def test_evidence_is_saved_for_the_owner_only(site):
    site.receive_hit("hit-1", 1)
    folder = site.folder / "evidence"
    [saved] = site.json("hit", "hit-1", "--save-evidence", folder)["saved"]
    [file] = folder.iterdir()
    assert str(file) == saved
    assert file.read_bytes() == b"PNG-1"
    assert (file.stat().st_mode & 0o777, file.suffix) == (0o600, ".png")


@pytest.mark.parametrize(
    ("name", "problem"), [("x", "no hit"), ("hit", "several hits")]
)
def test_a_hit_must_be_named_clearly(site, name, problem):
    site.receive_hit("hit-1", 1)
    site.receive_hit("hit-2", 2)
    with pytest.raises(InputError, match=problem):
        site.run("hit", name)


def test_missing_messages_are_listed(site):
    site.receive_hit("hit-1", 1)
    site.receive_hit("hit-4", 4)
    [gap] = site.json("gaps")
    assert (gap["booth_id"], gap["first"], gap["last"]) == ("booth-1", 2, 3)
    assert STREAM in site.run("gaps")
    [booth] = site.json("booths")
    assert booth["gaps"] == 2


def test_an_instruction_goes_to_the_booth_of_the_hit(site):
    site.receive_hit("hit-1", 1)
    view = site.json("instruct", "hit-1", "hold and call", "--expires-h", "2")
    [command] = site.stores.commands.commands()
    assert command.command_id == view["command_id"]
    assert (command.booth_id, command.kind) == ("booth-1", "instruction")
    assert command.expires_at - command.issued_at == timedelta(hours=2)
    assert b"hold and call" in command.body


def test_an_empty_instruction_is_refused(site):
    site.receive_hit("hit-1", 1)
    with pytest.raises(InputError, match="1 to 4000 characters"):
        site.run("instruct", "hit-1", "")


def test_commands_go_to_admitted_booths_only(site):
    assert "test for booth-1 is queued" in site.run("command", "booth-1", "test")
    with pytest.raises(InputError, match="not admitted"):
        site.run("command", "booth-2", "resync")
    site.stores.registry.revoke("booth-1", at=SystemClock().now())
    with pytest.raises(InputError, match="not admitted"):
        site.run("command", "booth-1", "resync")


def test_a_booth_that_never_spoke_is_listed(site):
    other = AdmittedBooth("booth-2", bytes(32), bytes(32), b"", START)
    site.stores.registry.admit(replace(other), at=START)
    site.stores.booths.seen("booth-1", state="online", at=START)
    first, second = site.json("booths")
    assert (first["state"], second["state"]) == ("online", "never seen")
    assert "never" in site.run("booths")
