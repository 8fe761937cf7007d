"""From the hub's store to the booth's: the images of the entry that a hit names."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from edge.records.hits import encode_hit
from edge.services.sync import ArrivingImages
from edge.simulate.hit_source import invented_hit
from edge.store import reference_images as booth_side
from edge.store.booth_hits import BoothHits
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.store.hub_images import LARGEST_SENT, StoredReferenceImages
from edge.store.reference_images import LARGEST_IMAGE, BoothReferenceImages
from edge.sync.messages import (
    MAX_IMAGE_BYTES,
    MAX_IMAGES,
    PART_BYTES,
    Command,
    ImagePart,
)
from edge.terms import (
    ChangeOperation,
    CheckRecord,
    DraftChange,
    FaceTemplate,
    FingerPosition,
    Modality,
    Outcome,
    Reference,
    WatchlistEntry,
)

FINGER = bytes(range(251)) * 200  # four parts
FACE = b"face" * 1000


@pytest.fixture
def images(wire):
    images = StoredReferenceImages(wire.database, actor="test")
    wire.stores = replace(wire.stores, images=images)
    wire.hub_link.kill()
    wire.start_hub()
    return images


def enrol(wire, images, entry_id, pictures):
    """Put an entry on the list whose references have these (modality, image)."""
    template = FaceTemplate("test", np.zeros(4, np.float32))
    references = tuple(
        Reference(f"{entry_id}-{n}", entry_id, modality, FingerPosition(0), template)
        for n, (modality, _) in enumerate(pictures)
    )
    entry = WatchlistEntry(
        *(entry_id, 1, "wanted", "test", "A", "none", "call"),
        wire.clock.now(),
        None,
    )
    draft = DraftChange(ChangeOperation.ADD, entry_id, entry, references)
    kept = {
        r.reference_id: data for r, (_, data) in zip(references, pictures, strict=True)
    }
    images.append([draft], kept, at=wire.clock.now())


@pytest.fixture
def booth_store(tmp_path):
    database = open_database(tmp_path / "booth.db", "booth")
    with closing(database.conn):
        yield database


@pytest.fixture
def sighted(booth, booth_store):
    """The booth, with a place for images."""
    booth.stores = BoothReferenceImages(booth_store)
    booth.images = ArrivingImages(booth.stores)
    booth.restart()
    return booth


def record(wire, booth, booth_store, entry_id):
    """Record a hit at the booth; its message goes by the booth's outbox in memory."""
    now = wire.clock.now()
    hit = replace(
        invented_hit(booth.booth_id, now, evidence_bytes=50), entry_id=entry_id
    )
    check = CheckRecord(hit.check_id, now, now, Outcome.REFER, 1, (), 1)
    CheckStore(booth_store).record(check, hit)
    booth.outbox.post("hit", encode_hit(hit), at=now, message_id=hit.hit_id)
    return hit.hit_id


def commands(wire):
    return [(c.kind, str(c.state), c.outcome) for c in wire.stores.commands.commands()]


def test_the_limits_on_both_sides_are_one():
    assert MAX_IMAGE_BYTES == LARGEST_SENT == LARGEST_IMAGE
    assert MAX_IMAGES == booth_side.MOST_IMAGES


def test_the_largest_part_is_a_command_that_older_booths_read():
    part = ImagePart(
        hit_id="h" * 100, reference_id="r" * 100, part=11, data=bytes(PART_BYTES)
    )
    limit = Command.model_json_schema()["properties"]["body"]["maxLength"]
    # A seal is a key of 32 bytes and a tag of 16.
    assert len(part.encode()) + 48 <= limit


