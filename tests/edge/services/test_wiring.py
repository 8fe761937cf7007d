"""The parts put together: a real store, a real gallery in a folder, real searches."""

from __future__ import annotations

import shutil
from contextlib import closing, contextmanager
from dataclasses import replace

import numpy as np
import pytest

from edge.clock import SystemClock
from edge.config import parse_config
from edge.recognition.fingerprint.gallery import TemplateGallery
from edge.recognition.fingerprint.gallery_columns import minutiae_of
from edge.recognition.fingerprint.gallery_files import read_columns
from edge.services import store_checks, wiring
from edge.services.findings import Status
from edge.simulate.template_gallery import generate, impression
from edge.store.database import open_database
from edge.store.references import StoredReferences
from edge.store.watchlist import BoothWatchlist
from edge.terms import (
    ChangeOperation,
    DraftChange,
    FingerPosition,
    Modality,
    Reference,
    WatchlistEntry,
)
from edge.watchlist.following import follow
from edge.watchlist.live import GalleryFollower

POSITIONS = (FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_INDEX)
PERSONS = 30
ADD, WITHDRAW = ChangeOperation.ADD, ChangeOperation.WITHDRAW
NOW = SystemClock().now()


@pytest.fixture(scope="module")
def fingers():
    """Return two fingers of each person, of 25 minutiae or more."""
    columns = generate(91, 6 * PERSONS)
    plain = [columns.template(i) for i in range(len(columns))]
    plain = [template for template in plain if len(template) >= 25]
    return [
        [replace(plain[2 * i + k], position=POSITIONS[k]) for k in range(2)]
        for i in range(2 * PERSONS)
    ]


class Opened:
    """Searches what the follower has followed; a look before each search."""

    def __init__(self, index, follower) -> None:
        self._index = index
        self.size = index.size
        self.refresh = follower.look

    def search(self, probes):
        self.refresh()
        return self._index.search(probes)


class Booth:
    """One machine: a store and whatever stands beside it."""

    def __init__(self, folder, fingers) -> None:
        self.config = parse_config(
            f'store.path = "{folder}/booth.db"\nsearch.threads = 1\n', origin="test"
        )
        self.folder = folder
        self._fingers = fingers

    @contextmanager
    def opened(self):
        """Start edge-booth's search, and stop it."""
        clock = SystemClock()
        database = open_database(self.config.store.watchlist_path, "watchlist")
        with closing(database.conn), wiring.galleries(self.config) as galleries:
            follower = GalleryFollower(
                StoredReferences(database), galleries.followed, clock, print
            )
            follower.catch_up(lambda _share: None)
            yield Opened(wiring.watchlist_index(galleries, database, clock), follower)

    def change(self, *changes):
        database = open_database(self.config.store.watchlist_path, "watchlist")
        with closing(database.conn):
            BoothWatchlist(database).apply_local(
                [self._draft(*change) for change in changes], at=NOW
            )

    def enrol(self, persons):
        self.change(*[(ADD, person) for person in persons])

    def found(self, index, person):
        rng = np.random.default_rng(person)
        probes = [impression(f, rng, 0.5) for f in self._fingers[person]]
        return [candidate.entry_id for candidate in index.search(probes)]

    @contextmanager
    def store(self):
        database = open_database(self.config.store.watchlist_path, "watchlist")
        with closing(database.conn):
            yield database

    def numbers_of(self, entry_id):
        with self.store() as database:
            rows = database.conn.execute(
                "select number from biometric_references where entry_id = ?",
                (entry_id,),
            ).fetchall()
        return [number for (number,) in rows]

    def is_erased(self):
        with self.store() as database:
            return wiring.booth_side(self.config).is_gone_elsewhere(database)

    def gallery(self):
        (finding,) = store_checks.check_gallery(
            wiring.gallery_folder(self.config), self.config.store.watchlist_path
        )
        return finding

    def _draft(self, operation, person):
        entry_id = f"p{person}"
        entry = WatchlistEntry(entry_id, 1, "c", "o", "h", "l", "i", NOW, None)
        references = [
            Reference(
                f"{entry_id}-{k}", entry_id, Modality.FINGERPRINT, POSITIONS[k], t
            )
            for k, t in enumerate(self._fingers[person])
        ]
        if operation is WITHDRAW:
            return DraftChange(operation, entry_id)
        return DraftChange(operation, entry_id, entry, tuple(references))


@pytest.fixture
def booth(tmp_path, fingers):
    return Booth(tmp_path, fingers)


