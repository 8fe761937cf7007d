"""The operators' console: hits as they come, two who claim one, a line that is lost."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from edge.simulate.fault_proxy import FaultProxy
from edge.terms import Outcome

BURST = 200


def card_of(page, hit_id):
    return page.locator(f'[data-testid=case-card][data-hit="{hit_id}"]')


@pytest.fixture
def queue(screens):
    """The page of an operator, live."""
    page = screens.open("hub", "operator-1")
    expect(page.get_by_test_id("link-state")).to_have_attribute("data-level", "ok")
    expect(page.get_by_test_id("count-open")).to_contain_text("mine")
    return page


def test_a_hit_appears_by_itself_and_is_counted_in_the_title(
    queue, checkpoint, picture
):
    [hit_id] = checkpoint.record_hits(1)
    card_of(queue, hit_id).wait_for()
    expect(queue).to_have_title(re.compile(r"^\(\d+\) "))
    card_of(queue, hit_id).click()
    expect(queue.get_by_test_id("case-state")).to_contain_text("unclaimed")
    picture(queue, "console-case")


def test_of_two_operators_who_claim_a_case_at_once_one_gets_it(checkpoint, screens):
    [hit_id] = checkpoint.record_hits(1)
    pages = [screens.open("hub", name) for name in ("operator-1", "operator-2")]
    for page in pages:
        card_of(page, hit_id).click()
        page.get_by_test_id("case-claim").wait_for()
    # Held back until both have asked, so that neither sees the other's claim.
    for page in pages:
        page.evaluate("document.querySelector('[data-testid=case-claim]').click()")
    for page in pages:
        expect(page.get_by_test_id("case-state")).not_to_contain_text("unclaimed")
    said = sorted(page.get_by_test_id("case-state").inner_text() for page in pages)
    assert sum("yours" in words for words in said) == 1, said
    assert sum("operator-" in words for words in said) == 1, said


def test_claims_that_race_for_a_case_are_won_once(checkpoint):
    [hit_id] = checkpoint.record_hits(1)
    clients = [checkpoint.client("hub", name) for name in ("operator-1", "operator-2")]
    path = f"/api/cases/{hit_id}"
    checkpoint.at_hub(hit_id)
    with ThreadPoolExecutor(2) as threads:
        answers = list(
            threads.map(lambda c: c.post(f"{path}/claim", json={}), clients * 4)
        )
    statuses = {a.status_code for a in answers}
    assert statuses <= {200, 409}, statuses
    owners = {client.get(path).json()["case"]["claimed_by"] for client in clients}
    [winner] = owners
    assert winner in {"operator-1", "operator-2"}
    # Whoever lost can do nothing to it.
    loser = clients[1] if winner == "operator-1" else clients[0]
    answer = loser.post(f"{path}/close", json={"outcome": "no_action", "note": ""})
    assert answer.status_code == 409, answer.text


def test_a_burst_of_hits_is_shown_whole(queue, checkpoint, picture):
    before = counted(queue)
    hits = checkpoint.record_hits(BURST)
    expect(queue.get_by_test_id("count-open")).to_contain_text(
        f"{before + BURST} open", timeout=60_000
    )
    picture(queue, "console-burst")
    # The page still answers: the newest case opens.
    card_of(queue, hits[-1]).click()
    queue.get_by_test_id("case-name").wait_for()


def counted(page):
    text = page.get_by_test_id("count-open").inner_text()
    return int(text.split(" open")[0].replace(",", "").replace("\u202f", ""))


def test_what_was_missed_is_shown_when_the_line_is_back(screens, checkpoint):
    screens.is_line_cut = True
    with FaultProxy(port_of(checkpoint.url("hub"))) as line:
        page = screens.open("hub", "operator-1", line=line)
        expect(page.get_by_test_id("count-open")).to_contain_text("mine")
        before = counted(page)
        line.go_down()
        expect(page.get_by_test_id("connection-lost")).to_be_visible()
        hits = checkpoint.record_hits(3)
        checkpoint.at_hub(hits[-1])
        assert not card_of(page, hits[-1]).count()
        line.heal()
        for hit_id in hits:
            card_of(page, hit_id).wait_for()
        expect(page.get_by_test_id("count-open")).to_contain_text(f"{before + 3} open")
        expect(page.get_by_test_id("connection-lost")).not_to_be_visible()


def port_of(url):
    return int(url.rsplit(":", 1)[1])


def test_an_operator_instructs_the_booth_and_the_officer_sees_it(
    queue, checkpoint, screens
):
    screen = screens.officer()
    checkpoint.show(checkpoint.travellers["T1"])
    screen.start()
    assert screen.outcome() is Outcome.REFER
    newest = queue.get_by_test_id("case-card").filter(has_text="Ada Quill").first
    newest.click()
    queue.get_by_test_id("case-claim").click()
    expect(queue.get_by_test_id("case-state")).to_contain_text("yours")
    queue.get_by_test_id("instruction").fill("Hold the person. We call you.")
    queue.get_by_test_id("case-instruct").click()
    expect(screen.find("hub-answers")).to_contain_text("Hold the person. We call you.")
