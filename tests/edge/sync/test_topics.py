import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ConfigurationError, MessageError
from edge.sync.topics import (
    BoothChannel,
    BoothTopic,
    HubChannel,
    HubTopic,
    check_booth_id,
    hub_subscriptions,
    parse_topic,
)

booth_ids = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,62}\Z").filter(lambda b: b != "hub")
topics = st.one_of(
    st.builds(BoothTopic, booth_ids, st.sampled_from(BoothChannel)),
    st.builds(HubTopic, st.sampled_from(HubChannel)),
)


@given(topics)
def test_a_topic_survives_the_way_to_its_name_and_back(topic):
    assert parse_topic(str(topic)) == topic


@given(st.text())
def test_any_text_is_a_topic_of_ours_or_refused(name):
    with contextlib.suppress(MessageError):
        assert str(parse_topic(name)) == name


@pytest.mark.parametrize(
    "booth_id", ["", "hub", "a/b", "+", "#", "Booth", "-a", "a" * 64, "a\n", "é"]
)
def test_a_booth_id_that_cannot_stand_in_a_topic_is_refused(booth_id):
    with pytest.raises(ConfigurationError, match="booth_id"):
        check_booth_id(booth_id)
    with pytest.raises(MessageError):
        parse_topic(f"edge/{booth_id}/up/outbox")


def test_the_hubs_own_state_is_not_taken_for_a_booths():
    assert parse_topic("edge/hub/state") == HubTopic(HubChannel.STATE)
    assert "edge/+/state" in hub_subscriptions()
