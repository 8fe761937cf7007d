"""Watchlist management: drafts, the second person, withdrawals, expiry, recalls."""

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from edge.store.hub_log import StoredHubLog

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def png(shade):
    return cv2.imencode(".png", np.full((60, 40), shade, np.uint8))[1].tobytes()


FIELDS = {
    "category": "wanted",
    "originator": "north office",
    "handling_code": "detain",
    "legal_basis": "test act",
    "instruction": "Hold the person.",
    "reason": "request 17",
    "name": "Nobody New",
    "expires_on": "2026-12-31",
    "finger_positions": "2",
}
FILES = [
    ("fingers", ("index.png", png(10), "image/png")),
    ("faces", ("face.png", png(20), "image/png")),
]


def draft(client, **fields):
    return client.post("/api/drafts", data={**FIELDS, **fields}, files=FILES)


def sequence(hub):
    with hub.opened() as database:
        return StoredHubLog(database).position().sequence


def test_a_person_is_on_the_watchlist_only_after_another_has_released(
    hub, browser, take_in
):
    made = draft(browser("operator-1")).json()
    assert made["draft_id"]
    assert sequence(hub) == 1
    boss = browser("supervisor-1")
    [waiting] = boss.get("/api/drafts", params={"state": "waiting"}).json()["drafts"]
    assert waiting["may_release"]
    assert waiting["entry"]["name"] == "Nobody New"
    images = [boss.get(image["url"]) for image in waiting["images"]]
    assert [image.status_code for image in images] == [200, 200]
    released = boss.post(f"/api/drafts/{made['draft_id']}/release").json()
    assert (released["state"], released["decided_by"]) == ("released", "supervisor-1")
    assert sequence(hub) == released["sequence"] == 2
    take_in()
    entry = boss.get(f"/api/watchlist/entries/{made['entry_id']}").json()
    assert len(entry["reference"]) == entry["references_count"] == 2
    assert boss.get(entry["reference"][0]["url"]).content.startswith(b"\x89PNG")
    assert boss.get(waiting["images"][0]["url"]).status_code == 404
    found = boss.get("/api/watchlist", params={"text": "nobody new"}).json()
    assert [item["entry_id"] for item in found["entries"]] == [made["entry_id"]]


def test_nobody_releases_a_draft_of_their_own(hub, browser):
    boss = browser("supervisor-1")
    made = draft(boss).json()
    answer = boss.post(f"/api/drafts/{made['draft_id']}/release")
    assert (answer.status_code, answer.json()["code"]) == (409, "same_person")
    assert sequence(hub) == 1


def test_a_draft_is_decided_once(hub, browser):
    made = draft(browser("operator-1")).json()
    boss = browser("supervisor-1")
    path = f"/api/drafts/{made['draft_id']}"
    assert boss.post(f"{path}/reject", json={"note": "wrong person"}).status_code == 200
    assert boss.post(f"{path}/release").json()["code"] == "closed"
    assert sequence(hub) == 1
    [rejected] = boss.get("/api/drafts").json()["drafts"]
    assert (rejected["entry"], rejected["images"]) == (None, [])


def test_a_poor_image_makes_no_draft_and_says_which(browser, engines):
    engines.poor.add("finger 1")
    made = draft(browser("operator-1")).json()
    assert made["draft_id"] is None
    verdicts = {item["origin"]: item for item in made["images"]}
    assert not verdicts["finger 1"]["is_sufficient"]
    assert verdicts["finger 1"]["reasons"] == ["too dark"]
    assert verdicts["face 1"]["is_sufficient"]
    assert browser("operator-1").get("/api/drafts").json()["drafts"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"finger_positions": "11"},
        {"finger_positions": ["1", "2"]},
        {"expires_on": "2026-02-30"},
        {"category": ""},
    ],
)
def test_a_draft_with_a_wrong_field_is_refused(browser, fields):
    answer = draft(browser("operator-1"), **fields)
    assert answer.status_code == 422
    assert answer.json()["code"] in ("input", "refused")


def test_a_withdrawal_needs_two_persons_and_becomes_a_recall(browser, take_in):
    take_in()
    client, boss = browser("operator-1"), browser("supervisor-1")
    order = {"entry_id": "e1", "reason": "found"}
    made = client.post("/api/withdrawals", json=order).json()
    assert boss.get("/api/recalls").json() == []
    boss.post(f"/api/drafts/{made['draft_id']}/release")
    [recall] = boss.get("/api/recalls").json()
    assert (recall["entry_id"], recall["originator"], recall["reason"]) == (
        "e1",
        "operator-1",
        "found",
    )
    take_in()
    assert boss.get("/api/watchlist").json()["entries"] == []
    assert client.post("/api/withdrawals", json=order).status_code == 404


def test_a_release_that_no_longer_applies_changes_nothing(hub, browser):
    client, boss = browser("operator-1"), browser("supervisor-1")
    order = {"entry_id": "e1", "reason": "found"}
    first, second = (
        client.post("/api/withdrawals", json=order).json()["draft_id"] for _ in range(2)
    )
    assert boss.post(f"/api/drafts/{first}/release").status_code == 200
    assert boss.post(f"/api/drafts/{second}/release").status_code == 409
    assert sequence(hub) == 2
    states = {
        d["draft_id"]: d["state"] for d in boss.get("/api/drafts").json()["drafts"]
    }
    assert states == {first: "released", second: "waiting"}


def test_what_ends_soon_is_listed_first_to_end_first(hub, browser, take_in):
    hub.publish("late", expires_at=AT + timedelta(days=400))
    hub.publish("soon", expires_at=AT + timedelta(days=3))
    hub.publish("never", expires_at=None)
    take_in()
    client = browser("auditor-1")
    found = client.get("/api/watchlist/expiring", params={"days": 40}).json()
    assert [entry["entry_id"] for entry in found["entries"]] == ["soon", "e1"]


def test_the_lists_follow_a_log_that_began_anew(hub, take_in, browser):
    take_in()
    with hub.opened() as database:
        StoredHubLog(database).begin_log("cd" * 16, at=AT)
    hub.publish("another")
    take_in()
    found = browser("auditor-1").get("/api/watchlist").json()
    assert [entry["entry_id"] for entry in found["entries"]] == ["another", "e1"]
