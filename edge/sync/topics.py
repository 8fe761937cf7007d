"""Every topic name of the appliance, as values.

    edge/<booth_id>/up/outbox              booth -> hub   one outbox message
    edge/<booth_id>/up/watchlist-request   booth -> hub   "what comes after my cursor?"
    edge/<booth_id>/down/receipt           hub -> booth   one outbox message is stored
    edge/<booth_id>/down/watchlist         hub -> booth   a batch of changes
    edge/<booth_id>/state                  retained, will: is the booth's link up?
    edge/hub/head                          retained: newest watchlist sequence
    edge/hub/state                         retained, will: is the hub's link up?

A broker's access list can grant a booth `edge/<booth_id>/up/#` and its own state for
writing, `edge/<booth_id>/down/#` and `edge/hub/#` for reading, and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from edge.errors import ConfigurationError, MessageError

ROOT = "edge"
HUB = "hub"
_BOOTH_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


class BoothChannel(StrEnum):
    OUTBOX = "up/outbox"
    WATCHLIST_REQUEST = "up/watchlist-request"
    RECEIPT = "down/receipt"
    WATCHLIST = "down/watchlist"
    STATE = "state"


class HubChannel(StrEnum):
    HEAD = "head"
    STATE = "state"


@dataclass(frozen=True)
class BoothTopic:
    booth_id: str
    channel: BoothChannel

    def __str__(self) -> str:
        return f"{ROOT}/{self.booth_id}/{self.channel}"


@dataclass(frozen=True)
class HubTopic:
    channel: HubChannel

    def __str__(self) -> str:
        return f"{ROOT}/{HUB}/{self.channel}"


Topic = BoothTopic | HubTopic


def is_booth_id(text: str) -> bool:
    return text != HUB and _BOOTH_ID.fullmatch(text) is not None


def check_booth_id(text: str) -> str:
    """Return text if it can stand in a topic.

    Raises:
        ConfigurationError: it cannot, or it is the hub's own name.
    """
    if not is_booth_id(text):
        raise ConfigurationError(
            f"booth_id = {text!r}: use lower-case letters, digits and '-', at most 63, "
            f"and not {HUB!r}"
        )
    return text


def parse_topic(name: str) -> Topic:
    """Return the topic of that name.

    Raises:
        MessageError: not one of ours.
    """
    root, _, rest = name.partition("/")
    owner, _, channel = rest.partition("/")
    if root == ROOT and owner == HUB and channel in set(HubChannel):
        return HubTopic(HubChannel(channel))
    if root == ROOT and is_booth_id(owner) and channel in set(BoothChannel):
        return BoothTopic(owner, BoothChannel(channel))
    raise MessageError(f"topic {name[:80]!r}: not a topic of the appliance")


def booth_subscriptions(booth_id: str) -> tuple[str, ...]:
    return (
        str(BoothTopic(booth_id, BoothChannel.RECEIPT)),
        str(BoothTopic(booth_id, BoothChannel.WATCHLIST)),
        str(HubTopic(HubChannel.HEAD)),
        str(HubTopic(HubChannel.STATE)),
    )


def hub_subscriptions() -> tuple[str, ...]:
    return (
        f"{ROOT}/+/{BoothChannel.OUTBOX}",
        f"{ROOT}/+/{BoothChannel.WATCHLIST_REQUEST}",
        f"{ROOT}/+/{BoothChannel.STATE}",
    )
