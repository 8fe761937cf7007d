import subprocess
import sys
from contextlib import closing

from edge.store.database import open_database
from edge.store.outbox import StoredOutbox


def test_every_hit_that_was_said_is_in_the_store_after_a_kill(tmp_path):
    store = tmp_path / "booth.db"
    command = [sys.executable, "-m", "edge.simulate.hit_source"]
    options = ["--store", str(store), "--hits-per-s", "200", "--evidence-bytes", "100"]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True
    ) as source:
        said = [source.stdout.readline().strip() for _ in range(10)]
        source.kill()
        said += source.stdout.read().split()
    database = open_database(store, "booth")
    with closing(database.conn):
        held = {row[0] for row in database.conn.execute("select hit_id from hits")}
        waiting = StoredOutbox(database).depth()
    assert set(said) <= held
    assert len(held) == waiting
