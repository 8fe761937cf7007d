"""What an operator tells an officer: free text, or one of the standard instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge.hub.command_sender import new_command
from edge.sync.messages import CommandKind, Instruction

if TYPE_CHECKING:
    from datetime import datetime

    from edge.records.console_values import Case
    from edge.records.hub_values import CommandRecord

HOUR_S = 3600.0
STANDARD: Final = {
    "hold": "Hold the traveller at the booth. Do not mention the alert. We call you.",
    "second_line": "Take the traveller to second-line inspection now.",
    "police": "Police are on their way. Keep distance; do not let the traveller leave.",
    "danger": "Caution: may be armed. Do not approach alone. Clear the lane.",
    "documents": "Check documents again and read us the number by telephone.",
    "capture_again": "Capture the same fingers again and confirm or refute.",
    "discreet": "Let the traveller pass as usual. Note route, vehicle and company.",
    "let_pass": "Not the person. Let the traveller pass, with an apology.",
}


def instruction_command(
    case: Case, text: str, valid_h: float, *, at: datetime
) -> CommandRecord:
    """Return the command that carries an instruction to the booth of a case."""
    body = Instruction(hit_id=case.hit_id, text=text).encode()
    return new_command(
        case.booth_id, CommandKind.INSTRUCTION, body, at=at, valid_s=valid_h * HOUR_S
    )
