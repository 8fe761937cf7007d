"""Signing in, locking, handing over, and what ends a session."""

from contextlib import closing

import httpx
from playwright.sync_api import expect

from edge.terms import Outcome
from edge.web.client import signed_in

FAILURES = 5


def sign_in(page, name, password):
    page.get_by_test_id("name").fill(name)
    page.get_by_test_id("password").fill(password)
    page.get_by_test_id("sign-in").click()


def await_ready(page):
    """Wait until the screen's script runs: what it says is its own."""
    expect(page.get_by_test_id("say")).not_to_be_empty()


def test_an_officer_signs_in_and_out(checkpoint, screens, picture):
    page = screens.open("booth")
    picture(page, "sign-in")
    name, password = checkpoint.newcomer("booth")
    sign_in(page, name, "not it")
    expect(page.get_by_test_id("sign-in-error")).to_be_visible()
    sign_in(page, name, password)
    await_ready(page)
    page.get_by_test_id("menu").click()
    page.get_by_test_id("sign-out").click()
    page.wait_for_url("**/sign-in")
    page.go_back()
    expect(page.get_by_test_id("start")).not_to_be_visible()


def test_who_guesses_is_locked_out_and_nobody_else_is(checkpoint, screens):
    page = screens.open("booth")
    name, password = checkpoint.newcomer("booth")
    for _ in range(FAILURES):
        sign_in(page, name, "not it")
        expect(page.get_by_test_id("sign-in-error")).to_be_visible()
    sign_in(page, name, password)
    expect(page.get_by_test_id("sign-in-error")).to_contain_text("minute")
    other, its_password = checkpoint.newcomer("booth")
    sign_in(page, other, its_password)
    await_ready(page)


def test_a_screen_whose_session_has_ended_shows_the_sign_in(checkpoint, screens):
    page = screens.open("booth")
    name, password = checkpoint.newcomer("booth")
    sign_in(page, name, password)
    await_ready(page)
    [cookie] = [c for c in page.context.cookies() if c["name"] == "edge_booth"]
    assert cookie["httpOnly"]
    assert cookie["secure"]
    assert cookie["sameSite"] == "Strict"
    # Ended as by its age: the browser still has the cookie.
    headers = {"cookie": f"edge_booth={cookie['value']}"}
    with httpx.Client(base_url=checkpoint.system.booth_url, headers=headers) as client:
        token = client.get("/api/session").json()["csrf"]
        client.post("/sign-out", headers={"x-csrf-token": token})
    page.wait_for_url("**/sign-in*")


def test_the_screen_is_locked_by_a_key_and_opened_by_its_officer(checkpoint, screens):
    page = screens.open("booth")
    name, password = checkpoint.newcomer("booth")
    sign_in(page, name, password)
    await_ready(page)
    page.keyboard.press("l")
    expect(page.get_by_test_id("locked")).to_be_visible()
    expect(page.get_by_test_id("name")).to_have_value(name)
    page.get_by_test_id("password").fill(password)
    page.keyboard.press("Enter")
    await_ready(page)


def test_a_shift_is_handed_over_and_the_former_session_is_over(checkpoint, screens):
    page = screens.open("booth")
    name, password = checkpoint.newcomer("booth")
    sign_in(page, name, password)
    await_ready(page)
    [cookie] = [c for c in page.context.cookies() if c["name"] == "edge_booth"]
    page.get_by_test_id("menu").click()
    page.get_by_test_id("hand-over").click()
    dialog = page.get_by_test_id("handover")
    next_name, next_password = checkpoint.newcomer("booth")
    dialog.get_by_label("Name").fill(next_name)
    dialog.get_by_label("Password").fill(next_password)
    page.get_by_test_id("handover-done").click()
    expect(page.get_by_test_id("menu")).to_contain_text(next_name)
    headers = {"cookie": f"edge_booth={cookie['value']}"}
    answer = httpx.get(f"{checkpoint.system.booth_url}/api/health", headers=headers)
    assert answer.status_code == 401


def test_a_traveller_is_checked_and_referred_by_keyboard_alone(checkpoint, screens):
    page = screens.open("booth")
    name, password = checkpoint.newcomer("booth")
    second, its_password = checkpoint.newcomer("booth")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    await_ready(page)
    checkpoint.show(checkpoint.travellers["T1"])
    page.keyboard.press("Space")
    page.get_by_test_id("entry").wait_for()
    page.keyboard.press("1")
    expect(page.get_by_test_id("reason-dialog")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_test_id("second-form").wait_for()
    tab_to(page, "second-name")
    page.keyboard.type(second)
    page.keyboard.press("Tab")
    page.keyboard.type(its_password)
    tab_to(page, "second-confirm")
    page.keyboard.press("Space")
    tab_to(page, "second-done")
    page.keyboard.press("Enter")
    page.locator('[data-decision="confirmed"]').wait_for()
    tab_to(page, "next-traveller")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("work")).to_have_attribute("data-view", "idle")
    checkpoint.show(checkpoint.travellers["T3"])
    page.keyboard.press("Space")
    page.locator('[data-testid=work][data-view="verdict"]').wait_for()
    shown = page.get_by_test_id("decision").get_attribute("data-outcome")
    assert Outcome(shown) is Outcome.CLEAR


def tab_to(page, name):
    """Press the tabulator until an element has the focus, and the focus is seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.get_attribute("data-testid") == name:
            style = focused.evaluate(
                "e => { const s = getComputedStyle(e);"
                " return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; }"
            )
            assert style, f"{name} has the focus, and nothing shows it"
            return
    message = f"the tabulator does not reach {name}"
    raise AssertionError(message)


def test_the_sign_in_of_the_hub_is_another_one(checkpoint):
    password = checkpoint.system.passwords["hub", "operator-1"]
    with closing(signed_in(checkpoint.url("hub"), "operator-1", password)) as client:
        cookie = client.headers["cookie"]
    assert cookie.startswith("edge_hub=")
    token = cookie.partition("=")[2]
    answer = httpx.get(
        f"{checkpoint.system.booth_url}/api/health",
        headers={"cookie": f"{cookie}; edge_booth={token}"},
    )
    assert answer.status_code == 401
