"""What the console says of posts, of the audit log, and in an archive of a case."""

import hashlib
import io
import json
import time
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from edge.console.archive import CONTEXT, make_archive, verify_archive
from edge.console.posts import PostLimits, PostState, post_state
from edge.console.severity import severity_of
from edge.errors import InputError
from edge.records.hub_values import BoothOverview, HealthReport
from edge.store.hub_booths import StoredHubBooths
from edge.terms import WatchlistEntry
from edge.trust.anchors import (
    TrustDocument,
    encode_chain,
    root_fingerprint,
    sign_document,
)
from edge.trust.cose import read_signed
from edge.trust.keys import SealingKey, SigningKey

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def overview(*, state="online", heard_s=10, held=100, is_same=True, revoked=None):
    health = HealthReport(
        AT - timedelta(seconds=heard_s), held, AT, 0, 10**9, True, "1"
    )
    return BoothOverview("booth-1", state, AT, True, revoked, held, is_same, health, 0)


@pytest.mark.parametrize(
    ("post", "state"),
    [
        (overview(), PostState.ONLINE),
        (overview(heard_s=601), PostState.STALE),
        (overview(held=1), PostState.STALE),
        (overview(is_same=False), PostState.STALE),
        (overview(state="offline"), PostState.SILENT),
        (overview(revoked=AT), PostState.REVOKED),
        (
            BoothOverview("b", "never seen", None, True, None, None, None, None, 0),
            PostState.NEVER,
        ),
    ],
)
def test_a_post_is_what_it_last_said(post, state):
    limits = PostLimits(stale_after_s=600, stale_changes=50)
    assert post_state(post, now=AT, sequence=100, limits=limits) is state


@pytest.mark.parametrize(
    ("category", "handling", "severity"),
    [
        ("Foreign Fighter", "inform", 4),
        ("wanted person", "armed_and_dangerous", 4),
        ("wanted", "", 3),
        ("overstay", "detain", 3),
        ("overstay", "inform", 1),
        ("a word that nobody graded", "", 2),
        ("DRILL", "armed", 1),
    ],
)
def test_the_highest_row_of_the_table_counts(category, handling, severity):
    entry = WatchlistEntry("e", 1, category, "o", handling, "l", "i", AT, None)
    assert severity_of(entry) == severity


def test_posts_in_trouble_come_first(hub, browser):
    with hub.opened() as database:
        booths = StoredHubBooths(database)
        booths.seen("booth-a", state="online", at=AT)
        booths.seen("booth-b", state="offline", at=AT)
    found = browser("auditor-1").get("/api/posts").json()
    assert [post["booth_id"] for post in found["posts"]] == ["booth-a", "booth-b"]
    assert found["states"] == {
        "stale": 1,
        "silent": 1,
        "never": 0,
        "online": 0,
        "revoked": 0,
    }
    assert found["sequence"] == 1


def verified(client):
    client.post("/api/audit/verification")
    for _ in range(200):
        view = client.get("/api/audit/verification").json()
        if view["state"] != "running":
            return view
        time.sleep(0.01)
    pytest.fail("the verification has not ended")


def test_the_chain_is_verified_and_a_change_is_found(hub, browser):
    client = browser("auditor-1")
    view = verified(client)
    assert (view["state"], view["lines"]) == ("sound", 2)
    with hub.opened() as database:
        database.conn.execute("drop trigger audit_is_append_only_update")
        database.conn.execute("update audit set actor = 'nobody' where number = 1")
    view = verified(client)
    assert view["state"] == "broken"
    assert "line 1" in view["problem"]


def test_the_audit_log_is_read_page_by_page(hub, browser):
    for number in range(4):
        hub.publish(f"x{number}")
    client = browser("administrator-1")
    numbers, before = [], None
    while True:
        options = {"limit": 2} | ({} if before is None else {"before": before})
        page = client.get("/api/audit", params=options).json()
        numbers += [line["number"] for line in page["lines"]]
        before = page["next"]
        if before is None:
            break
    assert numbers == [6, 5, 4, 3, 2, 1]


