"""The demo's travellers and others as an officer sees them on the screen."""

import pytest
from playwright.sync_api import expect

from edge.simulate.fault_proxy import FaultProxy
from edge.terms import Outcome


def test_all_six_go_as_expected_with_one_click_each(checkpoint, screens, picture):
    screen = screens.officer()
    picture(screen.page, "officer-ready")
    for traveller in checkpoint.scenario.travellers:
        if traveller.published_before is not None:
            checkpoint.publish(traveller.published_before)
        if traveller.is_broker_down:
            checkpoint.system.broker.kill()
        try:
            checkpoint.show(traveller)
            screen.start()
            assert screen.outcome() is traveller.expected, traveller.name
            look_at(screen, traveller)
            picture(screen.page, f"officer-{traveller.name.lower()}")
        finally:
            if traveller.is_broker_down:
                checkpoint.system.broker.restart()
        checkpoint.delivered()
        if traveller.expected is Outcome.REFER:
            screen.leave_hit()


def look_at(screen, traveller):
    """A possible match shows its person and what the score means; else nobody's."""
    is_hit = traveller.expected is Outcome.REFER
    assert screen.find("entry").is_visible() is is_hit
    assert screen.find("one-in").is_visible() is is_hit
    if is_hit:
        assert traveller.entry_id in screen.find("entry").inner_text()
    else:
        words = screen.page.inner_text("body")
        assert not any(name in words for name in ("Quill", "Larkin", "Marsh", "Thorne"))


def test_a_finger_that_cannot_be_given_has_a_reason_and_a_way_on(
    checkpoint, screens, picture
):
    checkpoint.leave()
    screen = screens.officer()
    screen.start()
    screen.await_view("running")
    asked = screen.find("finger-name").inner_text()
    screen.find("skip").click()
    screen.find("reason-bandaged").check()
    picture(screen.page, "officer-reason")
    screen.find("reason-done").click()
    expect(screen.find("finger-name")).not_to_have_text(asked)
    checkpoint.show(checkpoint.travellers["T3"])
    assert screen.outcome() in {Outcome.CLEAR, Outcome.DEGRADED}
    assert "bandaged" in screen.find("reasons").inner_text().lower()


def test_a_check_can_be_ended(checkpoint, screens):
    checkpoint.leave()
    screen = screens.officer()
    screen.start()
    screen.await_view("running")
    screen.find("cancel").click()
    assert screen.outcome() is not Outcome.CLEAR


def test_with_automatic_start_a_clear_traveller_takes_no_click(checkpoint, screens):
    screen = screens.officer()
    screen.find("automatic-start").check()
    try:
        checkpoint.show(checkpoint.travellers["T3"])
        assert screen.outcome() is Outcome.CLEAR
        checkpoint.leave()
        checkpoint.show(checkpoint.travellers["T3"])
        screen.await_view("running")
        assert screen.outcome() is Outcome.CLEAR
    finally:
        checkpoint.leave()
        checkpoint.client("booth", "officer-1").put(
            "/api/automatic-start", json={"is_on": False}
        )


@pytest.mark.parametrize("device", ["scanner", "camera"])
def test_a_device_that_is_gone_is_said_and_no_check_is_clear(
    checkpoint, screens, device, picture
):
    screen = screens.officer()
    checkpoint.show(checkpoint.travellers["T3"])
    if device == "scanner":
        checkpoint.scanner.unplug()
    else:
        checkpoint.system.camera.show([])
    try:
        screen.start()
        assert screen.outcome() in {Outcome.DEGRADED, Outcome.RETRY}
        reasons = screen.find("reasons").inner_text()
        assert {"scanner": "Fingerprint", "camera": "Face"}[device] in reasons
        picture(screen.page, f"officer-no-{device}")
        # What still works, and a way on.
        if device == "scanner":
            screen.find("degraded").wait_for()
            assert screen.find("status-scanner").get_attribute("data-level") == "bad"
        assert screen.find("start").is_enabled()
    finally:
        if device == "scanner":
            checkpoint.scanner.replug()
    checkpoint.show(checkpoint.travellers["T3"])
    screen.start()
    screen.await_view("running")
    assert screen.outcome() is Outcome.CLEAR


def test_a_line_that_is_cut_in_mid_check_is_said_and_the_result_is_caught_up(
    checkpoint, screens, picture
):
    checkpoint.leave()
    screens.is_line_cut = True
    with FaultProxy(int(checkpoint.url("booth").rsplit(":", 1)[1])) as line:
        screen = screens.officer(line=line)
        ticket = screen.start()
        screen.await_view("running")
        line.go_down()
        checkpoint.show(checkpoint.travellers["T3"])
        checkpoint.ended(ticket)
        screen.find("connection-lost").wait_for()
        picture(screen.page, "officer-line-cut")
        assert screen.find("work").get_attribute("data-view") == "running"
        line.heal()
        assert screen.outcome() is Outcome.CLEAR
        screen.find("connection-lost").wait_for(state="hidden")
