from datetime import UTC, datetime

import pytest

from edge.errors import InputError
from edge.records.accounts import Account, Role
from edge.store.audit import lines_after, verify_audit
from edge.store.database import open_database
from edge.web.accounts import Authenticator, LockoutPolicy, SignInError, add_account
from edge.web.passwords import hash_password, is_password

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"  # noqa: S105  as in conftest.py


@pytest.fixture
def authenticator(open_accounts, clock):
    return Authenticator(open_accounts, clock, LockoutPolicy(3, 60.0))


def _refused(authenticator, name, password):
    with pytest.raises(SignInError) as refusal:
        authenticator.sign_in(name, password)
    return refusal.value.reason.value


def test_the_right_password_gives_the_account(authenticator):
    assert authenticator.sign_in("ada", PASSWORD).role is Role.OFFICER


def test_wrong_passwords_lock_an_account_for_a_while(authenticator, clock):
    reasons = [_refused(authenticator, "ada", "wrong") for _ in range(3)]
    assert reasons == ["wrong", "wrong", "locked"]
    assert _refused(authenticator, "ada", PASSWORD) == "locked"
    clock.advance(61)
    assert authenticator.sign_in("ada", PASSWORD).name == "ada"


def test_a_lockout_outlives_a_restart(authenticator, open_accounts, clock):
    for _ in range(3):
        _refused(authenticator, "ada", "wrong")
    after = Authenticator(open_accounts, clock, LockoutPolicy(3, 60.0))
    assert _refused(after, "ada", PASSWORD) == "locked"


def test_a_right_password_forgives_wrong_ones(authenticator):
    for _ in range(3):
        assert _refused(authenticator, "ada", "wrong") == "wrong"
        assert _refused(authenticator, "ada", "wrong") == "wrong"
        authenticator.sign_in("ada", PASSWORD)


def test_who_does_not_exist_is_refused_like_who_does(authenticator):
    for name in ("nobody", "", "ADA", "x" * 500, "ada'; drop table accounts"):
        reasons = [_refused(authenticator, name, "wrong") for _ in range(4)]
        assert reasons == ["wrong", "wrong", "locked", "locked"]


def test_a_disabled_account_is_refused(authenticator, open_accounts):
    with open_accounts() as accounts:
        account = Account("ada", "Ada", Role.OFFICER, is_enabled=False)
        accounts.change(account, actor="sam", at=NOON)
    assert _refused(authenticator, "ada", PASSWORD) == "wrong"


def test_everything_about_accounts_is_in_the_audit_log(authenticator, store):
    _refused(authenticator, "ada", "wrong")
    authenticator.sign_in("ada", PASSWORD)
    authenticator.note(actor="ada", action="signed_out", subject="ada")
    database = open_database(store, "booth")
    verify_audit(database)
    lines = lines_after(database, 0, limit=100)
    database.conn.close()
    told = [(line.actor, line.action, line.subject) for line in lines]
    assert told == [
        ("test", "account_added_officer", "ada"),
        ("test", "account_added_supervisor", "sam"),
        ("ada", "sign_in_failed", "ada"),
        ("ada", "signed_in", "ada"),
        ("ada", "signed_out", "ada"),
    ]


@pytest.mark.parametrize(
    ("name", "shown", "password"),
    [
        ("Ada", "Ada", PASSWORD),
        ("a", "Ada", PASSWORD),
        ("eve", "", PASSWORD),
        ("eve", "Eve\n", PASSWORD),
        ("eve", "Eve", "short"),
        ("eve", "Eve", "x" * 129),
        ("eve", "Eve", "i am eve myself"),
        ("ada", "Ada", PASSWORD),
    ],
)
def test_an_account_that_is_not_allowed_is_not_added(
    open_accounts, name, shown, password
):
    with open_accounts() as accounts:
        before = len(accounts.all())
        with pytest.raises(InputError):
            add_account(
                accounts,
                Account(name, shown, Role.OFFICER),
                password,
                actor="test",
                at=NOON,
            )
        assert len(accounts.all()) == before


def test_a_password_is_kept_as_a_slow_hash_only(store):
    assert PASSWORD.encode() not in store.read_bytes()
    hashed = hash_password("another good one", name="eve")
    assert hashed.startswith("$argon2id$")
    assert is_password("another good one", hashed)
    assert not is_password("another good On", hashed)
    assert not is_password("another good one", None)
    assert not is_password("anything", "no hash at all")
