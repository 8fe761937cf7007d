"""A hub and booths with keys of their own, through the command line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.cli.hub import hub
from edge.cli.provision import provision
from edge.config import load_config
from edge.errors import (
    ConfigurationError,
    EdgeError,
    InputError,
    RefusalError,
)
from edge.services.hub_keys import hub_folder
from edge.services.provisioning import booth_keys
from edge.trust.enrolment import TEXT_PREFIX
from edge.trust.grants import open_grant, read_grant
from edge.trust.hub_keys import load_hub_keys


class Place:
    """A hub with its root medium, and booths beside it."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "medium"
        self.root.mkdir()
        self._write(
            "hub",
            f"[hub]\nstore = {self._path('hub.db')}\nkeys = {self._path('hub-keys')}\n",
        )

    def add_booth(self, name, more=""):
        keys = self._path(f"{name}-keys")
        self._write(name, f'booth_id = "{name}"\n[keys]\nfolder = {keys}\n{more}')

    def hub(self, *arguments):
        return self._run(hub, "hub", arguments)

    def booth(self, name, *arguments):
        return self._run(provision, name, arguments)

    def init(self, *more):
        options = ("--broker-host", "hub.example", *more)
        return self.hub("init", "--root-dir", self.root, *options)

    def rotate(self, what):
        return self.hub("rotate", what, "--root-dir", self.root)

    @property
    def fingerprint(self):
        return self.hub("trust").split("\n")[0].removeprefix("root fingerprint: ")

    def enrol(self, name):
        """Carry a request to the hub and the answer back."""
        self.add_booth(name)
        self.booth(name, "request", "--out", self.folder / f"{name}.request")
        self.admit(name)
        answer = self.folder / f"{name}.answer"
        return self.booth(name, "accept", answer, "--root", self.fingerprint)

    def admit(self, name):
        answer = self.folder / f"{name}.answer"
        answer.unlink(missing_ok=True)
        request = self.folder / f"{name}.request"
        return self.hub("admit", request, "--out", answer)

    def renew(self, name):
        request = self.folder / f"{name}.request"
        request.unlink()
        self.booth(name, "renew", "--out", request)
        self.admit(name)
        return self.booth(name, "accept", self.folder / f"{name}.answer")

    def keys(self, name):
        return booth_keys(load_config(self.folder / f"{name}.toml"))

    def hub_keys(self):
        return load_hub_keys(hub_folder(load_config(self.folder / "hub.toml")))

    def epochs(self, name):
        keys = self.keys(name)
        operations = keys.anchors.operations_keys
        return list(open_grant(read_grant(keys.grant, name, operations), keys.sealing))

    def _path(self, name):
        return json.dumps(str(self.folder / name))

    def _write(self, name, text):
        (self.folder / f"{name}.toml").write_text(text, encoding="utf-8")

    def _run(self, command, name, arguments):
        options = ["--config", str(self.folder / f"{name}.toml")]
        result = CliRunner().invoke(
            command, [*map(str, arguments), *options], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return Place(tmp_path)


def one_line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


def refuse(kind, match, call, *arguments):
    with pytest.raises(kind, match=match) as caught:
        call(*arguments)
    assert isinstance(caught.value, EdgeError)
    return one_line(caught)


def test_a_booth_is_enrolled_by_two_files_and_a_fingerprint(place):
    assert "put away the root keys" in place.init()
    told = place.enrol("booth-1")
    assert "booth-1 is enrolled with key" in told
    assert "broker hub.example:8883" in told
    keys = place.keys("booth-1")
    assert keys.anchors.encode() == place.hub_keys().trust
    assert place.epochs("booth-1") == [1]
    shown = place.booth("booth-1", "show")
    assert place.fingerprint in shown
    assert keys.anchors.log in shown


def test_the_hub_and_the_booth_show_the_same_key_to_compare(place):
    place.init()
    place.add_booth("booth-1")
    asked = place.booth("booth-1", "request", "--out", place.folder / "booth-1.request")
    key = asked.split("with key ")[1].split()[0]
    assert key in place.admit("booth-1")


def photographed(shown):
    """Return the text of the QR code in a terminal's output, half a block a module."""
    lines = [
        line for line in shown.splitlines() if set(line) & set("\u2580\u2584\u2588")
    ]
    rows = [
        [character in lit for character in line]
        for line in lines
        for lit in ("\u2580\u2588", "\u2584\u2588")
    ]
    picture = np.kron(np.array(rows, np.uint8) * 255, np.ones((8, 8), np.uint8))
    picture = np.pad(picture, 64, constant_values=255)
    return cv2.QRCodeDetectorAruco().detectAndDecode(picture)[0]


def test_a_request_may_be_photographed(place):
    place.init()
    place.add_booth("booth-1")
    shown = place.booth("booth-1", "request", "--qr", "--out", place.folder / "r")
    (place.folder / "booth-1.request").write_text(photographed(shown))
    assert "booth-1 admitted" in place.admit("booth-1")


def test_a_request_may_go_as_text(place):
    place.init()
    place.add_booth("booth-1")
    shown = place.booth("booth-1", "request", "--text", "--out", place.folder / "r")
    text = next(t for t in shown.splitlines() if t.startswith(TEXT_PREFIX))
    (place.folder / "booth-1.request").write_text(f"\n {text[:80]}\n{text[80:]}\n")
    assert "booth-1 admitted" in place.admit("booth-1")


def test_the_fingerprint_may_stand_in_the_configuration(place):
    place.init()
    place.add_booth("booth-1", f'root_fingerprint = "{place.fingerprint}"\n')
    place.booth("booth-1", "request", "--out", place.folder / "booth-1.request")
    place.admit("booth-1")
    place.booth("booth-1", "accept", place.folder / "booth-1.answer")


def test_without_or_with_a_wrong_fingerprint_nothing_is_accepted(place):
    place.init()
    place.add_booth("booth-1")
    place.booth("booth-1", "request", "--out", place.folder / "booth-1.request")
    place.admit("booth-1")
    accept = ("booth-1", "accept", place.folder / "booth-1.answer")
    refuse(ConfigurationError, "fingerprint .* is needed", place.booth, *accept)
    wrong = (*accept, "--root", "0000-" * 15 + "0000")
    refuse(RefusalError, "not the one that was given", place.booth, *wrong)
    refuse(ConfigurationError, "not enrolled", place.keys, "booth-1")


def test_a_wrong_file_is_named_for_what_it_is(place):
    place.init()
    place.enrol("booth-1")
    request = place.folder / "booth-1.request"
    (place.folder / "empty").touch()
    (place.folder / "big").write_bytes(bytes(3_000_000))
    out = ("--out", place.folder / "new")
    for name in ("empty", "hub.toml", "booth-1.answer", "big", "none"):
        refuse(InputError, name, place.hub, "admit", place.folder / name, *out)
    refuse(EdgeError, None, place.hub, "admit", place.folder, *out)
    assert not (place.folder / "new").exists()
    place.booth("booth-1", "renew", "--out", place.folder / "r2")
    refuse(InputError, request.name, place.booth, "booth-1", "accept", request)


def test_nothing_is_overwritten(place):
    place.init()
    refuse(ConfigurationError, "has its keys already", place.init)
    place.enrol("booth-1")
    request, answer = (place.folder / f"booth-1.{x}" for x in ("request", "answer"))
    admit = ("admit", request, "--out", answer)
    refuse(ConfigurationError, "not overwritten", place.hub, *admit)
    again = ("booth-1", "request", "--out", place.folder / "other")
    refuse(ConfigurationError, "enrolled already", place.booth, *again)
    renew = ("booth-1", "renew", "--out", request)
    refuse(ConfigurationError, "not overwritten", place.booth, *renew)


def test_a_request_that_waits_is_given_out_again(place):
    place.add_booth("booth-1")
    for name in ("first", "second"):
        place.booth("booth-1", "request", "--out", place.folder / name)
    first, second = (place.folder / n for n in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_the_same_request_is_answered_again(place):
    place.init()
    place.add_booth("booth-1")
    place.booth("booth-1", "request", "--out", place.folder / "booth-1.request")
    place.admit("booth-1")
    place.admit("booth-1")
    answer = place.folder / "booth-1.answer"
    place.booth("booth-1", "accept", answer, "--root", place.fingerprint)


def test_attack_an_admitted_booth_asks_with_other_keys(place):
    place.init()
    place.enrol("booth-1")
    shutil.rmtree(place.folder / "booth-1-keys")
    (place.folder / "booth-1.request").unlink()
    place.booth("booth-1", "request", "--out", place.folder / "booth-1.request")
    refuse(RefusalError, "revoke it first", place.admit, "booth-1")


def test_attack_the_keys_of_one_booth_in_the_name_of_another(place):
    place.init()
    place.enrol("booth-1")
    keys = place.folder / "booth-1-keys"
    place.add_booth("booth-2")
    shutil.copytree(keys, place.folder / "booth-2-keys")
    told = refuse(ConfigurationError, "keys of booth", place.keys, "booth-2")
    assert "booth_id = 'booth-2'" in told


def test_an_answer_is_accepted_by_its_own_booth_only(place):
    place.init()
    place.enrol("booth-1")
    place.add_booth("booth-2")
    place.booth("booth-2", "request", "--out", place.folder / "booth-2.request")
    theirs = place.folder / "booth-1.answer"
    accept = ("booth-2", "accept", theirs, "--root", place.fingerprint)
    refuse(RefusalError, "for booth 'booth-1'", place.booth, *accept)


def test_an_answer_is_accepted_once(place):
    place.init()
    place.enrol("booth-1")
    accept = ("booth-1", "accept", place.folder / "booth-1.answer")
    refuse(ConfigurationError, "no request waits", place.booth, *accept)


def test_a_booth_gets_new_keys_by_its_old_ones(place):
    place.init()
    place.enrol("booth-1")
    before = place.keys("booth-1")
    place.renew("booth-1")
    after = place.keys("booth-1")
    assert after.signing.public != before.signing.public
    assert after.sealing.public != before.sealing.public
    assert place.epochs("booth-1") == [1]


def test_until_the_answer_comes_the_old_keys_stay(place):
    place.init()
    place.enrol("booth-1")
    before = place.keys("booth-1").signing.public
    place.booth("booth-1", "renew", "--out", place.folder / "renewal")
    assert place.keys("booth-1").signing.public == before
    assert "waits for the hub's answer" in place.booth("booth-1", "show")


def test_a_revoked_booth_is_shut_out_until_it_has_new_keys(place):
    place.init()
    place.enrol("booth-1")
    place.enrol("booth-2")
    assert "epoch 2 begun" in place.hub("revoke", "booth-1")
    assert place.epochs("booth-1") == [1]
    refuse(RefusalError, "were revoked", place.admit, "booth-1")
    place.booth("booth-1", "renew", "--out", place.folder / "renewal")
    shutil.move(place.folder / "renewal", place.folder / "booth-1.request")
    place.admit("booth-1")
    place.booth("booth-1", "accept", place.folder / "booth-1.answer")
    assert place.epochs("booth-1") == [1, 2]
    place.renew("booth-2")
    assert place.epochs("booth-2") == [1, 2]


def test_an_unknown_booth_is_not_revoked(place):
    place.init()
    place.enrol("booth-1")
    told = refuse(ConfigurationError, "never admitted", place.hub, "revoke", "booth-9")
    assert "admitted: booth-1" in told


@pytest.mark.parametrize(
    "what", ["watchlist", "operations", "sealing", "root", "trust"]
)
def test_a_key_of_the_hub_is_replaced_and_the_booth_follows(place, what):
    place.init()
    place.enrol("booth-1")
    before = place.hub_keys()
    assert "trust document 2" in place.rotate(what)
    after = place.hub_keys()
    changed = {
        "watchlist": before.watchlist.public != after.watchlist.public,
        "operations": before.operations.public != after.operations.public,
        "sealing": before.sealing_key != after.sealing_key,
        "root": before.anchors.fingerprint != after.anchors.fingerprint,
    }
    assert [name for name, is_new in changed.items() if is_new] == [what] * (
        what != "trust"
    )
    place.renew("booth-1")
    assert place.keys("booth-1").anchors.version == 2
    assert place.epochs("booth-1") == [1]
    place.enrol("booth-2")


def test_after_new_roots_the_old_ones_sign_nothing(place):
    place.init()
    old = place.folder / "old"
    shutil.copytree(place.root, old)
    place.rotate("root")
    rotate = ("rotate", "trust", "--root-dir", old)
    refuse(ConfigurationError, "0 of the hub's root keys", place.hub, *rotate)
    assert "trust document 3" in place.rotate("trust")


def test_as_many_roots_sign_as_the_hub_was_made_with(place):
    second = place.folder / "second"
    second.mkdir()
    place.init("--root-dir", second, "--threshold", "2")
    refuse(ConfigurationError, "1 of the hub's root keys", place.rotate, "watchlist")
    both = ("--root-dir", place.root, "--root-dir", second)
    assert "trust document 2" in place.hub("rotate", "watchlist", *both)
    assert "trust document 3" in place.hub("rotate", "root", *both)
    assert "trust document 4" in place.hub("rotate", "root", *both)


def test_a_root_medium_that_is_not_there_is_asked_for(place):
    none = place.folder / "none"
    init = ("init", "--root-dir", none)
    refuse(ConfigurationError, "is the medium mounted", place.hub, *init)
    place.init()
    rotate = ("rotate", "root", "--root-dir", none)
    refuse(ConfigurationError, "is the right medium mounted", place.hub, *rotate)
    refuse(ConfigurationError, "--root-dir", place.hub, "rotate", "root")


def test_no_more_signatures_are_asked_for_than_there_are_roots(place):
    refuse(ConfigurationError, "--threshold 2", place.init, "--threshold", "2")


def test_a_root_key_that_others_may_read_is_refused(place):
    place.init()
    (key,) = place.root.iterdir()
    key.chmod(0o644)
    refuse(ConfigurationError, "chmod 600", place.rotate, "trust")


def test_root_keys_do_not_lie_among_the_working_keys(place):
    keys = place.folder / "hub-keys"
    init = ("init", "--root-dir", keys)
    refuse(ConfigurationError, "must not lie among", place.hub, *init)


def test_a_new_epoch_needs_no_root_and_is_granted(place):
    place.init()
    assert "epoch 2 begun" in place.hub("rotate", "epoch")
    place.enrol("booth-1")
    assert place.epochs("booth-1") == [1, 2]


def test_a_log_begun_anew_has_a_name_that_the_roots_signed(place):
    place.init()
    place.enrol("booth-1")
    before = place.hub_keys().anchors.log
    told = place.hub("restart-log", "--root-dir", place.root)
    after = place.hub_keys().anchors.log
    assert before != after
    assert after in told
    place.renew("booth-1")
    assert place.keys("booth-1").anchors.log == after


def test_a_start_cut_short_before_the_store_is_finished_by_init(place):
    place.init()
    log = place.hub_keys().anchors.log
    for path in place.folder.glob("hub.db*"):
        path.unlink()
    assert log in place.init()
    place.enrol("booth-1")
    assert place.epochs("booth-1") == [1]


def test_the_broker_gets_what_it_needs(place):
    place.init()
    place.enrol("booth-1")
    out = place.folder / "broker"
    place.hub("broker-config", "--out", out, "--port", "8884")
    names = {"mosquitto.conf", "acl", "ca.pem", "crl.pem", "broker.pem", "broker.key"}
    assert {path.name for path in out.iterdir()} == names
    settings = (out / "mosquitto.conf").read_text("utf-8")
    assert f"cafile {out}/ca.pem" in settings
    assert "listener 8884\n" in settings
    before = (out / "crl.pem").read_bytes()
    place.hub("revoke", "booth-1")
    place.hub("broker-config", "--out", out, "--place", "/etc/mosquitto/edge")
    assert (out / "crl.pem").read_bytes() != before
    assert "/etc/mosquitto/edge/acl" in (out / "mosquitto.conf").read_text("utf-8")


def test_booths_are_told_only_of_a_broker_that_its_certificate_names(place):
    place.init()
    place.add_booth("booth-1")
    request, answer = (place.folder / name for name in ("request", "answer"))
    place.booth("booth-1", "request", "--out", request)
    admit = ("admit", request, "--out", answer, "--broker-host", "new.example")
    told = refuse(ConfigurationError, "hub.example, localhost", place.hub, *admit)
    assert "rotate tls --broker-host new.example" in told
    place.hub("rotate", "tls", "--broker-host", "new.example")
    place.hub(*admit)


def test_a_machine_that_is_no_hub_says_so(place):
    place.add_booth("booth-1")
    with pytest.raises(ConfigurationError, match="this machine is no hub"):
        place._run(hub, "booth-1", ("trust",))
    refuse(ConfigurationError, "run `edge hub init` first", place.hub, "trust")
    refuse(ConfigurationError, "`edge hub init` first", place.hub, "rotate", "epoch")
    refuse(ConfigurationError, "no such key folder", place.booth, "booth-1", "show")


def test_a_damaged_or_exchanged_key_is_named(place):
    place.init()
    place.enrol("booth-1")
    place.enrol("booth-2")
    ours, theirs = (place.folder / f"booth-{n}-keys" for n in (1, 2))
    shutil.copy(theirs / "signing.key", ours / "signing.key")
    refuse(ConfigurationError, "not the key of the last", place.keys, "booth-1")
    (theirs / "trust.cbor").write_bytes(b"damaged")
    refuse(ConfigurationError, "damaged", place.keys, "booth-2")
    hub_folder_path = place.folder / "hub-keys"
    shutil.copy(hub_folder_path / "operations.key", hub_folder_path / "watchlist.key")
    refuse(ConfigurationError, r"watchlist\.key: not a key that", place.hub_keys)


def test_keys_are_sealed_to_the_machine_and_read_as_credentials(place, monkeypatch):
    program = shutil.which("systemd-creds")
    if program is None:
        pytest.skip("systemd-creds is not there")
    place.init()
    place.enrol("booth-1")
    sealed = place.folder / "sealed"
    try:
        lines = place.booth("booth-1", "seal", "--to", sealed).splitlines()
    except ConfigurationError as error:
        pytest.skip(f"systemd-creds cannot encrypt here: {error}")
    assert len(lines) == 3
    handed = place.folder / "handed"
    handed.mkdir()
    for line in lines:
        name, _, path = line.removeprefix("LoadCredentialEncrypted=").partition(":")
        subprocess.run(
            [program, "decrypt", f"--name={name}", path, handed / name], check=True
        )
        assert Path(path).read_bytes() != (handed / name).read_bytes()
        (place.folder / "booth-1-keys" / name).unlink()
    refuse(ConfigurationError, "cannot read", place.keys, "booth-1")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    keys = place.keys("booth-1")
    assert keys.tls_key == handed / "tls.key"


def test_renewed_keys_are_accepted_while_the_old_ones_are_credentials(
    place, monkeypatch
):
    place.init()
    place.enrol("booth-1")
    folder, handed = place.folder / "booth-1-keys", place.folder / "handed"
    handed.mkdir()
    for path in folder.glob("*.key"):
        path.rename(handed / path.name)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    for name in ("booth-1.request", "booth-1.answer"):
        (place.folder / name).unlink(missing_ok=True)
    place.booth("booth-1", "renew", "--out", place.folder / "booth-1.request")
    with monkeypatch.context() as at_the_hub:
        at_the_hub.delenv("CREDENTIALS_DIRECTORY")
        place.admit("booth-1")
    place.booth("booth-1", "accept", place.folder / "booth-1.answer")
    refuse(ConfigurationError, "seal them anew", place.keys, "booth-1")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert place.keys("booth-1").signing


def test_sealing_by_a_tpm_asks_for_the_tpm(place, monkeypatch):
    program = place.folder / "bin" / "systemd-creds"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$2" = --with-key=tpm2 ] || exit 1\necho sealed\n')
    program.chmod(0o755)
    place.init()
    place.enrol("booth-1")
    monkeypatch.setenv("PATH", str(program.parent))
    seal = ("booth-1", "seal", "--to", place.folder / "sealed")
    assert len(place.booth(*seal, "--tpm").splitlines()) == 3
    refuse(ConfigurationError, "cannot seal", place.booth, *seal)


def test_without_systemd_creds_sealing_is_refused(place, monkeypatch):
    place.init()
    place.enrol("booth-1")
    monkeypatch.setenv("PATH", str(place.folder))
    seal = ("booth-1", "seal", "--to", place.folder / "sealed")
    refuse(ConfigurationError, "systemd-creds is not there", place.booth, *seal)


def test_a_real_process_says_one_line_and_ends_with_status_2(place):
    command = [sys.executable, "-m", "edge", "hub", "trust"]
    options = ["--config", str(place.folder / "hub.toml")]
    result = subprocess.run(
        [*command, *options], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "edge hub init" in result.stderr
