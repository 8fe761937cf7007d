import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import SystemClock
from edge.errors import ConfigurationError, MessageError
from edge.trust.certificate_checks import (
    check_certificate,
    common_name,
    hosts_of,
    read_certificate,
    read_request,
)
from edge.trust.certificates import (
    AUTHORITY_LIFETIME,
    CERTIFICATE_LIFETIME,
    Authority,
    make_authority,
    make_request,
)

# TLS libraries ask the real clock.
NOW = SystemClock().now().replace(microsecond=0)
PAIR = make_authority(now=NOW)
AUTHORITY = Authority(PAIR, origin="ca")
HOSTS = ("hub.example", "localhost", "127.0.0.1", "::1")


def certificate(booth_id="booth-1", now=NOW, authority=AUTHORITY):
    key, csr = make_request(booth_id)
    return key, authority.issue_for_booth(csr, booth_id, now=now)


def checked(pem, key, *, name="booth-1", authority=PAIR.certificate, now=NOW):
    check_certificate(pem, key=key, authority=authority, name=name, now=now)


class Handshake:
    """One TLS 1.3 connection between a broker and a client, over a pair of sockets."""

    def __init__(self, folder, client_pair, *, host="localhost", revoked=b""):
        self._folder = folder
        self._ca = self._write("ca.pem", PAIR.certificate)
        broker = AUTHORITY.issue_for_broker(HOSTS, now=NOW)
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.minimum_version = ssl.TLSVersion.TLSv1_3
        self._load(self._server, "broker", (broker.key, broker.certificate))
        self._server.load_verify_locations(self._ca)
        self._server.verify_mode = ssl.CERT_REQUIRED
        if revoked:
            self._server.load_verify_locations(self._write("crl.pem", revoked))
            self._server.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        self._client = ssl.create_default_context(cafile=self._ca)
        self._client.verify_flags |= ssl.VERIFY_X509_STRICT
        self._load(self._client, "client", client_pair)
        self._host = host

    def peer_name(self):
        """Return the client's common name, as the broker has verified it."""
        near, far = socket.socketpair()
        found = []
        thread = threading.Thread(target=self._serve, args=(far, found))
        thread.start()
        try:
            with self._client.wrap_socket(near, server_hostname=self._host) as line:
                line.recv(1)
        except (ssl.SSLError, ConnectionError) as error:
            found.append(error)
        finally:
            near.close()
            thread.join()
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]

    def _serve(self, far, found):
        try:
            with self._server.wrap_socket(far, server_side=True) as line:
                line.sendall(b"x")
                found.append(line.getpeercert()["subject"][0][0][1])
        except (ssl.SSLError, ConnectionError) as error:
            found.append(error)
        finally:
            far.close()

    def _write(self, name, data):
        path = self._folder / name
        path.write_bytes(data)
        return path

    def _load(self, context, name, pair):
        key, pem = pair
        context.load_cert_chain(
            self._write(f"{name}.pem", pem), self._write(f"{name}.key", key)
        )


def test_broker_and_booth_meet_under_strict_rules(tmp_path):
    assert Handshake(tmp_path, certificate()).peer_name() == "booth-1"


def test_broker_and_hub_meet(tmp_path):
    pair = AUTHORITY.issue_for_hub(now=NOW)
    shown = (pair.key, pair.certificate)
    assert Handshake(tmp_path, shown, host="127.0.0.1").peer_name() == "hub"


def test_a_certificate_of_another_authority_is_refused(tmp_path):
    other = Authority(make_authority(now=NOW), origin="other")
    with pytest.raises(ssl.SSLError):
        Handshake(tmp_path, certificate(authority=other)).peer_name()


def test_a_broker_of_another_name_is_refused(tmp_path):
    with pytest.raises(ssl.SSLError, match="certificate"):
        Handshake(tmp_path, certificate(), host="elsewhere.example").peer_name()


def test_a_booth_cannot_play_the_broker(tmp_path):
    key, pem = certificate()
    handshake = Handshake(tmp_path, (key, pem))
    handshake._load(handshake._server, "broker", (key, pem))
    with pytest.raises(ssl.SSLError):
        handshake.peer_name()


def test_a_revoked_certificate_is_refused_and_others_are_not(tmp_path):
    bad, good = certificate("booth-1"), certificate("booth-2")
    revoked = AUTHORITY.revoke([bad[1]], before=None, now=NOW)
    assert Handshake(tmp_path, good, revoked=revoked).peer_name() == "booth-2"
    with pytest.raises(ssl.SSLError, match="revoked"):
        Handshake(tmp_path, bad, revoked=revoked).peer_name()


def test_an_empty_list_of_revocations_shuts_nobody_out(tmp_path):
    revoked = AUTHORITY.revoke([], before=None, now=NOW)
    assert Handshake(tmp_path, certificate(), revoked=revoked).peer_name() == "booth-1"


def test_a_list_of_revocations_grows_and_lasts():
    pems = [certificate(f"booth-{n}")[1] for n in range(3)]
    first = AUTHORITY.revoke(pems[:1], before=None, now=NOW)
    later = AUTHORITY.revoke(pems[:2], before=first, now=NOW + timedelta(days=1))
    listed = x509.load_pem_x509_crl(later)
    serials = {read_certificate(pem, origin="").serial_number for pem in pems[:2]}
    assert {entry.serial_number for entry in listed} == serials
    assert listed.next_update_utc == AUTHORITY.expires_at


