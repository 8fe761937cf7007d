"""Galleries in a folder: opened again, damaged, killed, shared."""

from __future__ import annotations

import gc
import json
import stat

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import StoreError
from edge.recognition.fingerprint import gallery as gallery_module
from edge.recognition.fingerprint import gallery_files
from edge.recognition.fingerprint.calibration import committed
from edge.recognition.fingerprint.gallery import TemplateGallery
from edge.recognition.fingerprint.gallery_columns import minutiae_of
from edge.recognition.fingerprint.gallery_files import examine_saved
from edge.recognition.fingerprint.search import FingerprintSearch
from edge.simulate.template_gallery import generate

COUNT = 40


class KilledError(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def templates():
    columns = generate(61, 2 * COUNT)
    return [columns.template(i) for i in range(2 * COUNT)]


@pytest.fixture
def enrolled(templates, numbered):
    return lambda first, count: numbered(
        [[t] for t in templates[first - 1 : first - 1 + count]], first
    )


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "var" / "gallery"


@pytest.fixture
def saved(folder, enrolled):
    """A saved gallery of COUNT references but the third; its folder."""
    gallery = TemplateGallery(folder)
    gallery.patch(enrolled(1, COUNT), revision="first")
    gallery.patch((), [3], "second")
    gallery.close()
    return folder


def numbers(gallery):
    seen = gallery.snapshot()
    return seen.rows["number"][seen.chosen()].tolist()


HELD = [n for n in range(1, COUNT + 1) if n != 3]


def reopened(folder):
    gallery = TemplateGallery(folder)
    try:
        return numbers(gallery), gallery.revision
    finally:
        gallery.close()


def data_files(folder):
    return sorted(p for p in folder.iterdir() if p.suffix[1:].isdigit())


def test_what_was_saved_is_there_again(saved, templates, enrolled):
    before = {p: p.read_bytes() for p in data_files(saved)}
    gallery = TemplateGallery(saved)
    assert (numbers(gallery), gallery.revision) == (HELD, "second")
    assert {p: p.read_bytes() for p in data_files(saved)} == before
    fresh = TemplateGallery()
    fresh.patch([item for item in enrolled(1, COUNT) if item.number != 3])
    for i in (0, 7, 20):
        found = [
            [(f.number, f.score) for f in search.search([templates[i]], 1.0).found]
            for search in (
                FingerprintSearch(gallery, committed()),
                FingerprintSearch(fresh, committed()),
            )
        ]
        assert found[0] == found[1]
    gallery.close()


def test_a_gallery_goes_on_after_it_was_opened_again(saved, enrolled):
    gallery = TemplateGallery(saved)
    gallery.patch(enrolled(COUNT + 1, 5), [1], "third")
    gallery.close()
    held = [*HELD[1:], *range(COUNT + 1, COUNT + 6)]
    assert reopened(saved) == (held, "third")


def test_the_files_are_private(saved):
    assert stat.S_IMODE(saved.stat().st_mode) == 0o700
    for path in [*data_files(saved), saved / "lock"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_gallery_that_outgrows_its_files_gets_larger_ones(
    folder, enrolled, monkeypatch
):
    monkeypatch.setattr(gallery_files, "_SPARE_ROWS", 2)
    monkeypatch.setattr(gallery_files, "_SPARE_MINUTIAE", 100)
    gallery = TemplateGallery(folder)
    for first in range(1, COUNT, 4):
        gallery.patch(enrolled(first, 4), [first - 4], f"{first}")
        assert len(data_files(folder)) == 4
    held = [n for n in range(1, COUNT + 1) if n % 4 != 1 or n == COUNT - 3]
    assert numbers(gallery) == held
    gallery.close()
    assert reopened(folder) == (held, f"{COUNT - 3}")


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/gallery.*see \[search\]"):
        TemplateGallery(tmp_path / "file" / "gallery")


def test_a_full_disk_is_named_and_nothing_is_lost(saved, enrolled, monkeypatch):
    def full(_path, _size):
        raise OSError(28, "No space left on device")

    gallery = TemplateGallery(saved)
    monkeypatch.setattr(gallery_module, "_DEAD_ROWS", 0)
    monkeypatch.setattr(gallery_module, "_DEAD_SHARE", 0)
    monkeypatch.setattr(gallery_files, "_allocate", full)
    with pytest.raises(StoreError, match="no room for the gallery: No space left"):
        gallery.patch(enrolled(COUNT + 1, 1), revision="third")
    assert (numbers(gallery), gallery.revision) == (HELD, "second")
    gallery.close()
    assert reopened(saved) == (HELD, "second")


STAGES = ["_allocate", "_flush", "_replace", "_remove_others", "overwrite"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("is_compacting", [False, True])
@pytest.mark.parametrize("is_after", [False, True])
def test_a_process_killed_while_it_saves_leaves_one_state_or_the_other(
    saved, enrolled, monkeypatch, stage, is_compacting, is_after
):
    module = gallery_module if stage == "overwrite" else gallery_files
    working = getattr(module, stage)

    def killed(*arguments):
        if is_after:
            working(*arguments)
        raise KilledError

    gallery = TemplateGallery(saved)
    if is_compacting:
        monkeypatch.setattr(gallery_module, "_DEAD_ROWS", 0)
        monkeypatch.setattr(gallery_module, "_DEAD_SHARE", 0)
    with monkeypatch.context() as patched:
        patched.setattr(module, stage, killed)
        try:
            gallery.patch(enrolled(COUNT + 1, 5), [1, 2], "third")
        except KilledError:
            pass
        else:
            assert (stage, is_compacting) == ("_allocate", False)
    gallery.close()
    after = [*HELD[2:], *range(COUNT + 1, COUNT + 6)]
    assert reopened(saved) in [(HELD, "second"), (after, "third")]
    # Whatever it was, the same patch and another one bring it to the same end.
    gallery = TemplateGallery(saved)
    if gallery.revision == "second":
        gallery.patch(enrolled(COUNT + 1, 5), [1, 2], "third")
    gallery.patch((), [7], "fourth")
    gallery.close()
    assert reopened(saved) == ([n for n in after if n != 7], "fourth")
    assert len(data_files(saved)) == 4
    assert examine_saved(saved).damaged == []


def test_deaths_of_a_version_that_was_never_saved_do_not_count_later(
    saved, monkeypatch
):
    gallery = TemplateGallery(saved)
    with monkeypatch.context() as patched:
        patched.setattr(gallery_files, "_replace", raise_killed)
        with pytest.raises(KilledError):
            gallery.patch((), [10, 11], "lost")
    gallery.close()
    gallery = TemplateGallery(saved)
    gallery.patch((), [20], "third")
    assert numbers(gallery) == [n for n in HELD if n != 20]
    gallery.close()


def raise_killed(*_arguments):
    raise KilledError


def rewrite_header(folder, change):
    path = folder / "header.json"
    header = json.loads(path.read_text())
    change(header)
    path.write_text(json.dumps(header))


HEADER_DAMAGE = {
    "another format": lambda h: h.update(format=0),
    "another engine": lambda h: h.update(engine="00"),
    "another generation": lambda h: h.update(generation=77),
    "no state": lambda h: h.pop("state"),
    "a state that is a list": lambda h: h.update(state=[1]),
    "more rows than there are": lambda h: h["state"].update(row_count=COUNT + 1),
    "more rows than fit": lambda h: h["state"].update(row_count=10**9),
    "fewer rows than none": lambda h: h["state"].update(row_count=-1),
    "fewer minutiae": lambda h: h["state"].update(minutia_count=9),
    "more minutiae than fit": lambda h: h["state"].update(minutia_count=10**12),
    "fewer persons": lambda h: h["state"].update(persons=2),
    "more persons": lambda h: h["state"].update(persons=10**12),
    "an earlier version": lambda h: h["state"].update(version=0),
    "a version that is none": lambda h: h["state"].update(version="x"),
    "a version beyond all": lambda h: h["state"].update(version=2**32),
    "other room": lambda h: h.update(capacity_rows=h["capacity_rows"] - 1),
    "room below zero": lambda h: h.update(capacity_minutiae=-1),
    "no number for room": lambda h: h.update(capacity_rows=[]),
}


@pytest.mark.parametrize("damage", HEADER_DAMAGE)
def test_a_header_that_does_not_fit_gives_an_empty_gallery(saved, enrolled, damage):
    rewrite_header(saved, HEADER_DAMAGE[damage])
    gallery = TemplateGallery(saved)
    assert (numbers(gallery), gallery.revision) == ([], "")
    gallery.patch(enrolled(1, 3), revision="anew")
    gallery.close()
    assert reopened(saved) == ([1, 2, 3], "anew")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1, 2]", b"\xff\xfe", b"[" * 60_000, b'{"format": 1}']
)
def test_a_header_that_is_none_gives_an_empty_gallery(saved, content):
    (saved / "header.json").write_bytes(content)
    assert reopened(saved) == ([], "")


@pytest.mark.parametrize("name", ["rows", "extents", "packed", "codes", "header"])
@pytest.mark.parametrize("way", ["missing", "cut", "grown", "empty"])
def test_a_file_that_is_not_whole_gives_an_empty_gallery(saved, enrolled, name, way):
    (path,) = saved.glob(f"{name}.*")
    data = path.read_bytes()
    if way == "missing":
        path.unlink()
    else:
        keep = {"cut": data[: len(data) // 2], "grown": data + b"\0", "empty": b""}
        path.write_bytes(keep[way])
    assert reopened(saved) == ([], "")
    gallery = TemplateGallery(saved)
    gallery.patch(enrolled(1, 3))
    gallery.close()
    assert reopened(saved) == ([1, 2, 3], "")


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(["rows", "extents", "packed", "codes"]),
    at=st.integers(0, 25 * COUNT - 1),
    value=st.integers(0, 255),
)
def test_no_byte_of_a_file_brings_a_search_down(saved, templates, name, at, value):
    (path,) = saved.glob(f"{name}.*")
    with path.open("r+b") as file:
        file.seek(at)
        was = file.read(1)
        file.seek(at)
        file.write(bytes([value]))
    gallery = TemplateGallery(saved)
    FingerprintSearch(gallery, committed()).search(templates[:1], 1.0)
    gallery.close()
    with path.open("r+b") as file:
        file.seek(at)
        file.write(was)


def test_wrong_minutiae_are_told_by_their_numbers(saved):
    assert examine_saved(saved).damaged == []
    gallery = TemplateGallery(saved)
    start, _ = gallery._columns.extents[6].tolist()
    gallery.close()
    (path,) = saved.glob("packed.*")
    data = np.memmap(path, np.uint16, "r+").reshape(-1, 3)
    data[start, 0] ^= 1
    data.flush()
    examined = examine_saved(saved)
    assert (examined.numbers, examined.revision) == (HELD, "second")
    assert examined.damaged == [7]


def test_to_examine_is_to_change_nothing(saved, tmp_path):
    def contents():
        return {p: p.read_bytes() for p in saved.iterdir()}

    before = contents()
    examine_saved(saved)
    assert contents() == before
    assert examine_saved(tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_a_second_process_keeps_its_changes_to_itself(saved, enrolled):
    first, second = TemplateGallery(saved), TemplateGallery(saved)
    assert numbers(second) == HELD
    second.patch(enrolled(COUNT + 1, 5), [1, 2], "its own")
    assert len(second) == len(HELD) + 3
    assert (numbers(first), first.revision) == (HELD, "second")
    first.patch((), [5], "third")
    assert len(second) == len(HELD) + 3
    second.clear()
    second.close()
    first.close()
    assert reopened(saved) == ([n for n in HELD if n != 5], "third")


def test_a_second_process_that_finds_nothing_works_in_memory(folder, enrolled):
    first, second = TemplateGallery(folder), TemplateGallery(folder)
    second.patch(enrolled(1, 3))
    assert (len(first), len(second)) == (0, 3)
    assert sorted(p.name for p in folder.iterdir()) == [
        *(f"{name}.1" for name in ("codes", "extents")),
        "lock",
        *(f"{name}.1" for name in ("packed", "rows")),
    ]
    first.close()
    second.close()


def files_hold(folder, data):
    return any(data in path.read_bytes() for path in data_files(folder))


def test_nothing_of_a_withdrawn_reference_is_left_in_the_files(folder, enrolled):
    gallery = TemplateGallery(folder)
    gallery.patch(enrolled(1, 10), revision="first")
    packed, codes = (part.tobytes() for part in minutiae_of(gallery._columns, 4))
    assert files_hold(folder, packed)
    assert files_hold(folder, codes)
    gallery.patch((), [5], "second")
    assert not files_hold(folder, packed)
    assert not files_hold(folder, codes)
    gallery.close()


def test_what_a_search_still_saw_is_taken_out_of_the_files_after_it(folder, enrolled):
    gallery = TemplateGallery(folder)
    gallery.patch(enrolled(1, 10), revision="first")
    packed = minutiae_of(gallery._columns, 4)[0].tobytes()
    running = gallery.snapshot()
    gallery.patch((), [5], "second")
    assert not gallery.tidy()
    assert files_hold(folder, packed)
    del running
    gc.collect()
    assert gallery.tidy()
    assert not files_hold(folder, packed)
    gallery.close()


def test_what_a_killed_process_left_of_the_dead_is_taken_out_by_the_next(
    folder, enrolled
):
    gallery = TemplateGallery(folder)
    gallery.patch(enrolled(1, 10), revision="first")
    packed = minutiae_of(gallery._columns, 4)[0].tobytes()
    running = gallery.snapshot()
    gallery.patch((), [5], "second")
    gallery.close()
    assert running.version
    assert files_hold(folder, packed)
    gallery = TemplateGallery(folder)
    assert gallery.tidy()
    assert not files_hold(folder, packed)
    gallery.close()


def test_what_cannot_be_saved_is_searched_and_saved_when_there_is_room(
    saved, enrolled, monkeypatch
):
    def full(_folder, _header):
        raise OSError(28, "No space left on device")

    gallery = TemplateGallery(saved)
    with monkeypatch.context() as patch:
        patch.setattr(gallery_files, "_replace", full)
        gallery.patch(enrolled(COUNT + 1, 1), [1], "third")
        assert numbers(gallery) == [*HELD[1:], COUNT + 1]
        with pytest.raises(StoreError, match="No space left"):
            gallery.tidy()
    assert gallery.tidy()
    gallery.close()
    assert reopened(saved) == ([*HELD[1:], COUNT + 1], "third")
