import io
import json
from datetime import UTC, datetime

import pytest

from edge.clock import ManualClock
from edge.logs import LABEL_LIMIT, EventLog, safe_label

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def test_an_event_is_one_json_line():
    stream = io.StringIO()
    EventLog(ManualClock(NOON), "edge-booth", stream).event("check_finished", count=2)
    assert json.loads(stream.getvalue()) == {
        "at": "2026-01-02T12:00:00.000+00:00",
        "process": "edge-booth",
        "event": "check_finished",
        "count": 2,
    }


def test_a_field_outside_the_allow_list_is_refused():
    log = EventLog(ManualClock(NOON), "edge-booth", io.StringIO())
    with pytest.raises(ValueError, match="template"):
        log.event("check_finished", template="AAAA")


def test_a_label_from_outside_cannot_forge_a_line_or_move_the_cursor():
    assert safe_label("a\nb\x1b[2J\u202e") == "a?b?[2J?"
    assert len(safe_label("x" * 1000)) == LABEL_LIMIT
