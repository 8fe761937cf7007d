"""Every topic name of the appliance, as values.

    edge/<booth_id>/up/outbox      booth -> hub   one outbox message
    edge/<booth_id>/up/request     booth -> hub   a question about the watchlist
    edge/<booth_id>/down/receipt   hub -> booth   outbox messages are stored
    edge/<booth_id>/down/watchlist hub -> booth   an answer: changes, head or manifest
    edge/<booth_id>/down/chunk     hub -> booth   a piece of a snapshot
    edge/<booth_id>/down/command   hub -> booth   do this
    edge/<booth_id>/down/grant     retained: the keys of the epochs, for this booth
    edge/<booth_id>/state          retained, will: is the booth's link up?
    edge/hub/trust                 retained: the trust documents
    edge/hub/head                  retained: how far the watchlist log is
    edge/hub/changes               hub -> all     new changes of the watchlist log
    edge/hub/state                 retained, will: is the hub's link up?

A broker's access list can grant a booth `edge/<booth_id>/up/#` and its own state for
writing, `edge/<booth_id>/down/#` and `edge/hub/#` for reading, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.errors import ConfigurationError, MessageError
from edge.records.message_map import HUB_NAME, is_booth_id

ROOT = "edge"


class BoothChannel(StrEnum):
    OUTBOX = "up/outbox"
    REQUEST = "up/request"
    RECEIPT = "down/receipt"
    WATCHLIST = "down/watchlist"
    CHUNK = "down/chunk"
    COMMAND = "down/command"
    GRANT = "down/grant"
    STATE = "state"


class HubChannel(StrEnum):
    TRUST = "trust"
    HEAD = "head"
    CHANGES = "changes"
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
        return f"{ROOT}/{HUB_NAME}/{self.channel}"


Topic = BoothTopic | HubTopic


def check_booth_id(text: str) -> str:
    """Return text if it can stand in a topic.

    Raises:
        ConfigurationError: it cannot, or it is the hub's own name.
    """
    if not is_booth_id(text):
        raise ConfigurationError(
            f"booth_id = {text!r}: use lower-case letters, digits and '-', at most 63, "
            f"and not {HUB_NAME!r}"
        )
    return text


def parse_topic(name: str) -> Topic:
    """Return the topic of that name.

    Raises:
        MessageError: not one of ours.
    """
    root, _, rest = name.partition("/")
    owner, _, channel = rest.partition("/")
    if root == ROOT and owner == HUB_NAME and channel in set(HubChannel):
        return HubTopic(HubChannel(channel))
    if root == ROOT and is_booth_id(owner) and channel in set(BoothChannel):
        return BoothTopic(owner, BoothChannel(channel))
    raise MessageError(f"topic {name[:80]!r}: not a topic of the appliance")


def booth_subscriptions(booth_id: str) -> tuple[str, ...]:
    down = (
        BoothChannel.RECEIPT,
        BoothChannel.WATCHLIST,
        BoothChannel.CHUNK,
        BoothChannel.COMMAND,
        BoothChannel.GRANT,
    )
    return (
        *(str(BoothTopic(booth_id, channel)) for channel in down),
        *(str(HubTopic(channel)) for channel in HubChannel),
    )


def hub_subscriptions() -> tuple[str, ...]:
    return (
        f"{ROOT}/+/{BoothChannel.OUTBOX}",
        f"{ROOT}/+/{BoothChannel.REQUEST}",
        f"{ROOT}/+/{BoothChannel.STATE}",
    )
