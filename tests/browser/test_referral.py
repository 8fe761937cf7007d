"""A possible match: what stands beside it, and two officers who decide."""

import pytest
from playwright.sync_api import expect

from edge.terms import Outcome


@pytest.fixture
def hit(checkpoint, screens):
    """The screen of an officer to whom a wanted person has just been referred."""
    screen = screens.officer()
    checkpoint.show(checkpoint.travellers["T1"])
    screen.start()
    assert screen.outcome() is Outcome.REFER
    return screen


def sign_second(screen, name, password, verdict="confirm"):
    screen.find("second-name").fill(name)
    screen.find("second-password").fill(password)
    screen.find(f"second-{verdict}").check()
    screen.find("second-reason").select_option(index=0)
    screen.find("second-done").click()


def test_two_officers_confirm_a_hit(hit, checkpoint, picture):
    hit.decide("confirm")
    hit.state_of_decision("awaiting_second")
    picture(hit.page, "officer-second")
    password = checkpoint.system.passwords["booth", "officer-2"]
    sign_second(hit, "officer-2", "wrong")
    expect(hit.find("second-error")).not_to_be_empty()
    sign_second(hit, "officer-2", password)
    hit.state_of_decision("confirmed")
    assert "officer-1" in hit.find("hit-decision").inner_text()
    assert "officer-2" in hit.find("hit-decision").inner_text()
    checkpoint.delivered()
    hit.leave_hit()


def test_nobody_confirms_alone(hit, checkpoint):
    hit.decide("confirm")
    hit.state_of_decision("awaiting_second")
    own = checkpoint.system.passwords["booth", "officer-1"]
    sign_second(hit, "officer-1", own)
    expect(hit.find("second-error")).not_to_be_empty()
    hit.state_of_decision("awaiting_second")


def test_officers_who_disagree_are_shown_as_such(hit, checkpoint):
    hit.decide("confirm")
    hit.state_of_decision("awaiting_second")
    password = checkpoint.system.passwords["booth", "supervisor-1"]
    sign_second(hit, "supervisor-1", password, "refute")
    hit.state_of_decision("disputed")


def test_it_is_decided_without_a_line_to_the_hub(checkpoint, screens):
    checkpoint.system.broker.kill()
    try:
        screen = screens.officer()
        checkpoint.show(checkpoint.travellers["T1"])
        screen.start()
        assert screen.outcome() is Outcome.REFER
        screen.decide("refute")
        screen.state_of_decision("awaiting_second")
        password = checkpoint.system.passwords["booth", "officer-2"]
        sign_second(screen, "officer-2", password, "refute")
        screen.state_of_decision("refuted")
    finally:
        checkpoint.system.broker.restart()
    checkpoint.delivered()


def test_candidate_and_capture_stand_side_by_side(hit, checkpoint, picture):
    checkpoint.delivered()
    hit_view = hit.find("hit")
    expect(hit_view.get_by_test_id("one-in")).to_contain_text("1")
    expect(hit_view.get_by_role("img").first).to_be_visible()
    for image in hit_view.locator("img").all():
        assert image.evaluate("i => i.decode().then(() => i.naturalWidth)") > 0
        assert image.get_attribute("alt")
    picture(hit.page, "officer-referral")
    hit.leave_hit()


def test_no_image_of_a_traveller_is_kept_by_the_browser(hit):
    seen = []
    hit.page.on("response", lambda response: seen.append(response))  # noqa: PLW0108  Playwright marks it
    hit.page.reload()
    hit.find("open-hits").click()
    hit.find("entry").wait_for()
    hit.page.wait_for_function("() => document.querySelector('[data-testid=hit] svg')")
    carried = [r for r in seen if "/api/hits/" in r.url]
    pictures = [r for r in carried if r.headers["content-type"].startswith("image/")]
    assert pictures
    for response in carried:
        assert response.headers["cache-control"] == "no-store"
