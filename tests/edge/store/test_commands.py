from contextlib import closing
from datetime import timedelta

import pytest

from edge.store.audit import verify_audit
from edge.store.commands import StoredCommands
from edge.store.database import open_database


@pytest.fixture
def commands(booth):
    return StoredCommands(booth)


def test_a_command_is_known_once_it_is_noted(commands, booth, things, booth_path):
    assert not commands.is_command_known("c1")
    commands.note_command("c1", "test", at=things.start)
    commands.note_command("c1", "test", at=things.start)
    assert verify_audit(booth) == 1
    other = open_database(booth_path, "booth")
    with closing(other.conn):
        assert StoredCommands(other).is_command_known("c1")
        assert not StoredCommands(other).is_command_known("c2")


def test_an_instruction_is_kept_once_and_found_by_its_hit(commands, things):
    for number, hit_id in enumerate(("hit-1", "hit-2", "hit-1")):
        at = things.start + timedelta(seconds=number)
        for _ in range(2):
            commands.add_instruction(hit_id, f"text {number}", f"c{number}", at=at)
    assert [i.text for i in commands.instructions()] == ["text 0", "text 1", "text 2"]
    assert [i.text for i in commands.instructions("hit-1")] == ["text 0", "text 2"]
    assert [i.text for i in commands.instructions(limit=1)] == ["text 2"]
    assert commands.instructions("hit-9") == []
    (only,) = commands.instructions("hit-2")
    assert (only.hit_id, only.command_id) == ("hit-2", "c1")
    assert only.at == things.start + timedelta(seconds=1)
