from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.web.guard import LARGEST_FORM
from edge.web.rate_limit import Rate, RateLimit
from edge.web.sign_in import _own

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"  # noqa: S105  as in conftest.py
BASE = "http://127.0.0.1:8710"


def test_nothing_is_reached_without_a_session(browser):
    assert browser.ask("GET", "/api/things").status_code == 401
    assert browser.ask("POST", "/api/things").status_code == 401
    assert browser.ask("GET", "/no/such/path").status_code == 303
    page = browser.ask("GET", "/")
    assert page.status_code == 303
    assert page.headers["location"] == "/sign-in?next=/"


def test_a_made_up_cookie_is_no_session(browser):
    browser.cookie = "edge_test=" + "A" * 43
    assert browser.ask("GET", "/api/things").status_code == 401


def test_who_is_signed_in_is_served_and_nobody_after_signing_out(browser):
    browser.sign_in()
    assert browser.ask("GET", "/api/things").status_code == 200
    kept = browser.cookie
    assert browser.change("/sign-out").status_code == 303
    browser.cookie = kept
    assert browser.ask("GET", "/api/things").status_code == 401


def test_a_change_needs_the_token_of_the_session(browser):
    browser.sign_in()
    assert browser.ask("POST", "/api/things").status_code == 403
    wrong = {"X-CSRF-Token": "x" * 43}
    assert browser.ask("POST", "/api/things", headers=wrong).status_code == 403
    strange = {"X-CSRF-Token": "ä".encode()}
    assert browser.ask("POST", "/api/things", headers=strange).status_code == 403
    assert browser.change("/api/things", content=b"abc").json() == {"size": 3}


def test_a_form_may_carry_the_token_and_is_read_whole_by_the_route(browser):
    browser.sign_in()
    form = {"csrf": browser.csrf, "language": "fr", "target": "/"}
    answer = browser.ask("POST", "/language", data=form)
    assert answer.status_code == 303
    assert "edge_language=fr" in answer.headers["set-cookie"]


def test_a_form_that_is_too_large_is_refused(browser):
    browser.sign_in()
    form = {"csrf": browser.csrf, "language": "f" * LARGEST_FORM}
    assert browser.ask("POST", "/language", data=form).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "https://127.0.0.1:8710"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_change_from_another_site_is_refused(browser, headers):
    browser.sign_in()
    assert browser.change("/api/things", headers=headers).status_code == 403
    credentials = {"name": "ada", "password": PASSWORD}
    answer = browser.ask("POST", "/api/session", json=credentials, headers=headers)
    assert answer.status_code == 403


def test_another_name_of_the_host_is_refused(browser):
    answer = browser.ask("GET", "/sign-in", base="http://rebound.example:8710")
    assert answer.status_code == 421


def test_a_body_over_the_limit_is_refused(browser):
    browser.sign_in()
    assert browser.change("/api/things", content=b"x" * 300_000).status_code == 413


def test_every_answer_carries_the_headers_that_keep_it_to_itself(browser):
    for path in ("/sign-in", "/api/things", "/static/web/design.css", "/"):
        headers = browser.ask("GET", path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        wanted = "no-cache" if path.startswith("/static") else "no-store"
        assert headers["cache-control"] == wanted


def test_the_answer_to_a_defect_is_guarded_and_tells_nothing(browser):
    browser.sign_in()
    answer = browser.ask("GET", "/api/defect")
    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "nobody has thought" not in answer.text


def test_the_cookie_is_kept_from_scripts_other_sites_and_open_lines(browser):
    cookie = browser.sign_in().headers["set-cookie"].lower()
    for part in ("httponly", "samesite=strict", "secure", "path=/"):
        assert part in cookie
    assert "max-age" not in cookie
    assert "expires" not in cookie


def test_a_session_ends_by_idleness_unless_a_person_does_something(browser, clock):
    browser.sign_in()
    for _ in range(3):
        clock.advance(500)
        assert browser.change("/api/session/active").status_code == 204
    clock.advance(400)
    # What a page asks for by itself keeps nobody signed in.
    assert browser.ask("GET", "/api/things").status_code == 200
    clock.advance(201)
    assert browser.ask("GET", "/api/things").status_code == 401


def test_a_session_ends_by_age(browser, clock):
    browser.sign_in()
    for _ in range(8):
        clock.advance(450)
        browser.change("/api/session/active")
    assert browser.ask("GET", "/api/things").status_code == 401


def test_signing_in_ends_the_session_there_was(browser):
    browser.sign_in()
    first = browser.cookie
    browser.sign_in()
    assert browser.cookie != first
    browser.cookie = first
    assert browser.ask("GET", "/api/things").status_code == 401


def test_a_role_that_may_not_is_refused(browser):
    browser.sign_in()
    assert browser.ask("GET", "/api/reports").status_code == 403
    browser.sign_in("sam")
    assert browser.ask("GET", "/api/reports").status_code == 200


def test_too_many_attempts_to_sign_in_have_to_wait(browser):
    for _ in range(20):
        assert browser.sign_in("nobody-here", "x").status_code in (401, 429)
    answer = browser.sign_in()
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_a_bucket_gives_its_burst_and_then_its_rate():
    clock = ManualClock(NOON)
    limit = RateLimit(Rate(3, 2.0), clock)
    assert [limit.wait_s("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert limit.wait_s("b") == 0
    clock.advance(0.5)
    assert limit.wait_s("a") == 0
    assert limit.wait_s("a") > 0


@given(st.text(max_size=60))
def test_after_signing_in_nobody_is_led_to_another_site(target):
    answer = _own(target)
    assert answer.startswith("/")
    assert not answer.startswith(("//", "/\\"))


def test_a_page_that_was_asked_for_is_shown_after_signing_in(browser):
    form = {"name": "ada", "password": PASSWORD, "next": "/supervisor"}
    assert browser.ask("POST", "/sign-in", data=form).headers["location"] == (
        "/supervisor"
    )
    browser.cookie = ""
    form["next"] = BASE + "/elsewhere"
    assert browser.ask("POST", "/sign-in", data=form).headers["location"] == "/"