def test_a_list_of_another_authority_is_not_continued():
    other = Authority(make_authority(now=NOW), origin="other")
    with pytest.raises(ConfigurationError, match="by this authority"):
        AUTHORITY.revoke([], before=other.revoke([], before=None, now=NOW), now=NOW)
    with pytest.raises(ConfigurationError, match="no list of revocations"):
        AUTHORITY.revoke([], before=b"x", now=NOW)


def test_lifetimes_begin_a_day_early_and_end_with_the_authority():
    read = read_certificate(certificate()[1], origin="")
    assert read.not_valid_before_utc == NOW - timedelta(days=1)
    assert read.not_valid_after_utc == NOW + CERTIFICATE_LIFETIME
    late = NOW + AUTHORITY_LIFETIME - timedelta(days=10)
    read = read_certificate(certificate(now=late)[1], origin="")
    assert read.not_valid_after_utc == AUTHORITY.expires_at


def test_a_booth_checks_the_certificate_that_it_gets():
    key, pem = certificate()
    checked(pem, key)
    for message, change in {
        "not 'booth-2'": {"name": "booth-2"},
        "not issued by the hub's authority": {
            "authority": make_authority(now=NOW).certificate
        },
        "check the clock": {"now": NOW - timedelta(days=2)},
        "expired on": {"now": NOW + CERTIFICATE_LIFETIME},
    }.items():
        with pytest.raises(ConfigurationError, match=message):
            checked(pem, key, **change)
    with pytest.raises(ConfigurationError, match="not of this machine's key"):
        checked(pem, make_request("booth-1")[0])
    with pytest.raises(ConfigurationError, match="no certificate in PEM"):
        checked(b"damaged", key)


def test_during_a_change_of_authority_both_are_trusted():
    key, pem = certificate()
    both = make_authority(now=NOW).certificate + PAIR.certificate
    checked(pem, key, authority=both)


def test_the_hosts_of_the_broker_are_read_again():
    pair = AUTHORITY.issue_for_broker(HOSTS, now=NOW)
    assert hosts_of(pair.certificate) == HOSTS
    with pytest.raises(ConfigurationError, match="names no host"):
        hosts_of(certificate()[1])
    with pytest.raises(ConfigurationError, match="not a DNS name"):
        AUTHORITY.issue_for_broker(["bücher.example"], now=NOW)


def request(name, key=None):
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder(name)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(Encoding.DER)


def test_attack_a_request_in_the_name_of_another():
    _, csr = make_request("booth-2")
    with pytest.raises(MessageError, match="not booth 'booth-1'"):
        AUTHORITY.issue_for_booth(csr, "booth-1", now=NOW)


@pytest.mark.parametrize("name", ["hub", "+", "#", "a/b", "", "Booth"])
def test_attack_a_name_that_no_booth_may_have(name):
    csr = request(common_name(name or "x"))
    with pytest.raises(MessageError):
        read_request(csr, name)


def test_attack_two_names_in_one_request():
    names = [x509.NameAttribute(NameOID.COMMON_NAME, n) for n in ("booth-1", "hub")]
    with pytest.raises(MessageError, match="not booth"):
        read_request(request(x509.Name(names)), "booth-1")


def test_nothing_but_the_key_is_taken_from_a_request():
    key = ec.generate_private_key(ec.SECP256R1())
    csr = (
        x509.CertificateSigningRequestBuilder(common_name("booth-1"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=5), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    pem = AUTHORITY.issue_for_booth(csr, "booth-1", now=NOW)
    issued = read_certificate(pem, origin="")
    found = issued.extensions.get_extension_for_class(x509.BasicConstraints)
    assert not found.value.ca


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
)
def test_a_key_of_another_kind_is_refused(key):
    with pytest.raises(MessageError, match="not a P-256 key"):
        read_request(request(common_name("booth-1"), key), "booth-1")


def test_no_byte_turned_in_a_request_gives_another_key_or_name():
    """The count of unused bits in front of the signature is not signed."""
    _, csr = make_request("booth-1")
    wanted = read_request(csr, "booth-1").public_key()
    for index in range(len(csr)):
        changed = bytearray(csr)
        changed[index] ^= 1
        try:
            found = read_request(bytes(changed), "booth-1").public_key()
        except MessageError:
            continue
        assert found == wanted


@given(st.binary(max_size=200))
def test_hostile_bytes_are_no_request(data):
    with pytest.raises(MessageError):
        read_request(data, "booth-1")


def test_an_authority_needs_its_own_key():
    other = make_authority(now=datetime(2026, 1, 1, tzinfo=UTC))
    mixed = type(PAIR)(other.key, PAIR.certificate)
    with pytest.raises(ConfigurationError, match=r"ca\.key: the authority's"):
        Authority(mixed, origin="ca.key")
    with pytest.raises(ConfigurationError, match=r"ca\.key: no private key"):
        Authority(type(PAIR)(b"x", PAIR.certificate), origin="ca.key")
