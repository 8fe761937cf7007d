"""What operators do to cases, through the API."""

import threading
from datetime import timedelta

import pytest

from edge.records.console_values import CaseFilter
from edge.store.audit import lines_before, verify_audit
from edge.store.hub_commands import StoredHubCommands
from edge.sync.messages import Instruction


@pytest.fixture
def hit(hub, take_in):
    hit_id = hub.receive()
    take_in()
    return hit_id


def queue(client, **options):
    return client.get("/api/cases", params=options).json()


def test_the_most_severe_come_first_and_of_those_the_newest(hub, take_in, browser):
    hub.publish("routine", category="overstay", handling_code="inform")
    hub.publish("critical", category="terrorism")
    hub.publish("drill", category="DRILL")
    for entry in ("routine", "critical", "e1", "critical", "drill", "unheard of"):
        hub.receive(f"of {entry} {hub.count}", entry_id=entry)
    take_in()
    cases = queue(browser("operator-1"))["cases"]
    assert [case["entry_id"] for case in cases] == [
        "critical", "critical", "e1", "unheard of", "drill", "routine",
    ]  # fmt: skip
    assert cases[0]["number"] > cases[1]["number"]
    assert [case["is_drill"] for case in cases] == [False] * 4 + [True, False]


def test_pages_show_every_case_once(hub, take_in, browser):
    hub.publish("critical", category="terrorism")
    for number in range(7):
        hub.receive(entry_id=("e1", "critical")[number % 2])
    take_in()
    client = browser("operator-1")
    seen, after = [], None
    while True:
        options = {"limit": 2} | ({} if after is None else {"after": after})
        page = queue(client, **options)
        seen += [case["hit_id"] for case in page["cases"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 7


def test_a_hit_becomes_a_case_once(hub, take_in, desk):
    hub.receive()
    assert take_in() == 1
    assert take_in() == 0
    with desk.opened("operator-1") as opened:
        assert len(opened.cases.queue(CaseFilter(), limit=10)) == 1


def test_an_unclaimed_case_gets_louder_and_a_claim_quietens_it(hit, browser, clock):
    client = browser("operator-1")

    def alarm():
        return queue(client)["cases"][0]["alarm"]

    assert alarm() == "new"
    clock.advance(60)
    assert alarm() == "overdue"
    clock.advance(240)
    assert alarm() == "lost"
    client.post(f"/api/cases/{hit}/claim")
    assert alarm() == "quiet"


def test_nobody_takes_what_another_has_claimed(hit, browser):
    first, second = browser("operator-1"), browser("operator-2")
    assert first.post(f"/api/cases/{hit}/claim").status_code == 200
    refused = second.post(f"/api/cases/{hit}/claim")
    assert refused.status_code == 409
    assert refused.json()["code"] == "taken"
    assert "operator-1" in refused.json()["detail"]
    for action, body in (
        ("release", None),
        ("instruct", {"text": "Hold."}),
        ("escalate", {"reason": "unsure"}),
        ("close", {"outcome": "identified"}),
    ):
        answer = second.post(f"/api/cases/{hit}/{action}", json=body)
        assert answer.status_code == 409, action
    assert queue(first)["cases"][0]["claimed_by"] == "operator-1"


def test_of_many_who_claim_at_once_one_gets_it(hit, desk, clock):
    start, won = threading.Barrier(6), []

    def claim(name):
        with desk.opened(name) as opened:
            start.wait()
            try:
                opened.cases.claim(hit, at=clock.now())
            except Exception:  # noqa: BLE001  losing is what the others do
                return
            won.append(name)

    threads = [threading.Thread(target=claim, args=(f"p{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with desk.opened("x") as opened:
        assert [opened.cases.case(hit).claimed_by] == won
        kinds = [event.kind for event in opened.cases.timeline(hit)]
    assert kinds == ["received", "claimed"]


def test_claiming_twice_is_one_claim(hit, browser):
    client = browser("operator-1")
    for _ in range(2):
        assert client.post(f"/api/cases/{hit}/claim").status_code == 200
    detail = client.get(f"/api/cases/{hit}").json()
    assert [event["kind"] for event in detail["timeline"]] == ["received", "claimed"]


def test_only_a_supervisor_takes_over_and_says_why(hit, browser, hub):
    browser("operator-1").post(f"/api/cases/{hit}/claim")
    body = {"reason": "end of shift"}
    path = f"/api/cases/{hit}/take-over"
    assert browser("operator-2").post(path, json=body).status_code == 403
    boss = browser("supervisor-1")
    assert boss.post(path, json={}).status_code == 422
    assert boss.post(path, json=body).json()["claimed_by"] == "supervisor-1"
    [event] = boss.get(f"/api/cases/{hit}").json()["timeline"][-1:]
    assert event["kind"] == "taken_over"
    assert event["body"] == {"from": "operator-1", "reason": "end of shift"}
    with hub.opened() as database:
        actions = [(x.actor, x.action) for x in lines_before(database, None, limit=5)]
    assert ("supervisor-1", "case taken_over") in actions


def test_an_instruction_goes_to_the_booth_and_its_answer_comes_back(
    hit, browser, hub, take_in, clock
):
    client = browser("operator-1")
    client.post(f"/api/cases/{hit}/claim")
    answer = client.post(f"/api/cases/{hit}/instruct", json={"text": "Hold."})
    assert answer.status_code == 200
    with hub.opened() as database:
        commands = StoredHubCommands(database)
        [command] = commands.commands()
        assert command.booth_id == "booth-1"
        instruction = Instruction.decode(command.body, limit=10_000)
        assert (instruction.hit_id, instruction.text) == (hit, "Hold.")
        commands.answered(
            command.command_id,
            booth_id="booth-1",
            outcome="done",
            detail="shown",
            at=clock.now(),
        )
    take_in()
    take_in()
    events = client.get(f"/api/cases/{hit}").json()["timeline"]
    assert [e["kind"] for e in events][-2:] == ["instructed", "instruction_answered"]
    assert events[-1]["body"]["outcome"] == "done"


def test_an_instruction_that_nobody_reads_in_time_is_told(
    hit, browser, hub, take_in, clock
):
    client = browser("operator-1")
    client.post(f"/api/cases/{hit}/claim")
    client.post(f"/api/cases/{hit}/instruct", json={"text": "Hold.", "valid_h": 1})
    with hub.opened() as database:
        StoredHubCommands(database).expire(clock.now() + timedelta(hours=2))
    take_in()
    event = client.get(f"/api/cases/{hit}").json()["timeline"][-1]
    assert (event["kind"], event["body"]["outcome"]) == (
        "instruction_answered",
        "expired",
    )


@pytest.mark.parametrize("is_hit_first", [True, False])
def test_what_the_officers_said_stands_with_the_case(
    hub, take_in, browser, is_hit_first
):
    if is_hit_first:
        hub.receive("h")
        take_in()
    hub.decide("h", 1, "awaiting_second", "officer-1")
    take_in()
    hub.decide("h", 2, "confirmed", "officer-2")
    if not is_hit_first:
        hub.receive("h")
    take_in()
    detail = browser("operator-1").get("/api/cases/h").json()
    assert detail["case"]["decision"] == "confirmed"
    assert [(d["officer"], d["step"]) for d in detail["decisions"]] == [
        ("officer-1", "first"),
        ("officer-2", "second"),
    ]
    kinds = [event["kind"] for event in detail["timeline"]]
    assert kinds == ["received", "decided", "decided"]


def test_another_booths_word_on_a_hit_counts_for_nothing(hub, take_in, browser, hit):
    hub.decide(hit, 1, "refuted", "officer-1", booth_id="booth-2")
    take_in()
    detail = browser("operator-1").get(f"/api/cases/{hit}").json()
    assert detail["case"]["decision"] == "undecided"
    assert [event["kind"] for event in detail["timeline"]] == ["received"]


def test_escalated_is_the_highest_severity(hit, browser, hub, take_in):
    hub.publish("critical", category="terrorism")
    hub.receive(entry_id="critical")
    take_in()
    client = browser("operator-1")
    client.post(f"/api/cases/{hit}/claim")
    client.post(f"/api/cases/{hit}/escalate", json={"reason": "an armed person"})
    case = client.get(f"/api/cases/{hit}").json()["case"]
    assert case["severity"] == 4
    assert case["escalated_at"] is not None


def test_a_closed_case_stays_closed(hit, browser):
    client = browser("operator-1")
    client.post(f"/api/cases/{hit}/claim")
    body = {"outcome": "not_the_person", "note": "another face"}
    assert client.post(f"/api/cases/{hit}/close", json=body).status_code == 200
    for action in ("claim", "release"):
        assert client.post(f"/api/cases/{hit}/{action}").status_code == 409
    assert queue(client)["cases"] == []
    [case] = queue(client, state="closed")["cases"]
    assert case["outcome"] == "not_the_person"
    assert queue(client)["counts"]["closed"] == 1


def test_a_drill_ends_as_a_drill_and_nothing_else_does(hub, take_in, browser, hit):
    hub.publish("drill", category="DRILL")
    drill = hub.receive(entry_id="drill")
    take_in()
    client = browser("operator-1")
    for hit_id in (hit, drill):
        client.post(f"/api/cases/{hit_id}/claim")
    wrong = ((hit, "drill"), (drill, "identified"))
    for hit_id, outcome in wrong:
        answer = client.post(f"/api/cases/{hit_id}/close", json={"outcome": outcome})
        assert answer.status_code == 422
    answer = client.post(f"/api/cases/{drill}/close", json={"outcome": "drill"})
    assert answer.status_code == 200


def test_every_look_at_a_case_stands_in_the_audit_log(hit, browser, hub):
    browser("auditor-1").get(f"/api/cases/{hit}")
    with hub.opened() as database:
        [line] = lines_before(database, None, limit=1)
        assert (line.actor, line.action, line.subject) == (
            "auditor-1",
            "read hit",
            hit,
        )
        assert verify_audit(database) > 0


def test_images_are_never_kept_by_a_browser(hit, browser):
    client = browser("operator-1")
    detail = client.get(f"/api/cases/{hit}").json()
    urls = [image["url"] for image in detail["probe"] + detail["reference"]]
    assert len(urls) == 2
    for url in urls:
        answer = client.get(url)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.content.startswith(b"\x89PNG")
    assert client.get(f"/api/cases/{hit}/images/probe/1").status_code == 404


def test_the_comparison_names_minutiae_that_correspond(hit, browser):
    [finger] = (
        browser("operator-1").get(f"/api/cases/{hit}/comparisons").json()["fingers"]
    )
    assert finger["position_name"] == "right index"
    assert len(finger["probe"]) == len(finger["reference"]) == 40
    # Both are the same template.
    assert len(finger["pairs"]) > 20
    assert all(a == b for a, b in finger["pairs"])
    assert finger["probe_url"]
    assert finger["reference_url"]


@pytest.mark.usefixtures("hit")
def test_the_timeline_cannot_be_changed(hub):
    with hub.opened() as database:
        for statement in (
            "update case_events set actor = 'x'",
            "delete from case_events",
        ):
            with pytest.raises(Exception, match="append-only"):
                database.conn.execute(statement)


ROUTES = (
    ("GET", "/api/cases", "oasu"),
    ("GET", "/api/cases/HIT", "osu"),
    ("GET", "/api/cases/HIT/images/probe/0", "osu"),
    ("GET", "/api/cases/HIT/comparisons", "osu"),
    ("POST", "/api/cases/HIT/archive", "osu"),
    ("POST", "/api/cases/HIT/claim", "os"),
    ("POST", "/api/cases/HIT/release", "os"),
    ("POST", "/api/cases/HIT/note", "os"),
    ("POST", "/api/cases/HIT/instruct", "os"),
    ("POST", "/api/cases/HIT/escalate", "os"),
    ("POST", "/api/cases/HIT/close", "os"),
    ("POST", "/api/cases/HIT/take-over", "s"),
    ("GET", "/api/posts", "oasu"),
    ("POST", "/api/posts/booth-1/command", "s"),
    ("GET", "/api/watchlist", "oasu"),
    ("GET", "/api/watchlist/entries/e1", "osu"),
    ("GET", "/api/watchlist/entries/e1/images/0", "osu"),
    ("GET", "/api/watchlist/expiring", "oasu"),
    ("GET", "/api/drafts", "oasu"),
    ("POST", "/api/drafts", "os"),
    ("POST", "/api/withdrawals", "os"),
    ("POST", "/api/drafts/x/release", "s"),
    ("POST", "/api/drafts/x/reject", "s"),
    ("GET", "/api/drafts/x/images/y", "osu"),
    ("GET", "/api/recalls", "oasu"),
    ("GET", "/api/audit", "asu"),
    ("POST", "/api/audit/verification", "asu"),
    ("GET", "/api/openapi.json", "oasu"),
    ("GET", "/api/accounts", "a"),
    ("POST", "/api/accounts", "a"),
    ("POST", "/api/accounts/operator-1", "a"),
    ("GET", "/accounts", "a"),
    ("GET", "/audit", "asu"),
    ("GET", "/", "oasu"),
    ("GET", "/posts", "oasu"),
    ("GET", "/watchlist", "oasu"),
)


def test_each_route_asks_for_its_roles(hit, browser):
    """O operator, s supervisor, a administrator, u auditor."""
    accounts = {
        "o": "operator-1",
        "s": "supervisor-1",
        "a": "administrator-1",
        "u": "auditor-1",
    }
    for method, pattern, allowed in ROUTES:
        path = pattern.replace("HIT", hit)
        assert browser("").request(method, path).status_code == 401, path
        for letter, name in accounts.items():
            status = browser(name).request(method, path).status_code
            assert (status == 403) == (letter not in allowed), (path, name)


@pytest.mark.usefixtures("hit")
def test_what_is_wrong_is_said_in_one_line(browser):
    client = browser("operator-1")
    for path, status in (
        ("/api/cases/none", 404),
        ("/api/cases?limit=0", 422),
        ("/api/cases?after=x", 422),
        ("/api/nothing", 404),
    ):
        answer = client.get(path)
        assert answer.status_code == status
        assert set(answer.json()) == {"code", "detail"}
        assert "\n" not in answer.json()["detail"]


def test_the_description_names_every_route_and_its_answers(browser):
    description = browser("auditor-1").get("/api/openapi.json").json()
    paths = description["paths"]
    assert "/api/cases/{hit_id}/claim" in paths
    for path, methods in paths.items():
        for operation in methods.values():
            assert operation["summary"], path
            assert "409" in operation["responses"], path
            success = operation["responses"].get("200") or operation["responses"]["202"]
            assert success.get("content"), path
