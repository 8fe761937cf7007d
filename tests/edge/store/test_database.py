import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from edge.errors import StoreError
from edge.store.database import (
    check_integrity,
    mapped_errors,
    open_database,
    transaction,
)


def opened_and_closed(path, schema="booth"):
    open_database(path, schema).conn.close()


def test_a_new_store_is_private_durable_and_sound(booth_path, booth):
    assert stat.S_IMODE(booth_path.stat().st_mode) == 0o600
    pragmas = {
        name: booth.conn.execute(f"pragma {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
    }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
    }
    check_integrity(booth)


def test_opening_again_keeps_what_is_there(booth_path):
    with closing(open_database(booth_path, "booth").conn) as connection:
        connection.execute("update outbox_counter set last_sequence = 7")
    with closing(open_database(booth_path, "booth").conn) as connection:
        row = connection.execute("select last_sequence from outbox_counter").fetchone()
    assert row == (7,)


def test_several_threads_create_one_store_together(booth_path):
    errors = []

    def work():
        try:
            opened_and_closed(booth_path)
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_opening_twice_in_a_process_leaves_others_the_locks_of_the_first(booth_path):
    """Else a process that comes and goes deletes the log that is being written to."""
    come_and_go = (
        "import sys; from pathlib import Path;"
        "from edge.store.database import open_database;"
        "open_database(Path(sys.argv[1]), 'booth').conn.close()"
    )
    with closing(open_database(booth_path, "booth").conn) as first:
        first.execute("update outbox_counter set last_sequence = 7")
        with closing(open_database(booth_path, "booth").conn):
            subprocess.run(
                [sys.executable, "-c", come_and_go, str(booth_path)], check=True
            )
        log = booth_path.with_name(f"{booth_path.name}-wal")
        assert log.exists()
        first.execute("update outbox_counter set last_sequence = 8")
        with closing(sqlite3.connect(booth_path)) as other:
            [(last,)] = other.execute("select last_sequence from outbox_counter")
        assert last == 8


def test_a_file_that_is_no_database_is_refused(booth_path):
    booth_path.write_bytes(b"these are the notes of a Tuesday\n" * 100)
    with pytest.raises(StoreError, match=r"booth\.db"):
        opened_and_closed(booth_path)


def test_somebody_elses_database_is_refused_and_left_alone(booth_path):
    with closing(sqlite3.connect(booth_path)) as connection:
        connection.execute("create table recipes (name text)")
    with pytest.raises(StoreError, match="not a booth store"):
        opened_and_closed(booth_path)
    with closing(sqlite3.connect(booth_path)) as connection:
        tables = connection.execute("select name from sqlite_master").fetchall()
    assert tables == [("recipes",)]


def test_the_other_schemas_store_is_refused(booth_path):
    opened_and_closed(booth_path, "hub")
    with pytest.raises(StoreError, match="not a booth store"):
        opened_and_closed(booth_path)


def test_a_newer_softwares_store_is_refused(booth_path):
    opened_and_closed(booth_path)
    with closing(sqlite3.connect(booth_path)) as connection:
        connection.execute("pragma user_version = 99")
    with pytest.raises(StoreError, match="newer software"):
        opened_and_closed(booth_path)


def test_a_folder_in_the_stores_place_is_refused(booth_path):
    booth_path.mkdir()
    with pytest.raises(StoreError, match="cannot open"):
        opened_and_closed(booth_path)


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "var").write_text("")
    with pytest.raises(StoreError, match="cannot open"):
        opened_and_closed(tmp_path / "var" / "booth.db")


def test_damage_inside_the_file_is_found(booth_path):
    with closing(open_database(booth_path, "booth").conn) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    content = bytearray(booth_path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    booth_path.write_bytes(content)
    with pytest.raises(StoreError):  # noqa: PT012  either step may meet the damage
        database = open_database(booth_path, "booth")
        with closing(database.conn):
            check_integrity(database)


def add_nothing(cursor):
    message = f"{cursor} is not what the caller expected"
    raise TypeError(message)


def test_a_transaction_is_kept_whole_or_not_at_all(booth):
    def count():
        return booth.conn.execute("select last_sequence from outbox_counter").fetchone()

    with transaction(booth) as connection:
        connection.execute("update outbox_counter set last_sequence = 1")
    with pytest.raises(TypeError), transaction(booth) as connection:
        add_nothing(connection.execute("update outbox_counter set last_sequence = 2"))
    assert count() == (1,)


def test_a_full_disk_is_named_and_the_store_goes_on_afterwards(booth):
    (pages,) = booth.conn.execute("pragma page_count").fetchone()
    booth.conn.execute(f"pragma max_page_count = {pages + 2}")
    insert = (
        "insert into hits (hit_id, check_id, entry_id, entry_version, occurred_at,"
        " payload) values (?, 'c', 'e', 1, 't', ?)"
    )
    rows = [("small", b""), ("large", bytes(100_000))]
    with pytest.raises(StoreError, match="full"), transaction(booth) as connection:
        connection.executemany(insert, rows)
    with transaction(booth) as connection:
        connection.execute(insert, ("after", b""))
    rows = booth.conn.execute("select hit_id from hits").fetchall()
    assert rows == [("after",)]


def test_a_second_writer_waits_for_the_first(booth_path, booth):
    def add_one(database):
        with transaction(database) as connection:
            connection.execute(
                "update outbox_counter set last_sequence = last_sequence + 1"
            )

    def work():
        database = open_database(booth_path, "booth")
        with closing(database.conn):
            for _ in range(10):
                add_one(database)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = booth.conn.execute("select last_sequence from outbox_counter").fetchone()
    assert row == (30,)


def test_another_threads_connection_is_refused(booth):
    caught = []

    def work():
        try:
            with transaction(booth):
                pass
        except StoreError as error:
            caught.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "thread" in caught[0]


def test_every_exception_class_of_the_library_is_turned_into_ours():
    classes = [
        value
        for value in vars(sqlite3).values()
        if isinstance(value, type)
        and issubclass(value, Exception)
        and not issubclass(value, Warning)
        and value is not sqlite3.Warning
    ]
    assert len(classes) >= 9
    for kind in classes:
        with pytest.raises(StoreError), mapped_errors("read"):
            raise kind("trouble")
