"""How the hub behaves over time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HubSettings:
    """Seconds, and numbers of changes.

    look_s: how often the store is asked what other processes have written.
    head_every_s: a head is signed again after so long; it is valid for head_valid_s.
    late_after_s: a message that is older when it arrives is historical.
    gap_after_s: how long a missing message may be under way before it is asked for.
    command_repeat_s: how long to wait for an answer before a command is sent again.
    broadcast_changes: what is new at once and more than this is not sent to everybody;
    each booth asks at its own pace. snapshot_after_changes: a snapshot so far behind
    the log is replaced.
    """

    look_s: float = 0.2
    head_every_s: float = 60.0
    head_valid_s: float = 3600.0
    late_after_s: float = 300.0
    gap_after_s: float = 30.0
    command_repeat_s: float = 10.0
    broadcast_changes: int = 2048
    snapshot_after_changes: int = 5000
