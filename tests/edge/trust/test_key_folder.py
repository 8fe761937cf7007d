import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from edge.errors import ConfigurationError
from edge.trust.key_folder import KeyFolder, credentials_folder
from edge.trust.key_pem import (
    read_sealing_key,
    read_signing_key,
    sealing_key_pem,
    signing_key_pem,
)
from edge.trust.keys import SealingKey, SigningKey


@pytest.fixture
def folder(tmp_path):
    made = KeyFolder(tmp_path / "keys")
    made.create()
    return made


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_folder_and_files_are_the_owners_alone(folder):
    before = os.umask(0)
    try:
        folder.add("a.key", b"secret")
        folder.replace({"b.key": b"secret"})
    finally:
        os.umask(before)
    assert mode(folder.path) == 0o700
    assert {mode(path) for path in folder.path.iterdir()} == {0o600}


def test_a_file_is_not_overwritten_unasked(folder):
    folder.add("a.key", b"first")
    with pytest.raises(ConfigurationError, match="there already"):
        folder.add("a.key", b"second")
    assert folder.read("a.key") == b"first"
    folder.replace({"a.key": b"second"})
    assert folder.read("a.key") == b"second"


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_open_is_refused(folder, bits):
    folder.add("a.key", b"secret")
    (folder.path / "a.key").chmod(bits)
    with pytest.raises(ConfigurationError, match=r"a.key: open to others .*chmod 600"):
        folder.read("a.key")


def test_a_folder_that_others_may_enter_is_refused(folder):
    folder.path.chmod(0o750)
    for call in (folder.create, folder.open):
        with pytest.raises(ConfigurationError, match="chmod 700"):
            call()


def test_what_is_missing_is_named(folder, tmp_path):
    with pytest.raises(ConfigurationError, match=r"a\.key: cannot read: No such file"):
        folder.read("a.key")
    with pytest.raises(ConfigurationError, match="no such key folder"):
        KeyFolder(tmp_path / "none").open()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot make"):
        KeyFolder(tmp_path / "file" / "keys").create()


def test_a_file_without_end_is_not_read(folder):
    (folder.path / "big").write_bytes(bytes(2 * 1024 * 1024))
    with pytest.raises(ConfigurationError, match="longer than"):
        folder.read("big")


def test_a_link_laid_in_the_way_is_not_followed(folder, tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"theirs")
    (folder.path / ".a.key.new").symlink_to(target)
    folder.add("a.key", b"ours")
    assert target.read_bytes() == b"theirs"


def test_a_replacement_cut_short_before_it_was_whole_is_forgotten(folder):
    folder.replace({"a.key": b"old", "b.key": b"old"})
    staging = folder.path / "staging"
    staging.mkdir()
    (staging / "a.key").write_bytes(b"new")
    folder.open()
    assert folder.read("a.key") == b"old"
    folder.replace({"a.key": b"newer"})
    assert (folder.read("a.key"), folder.read("b.key")) == (b"newer", b"old")


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_replacement_cut_short_after_it_was_whole_is_finished(folder, moved):
    folder.replace({"a.key": b"old", "b.key": b"old"})
    ready = folder.path / "ready"
    ready.mkdir(mode=0o700)
    for name in ("a.key", "b.key")[moved:]:
        (ready / name).write_bytes(b"new")
        (ready / name).chmod(0o600)
    for name in ("a.key", "b.key")[:moved]:
        (folder.path / name).write_bytes(b"new")
    folder.open()
    assert (folder.read("a.key"), folder.read("b.key")) == (b"new", b"new")
    assert sorted(path.name for path in folder.path.iterdir()) == ["a.key", "b.key"]


def test_a_replacement_finishes_the_one_before(folder):
    ready = folder.path / "ready"
    ready.mkdir(mode=0o700)
    (ready / "a.key").write_bytes(b"first")
    (ready / "a.key").chmod(0o600)
    folder.replace({"b.key": b"second"})
    assert (folder.read("a.key"), folder.read("b.key")) == (b"first", b"second")


def test_many_readers_finish_the_same_replacement(folder):
    for turn in range(20):
        ready = folder.path / "ready"
        ready.mkdir(mode=0o700)
        for number in range(5):
            (ready / f"{number}.pem").write_bytes(str(turn).encode())
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(folder.open) for _ in range(8)]:
                done.result()
        assert {folder.read(f"{n}.pem") for n in range(5)} == {str(turn).encode()}


def test_a_credential_wins_over_a_file(folder, tmp_path, monkeypatch):
    folder.add("a.key", b"file")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert credentials_folder() is None
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "a.key").write_bytes(b"credential")
    # systemd guards that folder itself, with an access list.
    (tmp_path / "a.key").chmod(0o440)
    given = KeyFolder(folder.path, credentials=credentials_folder())
    assert given.read("a.key") == b"credential"
    assert given.place("b.key") == folder.path / "b.key"


def test_a_file_is_removed_and_may_be_missing(folder):
    folder.add("a.key", b"x")
    folder.remove("a.key")
    folder.remove("a.key")
    assert not folder.has("a.key")


def test_keys_are_read_again_from_their_text():
    signing, sealing = SigningKey.generate(), SealingKey.generate()
    pem = signing_key_pem(signing)
    assert read_signing_key(pem, origin="a").raw == signing.raw
    assert read_sealing_key(sealing_key_pem(sealing), origin="a").raw == sealing.raw


@pytest.mark.parametrize("text", [b"", b"\xff", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_key_is_named(text):
    for read in (read_signing_key, read_sealing_key):
        with pytest.raises(ConfigurationError, match=r"^x\.key: no private key in PEM"):
            read(text, origin="x.key")


def test_one_kind_of_key_is_not_taken_for_another():
    with pytest.raises(ConfigurationError, match="not a key to seal to"):
        read_sealing_key(signing_key_pem(SigningKey.generate()), origin="x")
    with pytest.raises(ConfigurationError, match="not a key to sign with"):
        read_signing_key(sealing_key_pem(SealingKey.generate()), origin="x")
