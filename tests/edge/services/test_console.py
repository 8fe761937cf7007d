"""The console as a process: guard, sign-in, stream, archives by the hub's own key."""

import threading
from contextlib import closing

import httpx
import pytest
from click.testing import CliRunner

from edge.cli.hub import hub
from edge.config import parse_config
from edge.errors import ConfigurationError
from edge.services.measured_console import MeasuredConsole
from edge.simulate.console_store import StoreSize

SIZE = StoreSize(hits=6, posts=3, entries=4, evidence_bytes=400)


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    with MeasuredConsole(tmp_path_factory.mktemp("console"), SIZE) as console:
        yield console


@pytest.fixture
def operator(console):
    with closing(console.client("operator-1")) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/api/cases",
        "/api/events",
        "/api/openapi.json",
        "/api/accounts",
        "/api/cases/x/images/probe/0",
    ],
)
def test_nothing_is_reached_without_signing_in(console, path):
    answer = httpx.get(console.url + path)
    assert answer.status_code == 401
    assert answer.headers["cache-control"] == "no-store"


def test_a_page_leads_to_the_sign_in(console):
    answer = httpx.get(console.url, headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_pages_carry_no_script_or_style_of_their_own(operator):
    page = operator.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in page.text
    assert "<style" not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_a_forged_request_changes_nothing(operator):
    [case, *_] = operator.get("/api/cases").json()["cases"]
    headers = {"X-CSRF-Token": "guessed"}
    path = f"/api/cases/{case['hit_id']}/claim"
    assert operator.post(path, headers=headers).status_code == 403
    headers = {"Origin": "http://elsewhere.example"}
    assert operator.post(path, headers=headers).status_code == 403


def stream(client, after, count):
    """Return what the stream tells after a number: ids and hit ids."""
    found = []
    with client.stream("GET", "/api/events", params={"after": after}) as answer:
        for line in answer.iter_lines():
            if line.startswith("id:"):
                found.append(int(line[3:]))
                if len(found) == count:
                    return found
    return found


def test_whoever_comes_back_is_told_what_was_missed(operator):
    assert stream(operator, 0, 6)[:6] == [1, 2, 3, 4, 5, 6]
    assert stream(operator, 4, 2) == [5, 6]


def test_a_stream_ends_with_its_session(console):
    with closing(console.client("operator-2")) as client:
        ended = threading.Event()

        def listen():
            with client.stream("GET", "/api/events", timeout=30) as answer:
                for _ in answer.iter_lines():
                    begun.set()
            ended.set()

        begun = threading.Event()
        threading.Thread(target=listen, daemon=True).start()
        assert begun.wait(10)
        client.delete("/api/session")
        assert ended.wait(15)


def test_an_exported_case_is_verified_by_its_hub(console, operator, tmp_path):
    [case, *_] = operator.get("/api/cases").json()["cases"]
    answer = operator.post(f"/api/cases/{case['hit_id']}/archive")
    assert answer.status_code == 200
    file = tmp_path / "case.zip"
    file.write_bytes(answer.content)
    command = ["verify-case", str(file), "--config", str(console.config)]
    result = CliRunner().invoke(hub, command)
    assert result.exit_code == 0, result.output
    assert case["hit_id"] in result.output
    file.write_bytes(answer.content[:-30])
    assert CliRunner().invoke(hub, command).exit_code != 0


def test_an_administrator_keeps_the_accounts(console):
    order = {
        "name": "new.operator",
        "display_name": "New Operator",
        "role": "operator",
        "password": "a long phrase for now",
    }
    with closing(console.client("administrator-1")) as keeper:
        assert keeper.post("/api/accounts", json=order).status_code == 200
        assert keeper.post("/api/accounts", json=order).status_code == 422
        off = keeper.post("/api/accounts/new.operator", json={"is_enabled": False})
        assert off.json()["is_enabled"] is False
        own = keeper.post("/api/accounts/administrator-1", json={"is_enabled": False})
        assert own.status_code == 409
        names = [item["name"] for item in keeper.get("/api/accounts").json()]
        assert "new.operator" in names


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('host = "0.0.0.0"', "beyond loopback only with"),
        ('certificate_file = "/x.pem"', "both or none"),
        ("overdue_after_s = 600.0", "not before overdue_after_s"),
    ],
)
def test_a_console_that_would_not_be_safe_is_refused(lines, words):
    with pytest.raises(ConfigurationError, match=words):
        parse_config(f"[console]\n{lines}\n", origin="x.toml")