@pytest.fixture
def enrolled(booth):
    """A booth that has been running with PERSONS on its watchlist."""
    booth.enrol(range(PERSONS))
    with booth.opened() as index:
        assert booth.found(index, 3) == ["p3"]
    return booth


def assert_is_right(booth, present, absent):
    with booth.opened() as index:
        assert [booth.found(index, p) for p in present] == [[f"p{p}"] for p in present]
        assert [booth.found(index, p) for p in absent] == [[] for _ in absent]
    assert booth.gallery().status is Status.OK


def test_both_fingers_of_a_person_are_one_candidate(enrolled):
    with enrolled.opened() as index:
        rng = np.random.default_rng(1)
        probes = [impression(f, rng, 0.3) for f in enrolled._fingers[5]]
        (candidate,) = index.search(probes)
        alone = [index.search([probe])[0].score.false_match_rate for probe in probes]
    assert (candidate.entry_id, candidate.modality) == ("p5", Modality.FINGERPRINT)
    assert candidate.reference_id == f"p5-{POSITIONS.index(candidate.position)}"
    assert candidate.score.false_match_rate <= min(alone)


def test_changes_by_another_process_are_seen_by_the_next_search(enrolled):
    with enrolled.opened() as index:
        assert enrolled.found(index, 40) == []
        enrolled.change((ADD, 40), (WITHDRAW, 3))
        assert enrolled.found(index, 40) == ["p40"]
        assert enrolled.found(index, 3) == []
        assert index.size() == PERSONS
    assert enrolled.gallery().text.startswith("60 references")


def test_a_new_start_reads_no_reference_again(enrolled, monkeypatch):
    def refuse(*_arguments):
        raise AssertionError

    monkeypatch.setattr(TemplateGallery, "patch", refuse)
    assert_is_right(enrolled, [3, 5], [40])


def test_what_changed_while_the_booth_was_off_is_patched(enrolled, monkeypatch):
    monkeypatch.setattr(TemplateGallery, "clear", None)
    enrolled.change((ADD, 40), (WITHDRAW, 3))
    assert enrolled.gallery().status is Status.WARNING
    assert "behind the store" in enrolled.gallery().text
    assert_is_right(enrolled, [5, 40], [3])


def lose_all(folder):
    shutil.rmtree(folder)


def lose_the_header(folder):
    (folder / "header.json").unlink()


def cut_the_codes(folder):
    (path,) = folder.glob("codes.*")
    path.write_bytes(path.read_bytes()[:1000])


def of_other_software(folder):
    path = folder / "header.json"
    path.write_text(path.read_text().replace('"engine": "', '"engine": "0'))


@pytest.mark.parametrize(
    "damage", [lose_all, lose_the_header, cut_the_codes, of_other_software]
)
def test_a_gallery_that_is_of_no_use_is_made_anew(enrolled, damage):
    damage(wiring.gallery_folder(enrolled.config))
    assert enrolled.gallery().status is Status.WARNING
    assert_is_right(enrolled, [3, 5], [40])


def test_a_gallery_of_another_store_is_not_searched(enrolled, tmp_path, fingers):
    other = Booth(tmp_path / "other", fingers)
    other.enrol(range(PERSONS, 2 * PERSONS))
    with other.opened() as index:
        assert other.found(index, 40) == ["p40"]
    folder = wiring.gallery_folder(enrolled.config)
    shutil.rmtree(folder)
    shutil.copytree(wiring.gallery_folder(other.config), folder)
    assert enrolled.gallery().status is Status.WARNING
    assert_is_right(enrolled, [3, 5], [40])


def test_a_gallery_ahead_of_a_restored_store_is_made_anew(enrolled):
    store = enrolled.config.store.watchlist_path
    backup = store.with_name("backup.db")
    shutil.copyfile(store, backup)
    enrolled.change((WITHDRAW, 3), (ADD, 40))
    with enrolled.opened() as index:
        index.refresh()
    for path in store.parent.glob("watchlist.db*"):
        path.unlink()
    shutil.copyfile(backup, store)
    assert_is_right(enrolled, [3, 5], [40])
    enrolled.change((WITHDRAW, 5), (ADD, 41))
    assert_is_right(enrolled, [3, 41], [5, 40])


