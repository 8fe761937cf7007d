"""Admission and revocation, with the certificates put to a real Mosquitto."""

import time
from contextlib import closing
from datetime import timedelta

import pytest

from edge.clock import SystemClock
from edge.errors import ConfigurationError, RefusalError
from edge.services.admission import admit_booth, make_broker_config, revoke_booth
from edge.services.hub_keys import HubPlace, begin_epoch, epoch_keys, init_hub
from edge.services.hub_rotation import (
    restart_log,
    rotate_authority,
    rotate_line,
    rotate_sealing,
    rotate_signing,
)
from edge.services.provisioning import (
    accept_answer,
    enrolled_broker,
    request_enrolment,
    request_renewal,
)
from edge.simulate.broker import (
    find_mosquitto,
    free_port,
    start_secure_broker,
)
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog
from edge.store.hub_registry import StoredHubRegistry
from edge.sync.link import Connected, Disconnected, Will
from edge.sync.mqtt_client import BrokerSettings, MqttClient
from edge.trust.booth_keys import keep_anchors, load_booth_keys
from edge.trust.certificate_checks import read_certificate
from edge.trust.cose import read_signed
from edge.trust.enrolment import EnrolmentAnswer
from edge.trust.grants import Grant
from edge.trust.hub_keys import load_hub_keys
from edge.trust.key_folder import KeyFolder

# TLS asks the real clock.
NOW = SystemClock().now()
PATIENCE_S = 10.0


class Site:
    def __init__(self, folder, database):
        self.folder = folder
        self.root = folder / "root"
        self.root.mkdir()
        self.place = HubPlace(
            KeyFolder(folder / "hub-keys"),
            StoredHubLog(database),
            StoredHubRegistry(database),
        )
        self.fingerprint = self.init().fingerprint
        self.port = free_port()

    def init(self):
        return init_hub(
            self.place, [self.root], threshold=1, broker_host="localhost", now=NOW
        )

    def booth_folder(self, name="booth-1"):
        return KeyFolder(self.folder / name)

    def admit(self, request, now=NOW):
        return admit_booth(
            self.place, request, broker_host=None, broker_port=self.port, now=now
        )[1]

    def accept(self, name, answer):
        return accept_answer(
            self.booth_folder(name),
            name,
            answer,
            fingerprint=self.fingerprint,
            now=NOW,
        )

    def enrol(self, name="booth-1"):
        request = request_enrolment(self.booth_folder(name), name, now=NOW)
        return self.accept(name, self.admit(request))

    def renew(self, name="booth-1"):
        request = request_renewal(self.booth_folder(name), name, now=NOW)
        return self.accept(name, self.admit(request))

    def broker_files(self):
        return make_broker_config(
            self.place,
            folder=str(self.folder / "broker"),
            port=self.port,
            address="127.0.0.1",
            persistence_folder=None,
        )

    def start_broker(self):
        return start_secure_broker(
            self.folder / "broker", self.port, self.broker_files()
        )

    def connection(self, keys):
        """Return the first thing that happens when the booth connects."""
        settings = enrolled_broker(keys, BrokerSettings(protocol="5"))
        return first_event(settings, keys.booth_id)

    def hub_connection(self):
        folder = self.place.folder.path
        settings = BrokerSettings(
            host="localhost",
            port=self.port,
            cafile=folder / "ca.pem",
            certfile=folder / "tls.pem",
            keyfile=folder / "tls.key",
            protocol="5",
        )
        return first_event(settings, "hub")


def first_event(settings, name):
    client = MqttClient(
        settings,
        client_id=name,
        subscriptions=(f"edge/{name}/nothing",),
        will=Will(f"edge/{name}/state", b""),
        clock=SystemClock(),
    )
    deadline = time.monotonic() + PATIENCE_S
    with closing(client):
        while time.monotonic() < deadline:
            for event in client.poll(0.1):
                if isinstance(event, Connected | Disconnected):
                    return event
    pytest.fail("nothing happened")


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    database = open_database(tmp_path / "hub.db", "hub")
    with closing(database.conn):
        yield Site(tmp_path, database)


@pytest.fixture
def needs_mosquitto():
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")


def is_connected(event):
    return isinstance(event, Connected)