def test_an_archive_holds_the_case_and_its_trail(hub, take_in, browser):
    hit = hub.receive()
    take_in()
    client = browser("operator-1")
    answer = client.post(f"/api/cases/{hit}/archive")
    assert answer.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert {"case.json", "hit.cose", "audit.json", "manifest.json"} < set(files)
    assert files["images/probe-00.png"].startswith(b"\x89PNG")
    assert files["images/reference-00.png"].startswith(b"\x89PNG")
    case = json.loads(files["case.json"])
    assert case["case"]["hit_id"] == hit
    assert case["entry"]["instruction"] == "Refer."
    manifest = json.loads(files["manifest.json"])
    for name, item in manifest["files"].items():
        assert hashlib.sha256(files[name]).hexdigest() == item["sha256"]
    payload = read_signed(files["manifest.cose"], limit=10**6).payload
    assert payload == CONTEXT + b"\0" + files["manifest.json"]
    event = client.get(f"/api/cases/{hit}").json()["timeline"][-1]
    assert event["kind"] == "exported"
    assert event["body"]["sha256"] == hashlib.sha256(answer.content).hexdigest()


@pytest.fixture(scope="module")
def signed():
    """An archive by the operations key of an invented hub, and its fingerprint."""
    root, operations = SigningKey.generate(), SigningKey.generate()
    document = TrustDocument(
        log="ab" * 16,
        version=1,
        issued_at=AT,
        expires_at=AT + timedelta(days=700),
        threshold=1,
        roots=[root.public.raw],
        watchlist=[operations.public.raw],
        operations=[operations.public.raw],
        sealing=[SealingKey.generate().public.raw],
        ca=b"certificate",
    )
    trust = encode_chain([sign_document(document, [root])])
    about = {"hit_id": "h", "exported_at": AT.isoformat(), "exported_by": "a"}
    data = make_archive({"case.json": b"{}"}, about, key=operations, trust=trust)
    other = make_archive({"case.json": b"{}"}, about, key=root, trust=trust)
    return data, root_fingerprint(document.roots), other


def rewritten(data, **changes):
    """Return the archive with files of these names changed; None: left out."""
    contents = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in {**contents, **changes}.items():
            if content is not None:
                archive.writestr(name, content)
    return buffer.getvalue()


def test_a_sound_archive_is_verified(signed):
    data, fingerprint, _ = signed
    found = verify_archive(data, fingerprint=fingerprint, origin="x.zip")
    assert (found.hit_id, found.exported_by) == ("h", "a")
    assert found.files == ("case.json", "trust.cbor")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"case.json": b"{ }"}, "case.json was changed"),
        ({"case.json": None}, "case.json is missing"),
        ({"more.json": b"{}"}, "more.json is not in the manifest"),
        ({"manifest.json": b"{}"}, "manifest.json"),
        ({"manifest.cose": b"\xd2"}, "manifest.cose"),
        ({"trust.cbor": b"\x80"}, "trust.cbor"),
        ({"manifest.cose": None}, "no case archive"),
    ],
)
def test_an_archive_that_was_changed_is_refused(signed, changes, words):
    data, fingerprint, _ = signed
    with pytest.raises(InputError, match=words):
        verify_archive(
            rewritten(data, **changes), fingerprint=fingerprint, origin="x.zip"
        )


def test_an_archive_of_another_hub_or_key_is_refused(signed):
    data, fingerprint, by_other_key = signed
    with pytest.raises(InputError, match="not by a key of this hub"):
        verify_archive(by_other_key, fingerprint=fingerprint, origin="x.zip")
    with pytest.raises(InputError, match="fingerprint"):
        verify_archive(data, fingerprint="0" * 64, origin="x.zip")
    with pytest.raises(InputError, match="no readable zip"):
        verify_archive(b"PK" + bytes(40), fingerprint=fingerprint, origin="x.zip")