def test_a_booth_gets_the_images_of_the_entry_that_its_hit_names(
    wire, images, sighted, booth_store
):
    pictures = [(Modality.FACE, FACE), (Modality.FINGERPRINT, FINGER)]
    enrol(wire, images, "e1", pictures)
    enrol(wire, images, "e2", [(Modality.FACE, b"another")])
    hit_id = record(wire, sighted, booth_store, "e1")
    wire.run(4)
    found = sighted.stores.images(hit_id)
    assert [i.modality for i in found] == [Modality.FINGERPRINT, Modality.FACE]
    assert sighted.stores.image(hit_id, 0) == FINGER
    assert sighted.stores.image(hit_id, 1) == FACE
    assert sighted.stores.image(hit_id, 2) is None
    assert {c[1:] for c in commands(wire)} == {("answered", "done")}
    # What was sent is not kept a second time.
    bodies = [c.body for c in wire.stores.commands.commands() if c.kind == "image-part"]
    assert len(bodies) == 5
    assert not any(bodies)
    assert BoothHits(booth_store).line(hit_id).delivered_at is None


def test_nothing_is_sent_for_an_entry_without_images(
    wire, images, sighted, booth_store
):
    enrol(wire, images, "e2", [(Modality.FACE, b"another")])
    record(wire, sighted, booth_store, "e1")
    wire.run(2)
    assert commands(wire) == []
    record(wire, sighted, booth_store, "e2")
    wire.run(2)
    assert len(commands(wire)) == 2


def test_a_booth_that_knows_no_images_says_so_and_goes_on(
    wire, images, booth, booth_store
):
    enrol(wire, images, "e1", [(Modality.FACE, FACE)])
    record(wire, booth, booth_store, "e1")
    wire.run(3)
    assert {c[1:] for c in commands(wire)} == {("answered", "unknown")}
    assert booth.refusals() == []
    record(wire, booth, booth_store, "e9")
    wire.run(1)
    assert len(wire.hit_ids()) == 2


def test_images_are_ordered_once_whenever_the_hub_is_killed(
    wire, images, sighted, booth_store
):
    enrol(wire, images, "e1", [(Modality.FACE, FACE)])
    record(wire, sighted, booth_store, "e1")
    for booth in wire.booths:
        booth.agent.step(0)
    wire.hub.step(0)
    for _ in range(2):
        wire.restart_hub()
        again = StoredReferenceImages(wire.database, actor="test")
        wire.stores = replace(wire.stores, images=again)
        wire.hub_link.kill()
        wire.start_hub()
        wire.run(1)
    assert len(commands(wire)) == 2


def test_an_image_too_large_to_be_sent_is_sent_smaller_or_not_at_all(
    wire, images, sighted, booth_store
):
    large = bytes(LARGEST_SENT + 1)
    enrol(wire, images, "e1", [(Modality.FACE, large)])
    hit_id = record(wire, sighted, booth_store, "e1")
    wire.run(2)
    assert commands(wire) == []
    smaller = StoredReferenceImages(
        wire.database, actor="test", shown=lambda png: png[:100]
    )
    enrol(wire, smaller, "e2", [(Modality.FACE, large)])
    assert smaller.image("e2-0") == large
    hit_id = record(wire, sighted, booth_store, "e2")
    wire.run(2)
    assert sighted.stores.image(hit_id, 0) == large[:100]


def test_of_many_images_those_that_were_compared_are_sent(
    wire, images, sighted, booth_store
):
    pictures = [(Modality.FACE, b"image %d" % n) for n in range(12)]
    enrol(wire, images, "e1", pictures)
    now = wire.clock.now()
    hit = invented_hit(sighted.booth_id, now, evidence_bytes=50)
    compared = replace(hit.candidates[0], reference_id="e1-9")
    hit = replace(hit, entry_id="e1", candidates=(compared,))
    check = CheckRecord(hit.check_id, now, now, Outcome.REFER, 1, (), 1)
    CheckStore(booth_store).record(check, hit)
    sighted.outbox.post("hit", encode_hit(hit), at=now, message_id=hit.hit_id)
    wire.run(3)
    found = [image.reference_id for image in sighted.stores.images(hit.hit_id)]
    assert (len(found), found[0]) == (MAX_IMAGES, "e1-9")