@pytest.mark.usefixtures("needs_mosquitto")
def test_an_enrolled_booth_connects_until_it_is_revoked(site):
    first, second = site.enrol("booth-1"), site.enrol("booth-2")
    older = site.folder / "older"
    older.mkdir()
    for path in (first.certificate, first.tls_key):
        (older / path.name).write_bytes(path.read_bytes())
    first = site.renew("booth-1")
    broker = site.start_broker()
    try:
        for keys in (first, second):
            assert is_connected(site.connection(keys))
        assert is_connected(site.hub_connection())
        revoke_booth(site.place, "booth-1", now=NOW)
        broker.stop()
        broker = site.start_broker()
        assert "revoked" in site.connection(first).reason
        replaced = BrokerSettings(
            host="localhost",
            port=site.port,
            cafile=first.authority,
            certfile=older / "tls.pem",
            keyfile=older / "tls.key",
            protocol="5",
        )
        assert "revoked" in first_event(replaced, "booth-1").reason
        assert is_connected(site.connection(second))
    finally:
        broker.stop()


@pytest.mark.usefixtures("needs_mosquitto")
def test_a_change_of_authority_shuts_nobody_out_who_follows(site):
    early, late, bad = (site.enrol(name) for name in ("booth-1", "booth-2", "booth-3"))
    later = rotate_authority(site.place, [site.root], now=NOW)
    for name in ("booth-1", "booth-2", "booth-3"):
        keep_anchors(site.booth_folder(name), later)
    early = site.renew("booth-1")
    revoke_booth(site.place, "booth-3", now=NOW)
    for step in ("the authority", "the line"):
        broker = site.start_broker()
        try:
            for keys in (early, late):
                assert is_connected(site.connection(keys)), step
            assert is_connected(site.hub_connection()), step
            assert "revoked" in site.connection(bad).reason
        finally:
            broker.stop()
        rotate_line(site.place, broker_host=None, now=NOW)


def test_an_authority_replaced_twice_is_out(site):
    site.enrol("booth-1")
    for _ in range(2):
        rotate_authority(site.place, [site.root], now=NOW)
    folder = site.place.folder
    assert folder.read("ca.pem").count(b"BEGIN CERTIFICATE") == 2
    assert folder.read("crl.pem").count(b"BEGIN X509 CRL") == 2
    # Its certificate is by an authority that nobody trusts now, and on no list.
    assert revoke_booth(site.place, "booth-1", now=NOW) == 2


def test_a_revocation_cut_short_is_finished_by_another(site):
    site.enrol("booth-1")
    site.place.registry.revoke("booth-1", at=NOW)
    assert b"BEGIN X509 CRL" in site.place.folder.read("crl.pem")
    before = site.place.folder.read("crl.pem")
    assert revoke_booth(site.place, "booth-1", now=NOW) == 2
    assert site.place.folder.read("crl.pem") != before


def test_an_init_cut_short_before_the_store_is_finished(site, tmp_path):
    anchors = load_hub_keys(site.place.folder).anchors
    with pytest.raises(ConfigurationError, match="has its keys already"):
        site.init()
    database = open_database(tmp_path / "new.db", "hub")
    with closing(database.conn):
        site.place = HubPlace(
            site.place.folder, StoredHubLog(database), StoredHubRegistry(database)
        )
        assert site.init().log == anchors.log == site.place.log.log()
        assert site.place.registry.current_epoch() == 1


def test_after_a_lost_store_the_log_gets_another_name_and_booths_follow(site, tmp_path):
    before = site.enrol()
    database = open_database(tmp_path / "new.db", "hub")
    with closing(database.conn):
        site.place = HubPlace(
            site.place.folder, StoredHubLog(database), StoredHubRegistry(database)
        )
        with pytest.raises(ConfigurationError, match="restart-log"):
            site.init()
        log = restart_log(site.place, [site.root], now=NOW).log
        assert site.place.log.log() == log != before.anchors.log
        request = request_renewal(site.booth_folder(), "booth-1", now=NOW)
        later = NOW + timedelta(seconds=30)
        after = site.accept("booth-1", site.admit(request, now=later))
    assert after.anchors.log == log
    assert serial_of(after.grant) > serial_of(before.grant)