def test_a_gallery_behind_a_restored_store_is_brought_up_to_it(enrolled):
    folder = wiring.gallery_folder(enrolled.config)
    before = folder.with_name("before")
    shutil.copytree(folder, before)
    enrolled.change((WITHDRAW, 3), (ADD, 40))
    with enrolled.opened() as index:
        index.refresh()
    shutil.rmtree(folder)
    before.rename(folder)
    assert_is_right(enrolled, [5, 40], [3])


def test_a_gallery_with_wrong_minutiae_is_told(enrolled):
    (path,) = wiring.gallery_folder(enrolled.config).glob("packed.*")
    with path.open("r+b") as file:
        file.write(b"\xff\xff")
    finding = enrolled.gallery()
    assert finding.status is Status.FAILED
    assert "1 damaged" in finding.text
    assert "remove the folder" in finding.text


def test_a_gallery_that_lacks_what_it_claims_to_hold_is_told(enrolled):
    gallery = TemplateGallery(wiring.gallery_folder(enrolled.config))
    gallery.patch((), [1, 2], gallery.revision)
    gallery.close()
    finding = enrolled.gallery()
    assert finding.status is Status.FAILED
    assert "2 missing" in finding.text


class TestErasure:
    """What edge-sync asks before it signs that something is deleted."""

    def test_a_withdrawal_is_gone_once_edge_booth_has_overwritten_it(self, enrolled):
        assert enrolled.is_erased()
        folder = wiring.gallery_folder(enrolled.config)
        numbers = enrolled.numbers_of("p3")
        columns = read_columns(folder, "c")
        rows = np.flatnonzero(np.isin(columns.rows["number"], numbers))
        gone = [minutiae_of(columns, row)[0].tobytes() for row in rows]
        assert len(gone) == 2
        enrolled.change((WITHDRAW, 3))
        assert not enrolled.is_erased()
        with enrolled.opened():
            pass
        assert enrolled.is_erased()
        files = b"".join(path.read_bytes() for path in folder.iterdir())
        assert not any(minutiae in files for minutiae in gone)

    def test_while_a_search_sees_it_it_is_not_gone(self, enrolled):
        enrolled.change((WITHDRAW, 3))
        folder = wiring.gallery_folder(enrolled.config)
        with closing(TemplateGallery(folder)) as gallery, enrolled.store() as store:
            seen = gallery.snapshot()
            follow(gallery, StoredReferences(store), Modality.FINGERPRINT)
            assert not enrolled.is_erased()
            del seen
            assert gallery.tidy()
            assert enrolled.is_erased()

    def test_what_was_added_since_does_not_matter(self, enrolled):
        enrolled.change((ADD, 40))
        assert enrolled.is_erased()

    @pytest.mark.parametrize("name", ["header.json", "packed.99"])
    def test_files_that_cannot_be_judged_are_not_clean(self, enrolled, name):
        path = wiring.gallery_folder(enrolled.config) / name
        path.write_bytes(b"of another software, or cut short")
        assert not enrolled.is_erased()

    def test_a_watchlist_with_another_past_says_nothing_of_the_gallery(self, enrolled):
        enrolled.config.store.watchlist_path.unlink()
        enrolled.enrol([3])
        assert not enrolled.is_erased()

    def test_where_there_is_no_gallery_nothing_is_left_in_it(self, booth):
        booth.enrol([3])
        assert booth.is_erased()


def test_no_store_has_no_gallery_and_none_is_made(booth):
    assert booth.gallery().status is Status.WARNING
    assert list(booth.folder.iterdir()) == []


def test_a_second_process_searches_too_and_writes_nothing(enrolled):
    with enrolled.opened() as running, enrolled.opened() as second:
        enrolled.change((ADD, 40), (WITHDRAW, 3))
        assert enrolled.found(second, 40) == ["p40"]
        assert enrolled.found(second, 3) == []
        assert enrolled.gallery().status is Status.WARNING
        assert enrolled.found(running, 40) == ["p40"]
        assert enrolled.gallery().status is Status.OK


def test_the_gallery_may_stand_elsewhere(tmp_path):
    text = f'store.path = "{tmp_path}/booth.db"\nsearch.gallery = "/elsewhere"'
    assert str(wiring.gallery_folder(parse_config(text, origin="t"))) == "/elsewhere"


@pytest.mark.parametrize(("given", "wanted"), [(3, 3), (0, None)])
def test_threads_are_those_given_or_one_a_processor_up_to_four(given, wanted):
    config = parse_config(f"search.threads = {given}", origin="test")
    threads = wiring.search_threads(config)
    assert threads == wanted if wanted else 1 <= threads <= 4
