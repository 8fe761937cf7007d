from random import Random

from hypothesis import given
from hypothesis import strategies as st

from edge.sync.reconnecting import TRY_MQTT5_AGAIN_S, Backoff, ProtocolChoice


@given(st.integers(0, 200), st.integers())
def test_the_pause_grows_to_its_limit_and_is_never_zero(failures, seed):
    random = Random(seed)  # noqa: S311  test chance
    backoff = Backoff(first_s=0.5, limit_s=8.0, random=random)
    pauses = [backoff.failed() for _ in range(failures + 1)]
    assert 0.25 <= pauses[0] <= 0.5
    assert all(0.25 <= pause <= 8.0 for pause in pauses)
    assert all(pause >= 4.0 for pause in pauses[4:])


def test_success_makes_the_next_pause_short_again():
    random = Random(1)  # noqa: S311  test chance
    backoff = Backoff(first_s=0.5, limit_s=8.0, random=random)
    for _ in range(6):
        backoff.failed()
    backoff.succeeded()
    assert backoff.failed() <= 0.5


def test_a_refused_version_5_is_remembered_and_tried_again_much_later():
    choice = ProtocolChoice("auto")
    assert choice.version(0.0) == 5
    assert choice.is_probe(0.0)
    assert choice.refused(5, 10.0)
    assert choice.version(11.0) == 4
    assert not choice.is_probe(11.0)
    assert choice.version(10.0 + TRY_MQTT5_AGAIN_S) == 5
    assert choice.is_probe(10.0 + TRY_MQTT5_AGAIN_S)


def test_an_accepted_version_5_is_not_probed_again():
    choice = ProtocolChoice("auto")
    choice.accepted(5)
    assert choice.version(1e9) == 5
    assert not choice.is_probe(1e9)


def test_a_fixed_version_is_never_changed():
    assert ProtocolChoice("3.1.1").version(0.0) == 4
    only5 = ProtocolChoice("5")
    assert not only5.refused(5, 0.0)
    assert only5.version(1.0) == 5
    assert not only5.is_probe(1.0)