def test_epochs_open_after_the_sealing_key_is_replaced(site):
    begin_epoch(site.place, now=NOW)
    before = epoch_keys(site.place, load_hub_keys(site.place.folder))
    for _ in range(3):
        rotate_sealing(site.place, [site.root], now=NOW)
    keys = load_hub_keys(site.place.folder)
    assert epoch_keys(site.place, keys) == before
    assert len(keys.sealing) == 4
    # All are sealed to the newest: the older files could be destroyed.
    for name in site.place.folder.names("sealing-*.key"):
        site.place.folder.remove(name)
    assert epoch_keys(site.place, load_hub_keys(site.place.folder)) == before


def test_a_request_too_old_is_refused_by_the_hub(site):
    request = request_enrolment(site.booth_folder(), "booth-1", now=NOW)
    with pytest.raises(RefusalError, match="make it anew"):
        site.admit(request, now=NOW + timedelta(days=31))
    assert site.place.registry.booth("booth-1") is None


def test_attack_a_renewal_replayed_after_the_next(site):
    """An old renewal must not put back keys that have been replaced."""
    site.enrol()
    replayed = request_renewal(site.booth_folder(), "booth-1", now=NOW)
    site.accept("booth-1", site.admit(replayed))
    site.renew()
    with pytest.raises(RefusalError, match="do not vouch"):
        site.admit(replayed)


class TestLostAnswers:
    """The hub has admitted new keys, and its answer did not reach the booth."""

    LATER = NOW + timedelta(days=20)

    def renewal(self, site, now):
        return request_renewal(site.booth_folder(), "booth-1", now=now)

    def test_the_booth_asks_again_by_the_key_it_has(self, site):
        held = site.enrol().signing.public.raw
        site.admit(self.renewal(site, NOW + timedelta(minutes=1)))
        again = self.renewal(site, self.LATER)
        site.admit(again, now=self.LATER)
        known = site.place.registry.booth("booth-1")
        assert known.previous_signing == held
        # No lost answer makes the old key last longer.
        assert known.previous_until <= NOW + timedelta(days=30)

    def test_attack_a_request_from_before_puts_no_new_keys_out(self, site):
        site.enrol()
        older = self.renewal(site, NOW - timedelta(days=16))
        newer = self.renewal(site, NOW)
        assert older != newer
        site.accept("booth-1", site.admit(newer))
        with pytest.raises(RefusalError, match="do not vouch"):
            site.admit(older)

    def test_the_key_before_vouches_for_nothing_once_its_time_is_over(self, site):
        site.enrol()
        site.admit(self.renewal(site, NOW))
        late = NOW + timedelta(days=31)
        with pytest.raises(RefusalError, match="do not vouch"):
            site.admit(self.renewal(site, late), now=late)

    def test_the_key_before_ends_no_later_than_its_certificate(self, site):
        keys = site.enrol()
        end = read_certificate(
            keys.certificate.read_bytes(), origin="tls.pem"
        ).not_valid_after_utc
        late = end - timedelta(days=3)
        site.admit(self.renewal(site, late), now=late)
        assert site.place.registry.booth("booth-1").previous_until == end


def test_attack_an_answer_replayed_to_a_booth(site):
    request = request_enrolment(site.booth_folder(), "booth-1", now=NOW)
    first = site.admit(request)
    site.accept("booth-1", first)
    request_renewal(site.booth_folder(), "booth-1", now=NOW)
    with pytest.raises(RefusalError, match="not to the last request"):
        site.accept("booth-1", first)


def test_attack_a_signing_key_that_was_replaced_says_nothing_more(site):
    stolen = load_hub_keys(site.place.folder).operations
    keys = site.enrol()
    rotate_signing(site.place, "operations", [site.root], now=NOW)
    later = load_hub_keys(site.place.folder).anchors
    keep_anchors(site.booth_folder(), later)
    assert stolen.public.key_id in keys.anchors.operations_keys
    now_held = load_booth_keys(site.booth_folder(), "booth-1").anchors
    assert stolen.public.key_id not in now_held.operations_keys


def serial_of(grant):
    return Grant.decode(read_signed(grant, limit=10**5).payload).serial


def test_serials_of_grants_only_rise(site):
    request = request_enrolment(site.booth_folder(), "booth-1", now=NOW)
    serials = []
    for _ in range(3):
        payload = read_signed(site.admit(request), limit=10**6).payload
        serials.append(serial_of(EnrolmentAnswer.decode(payload).grant))
    first = serials[0]
    assert serials == [first, first + 1, first + 2]
