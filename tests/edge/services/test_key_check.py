"""What the doctor says of the keys."""

from datetime import timedelta

import pytest

from edge.clock import ManualClock, SystemClock
from edge.config import parse_config
from edge.services.findings import Status
from edge.services.key_check import check_keys, lasting
from edge.services.local_trust import enrol_local_booth, set_up_local_hub
from edge.services.provisioning import request_renewal
from edge.trust.key_folder import KeyFolder

NOW = SystemClock().now()
HUB = "[hub]\nstore = '{0}/hub.db'\nkeys = '{0}/hub-keys'\n"


def config_of(folder, more=""):
    text = f"booth_id = 'booth-1'\n[keys]\nfolder = '{folder}/keys'\n{more}"
    return parse_config(text, origin="test")


@pytest.fixture
def enrolled(tmp_path):
    with set_up_local_hub(tmp_path, tmp_path / "hub.db", now=NOW) as hub:
        enrol_local_booth(hub, tmp_path / "keys", "booth-1", broker_port=1, now=NOW)
    return tmp_path


def look(config, days=0):
    clock = ManualClock(NOW + timedelta(days=days))
    return {f.subject: f for f in check_keys(config, clock)}


def test_a_booth_that_is_not_enrolled_is_told_what_to_do(tmp_path):
    found = look(config_of(tmp_path))["keys"]
    assert found.status is Status.WARNING
    assert "edge provision request" in found.text


def test_an_enrolled_booth_is_fine_and_nothing_is_changed(enrolled):
    before = sorted((p, p.stat().st_mtime_ns) for p in enrolled.rglob("*"))
    found = look(config_of(enrolled))
    assert {f.status for f in found.values()} == {Status.OK}
    assert set(found) == {"keys", "keys (line)", "keys (trust)"}
    assert before == sorted((p, p.stat().st_mtime_ns) for p in enrolled.rglob("*"))


def test_a_certificate_that_has_ended_has_failed(enrolled):
    found = look(config_of(enrolled), days=800)
    assert found["keys (line)"].status is Status.FAILED
    assert "edge provision renew" in found["keys (line)"].text
    assert found["keys (trust)"].status is Status.FAILED


def test_keys_of_a_renewal_that_others_may_read_have_failed(enrolled):
    request_renewal(KeyFolder(enrolled / "keys"), "booth-1", now=NOW)
    assert "wait for the hub" in look(config_of(enrolled))["keys"].text
    secret = enrolled / "keys" / "pending" / "signing.key"
    secret.chmod(0o640)
    found = look(config_of(enrolled))["keys"]
    assert found.status is Status.FAILED
    assert f"chmod 600 {secret}" in found.text


def test_a_key_folder_open_to_others_has_failed(enrolled):
    (enrolled / "keys").chmod(0o750)
    assert "chmod 700" in look(config_of(enrolled))["keys"].text


def test_keys_that_went_to_systemd_are_no_failure(enrolled):
    for path in (enrolled / "keys").glob("*.key"):
        path.unlink()
    found = look(config_of(enrolled))
    assert found["keys"].status is Status.WARNING
    assert "edge provision seal" in found["keys"].text
    assert found["keys (line)"].status is Status.OK


def test_the_hub_has_two_certificates(enrolled):
    found = look(config_of(enrolled, HUB.format(enrolled)))
    assert {f.status for f in found.values()} == {Status.OK}
    assert set(found) == {"keys", "keys (line)", "keys (broker)", "keys (trust)"}


@pytest.mark.parametrize(
    ("left", "status"),
    [
        (timedelta(days=30), Status.OK),
        (timedelta(days=29, hours=23), Status.WARNING),
        (timedelta(0), Status.FAILED),
    ],
)
def test_the_last_month_is_a_warning(left, status):
    found = lasting("keys", "certificate", NOW + left, "renew it", NOW)
    assert found.status is status
    assert ("renew it" in found.text) is (status is not Status.OK)
