"""What the traveller's view is told: what to do, never what was found or thought.

Whatever a check ends in, the view says the same; nobody learns from this screen whether
a list holds them, how a sample scored, or whether a face was taken for a picture.
"""

from __future__ import annotations

from typing import Any

INSTRUCTED = ("capture", "assess")
FIRST_FINGER = "place_finger"
FIRST_FACE = "look_at_camera"


def traveller_view(event: dict[str, Any]) -> dict[str, Any] | None:
    """Return an event of the booth as the traveller may see it, None if not at all."""
    kind = event["event"]
    if kind == "check_started":
        return _view("start")
    if kind in ("check_finished", "check_failed"):
        return _view("end")
    if kind != "check_progress" or event["modality"] is None:
        return None
    if event["stage"] not in INSTRUCTED:
        return _view("working", event)
    return _view("capture", event, _instruction(event))


def _view(
    stage: str, event: dict[str, Any] | None = None, instruction: str | None = None
) -> dict[str, Any]:
    about = event or {}
    return {
        "event": "traveller",
        "stage": stage,
        "modality": about.get("modality"),
        "position": about.get("position"),
        "instruction": instruction,
    }


def _instruction(event: dict[str, Any]) -> str:
    if event["modality"] == "face":
        guidance = event["guidance"]
        return FIRST_FACE if guidance is None else str(guidance["instruction"])
    finger = event.get("finger")
    return FIRST_FINGER if finger is None else str(finger["instruction"])
