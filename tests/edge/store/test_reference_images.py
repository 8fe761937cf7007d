import hashlib
from datetime import timedelta

import pytest

from edge.store.audit import lines_after, verify_audit
from edge.store.booth_hits import BoothHits
from edge.store.checks import CheckStore
from edge.store.outbox import StoredOutbox
from edge.store.reference_images import BoothReferenceImages, ExpectedImage
from edge.terms import (
    DecisionState,
    FingerPosition,
    HitDecision,
    Modality,
    OfficerVerdict,
    Verdict,
    VerdictReason,
)

DATA = bytes(range(256)) * 10
SIZE, DIGEST = len(DATA), hashlib.sha256(DATA).digest()
HALVES = (DATA[:1400], DATA[1400:])


@pytest.fixture
def hits(booth, things):
    CheckStore(booth).record(things.check(1), things.hit(1))
    return BoothHits(booth)


@pytest.fixture
def images(booth, hits):
    assert hits.line("hit-1")
    return BoothReferenceImages(booth)


@pytest.fixture
def outbox(booth):
    return StoredOutbox(booth)


def announced(size=SIZE, digest=DIGEST):
    position = FingerPosition.RIGHT_INDEX
    return [ExpectedImage("r1", Modality.FINGERPRINT, position, size, digest)]


def send(images, things, *, parts=((0, HALVES[0]), (1, HALVES[1]))):
    for part, data in parts:
        images.add_part("hit-1", "r1", part, data, at=things.start)


def decide(hits, things, *, state=DecisionState.CONFIRMED):
    said = OfficerVerdict(
        "officer-1", Verdict.CONFIRM, VerdictReason.FACES_AGREE, "", things.start
    )
    hits.decide(HitDecision("hit-1", "booth-1", 1, False, state, said))


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_image_is_put_together_in_whatever_order_it_comes(
    images, things, is_first, order
):
    if is_first:
        assert images.expect("hit-1", announced(), at=things.start)
        [image] = images.images("hit-1")
        assert (image.position, image.has_arrived) == (FingerPosition(2), False)
        assert images.image("hit-1", 0) is None
    send(images, things, parts=[(n, HALVES[n]) for n in order])
    if not is_first:
        assert images.images("hit-1") == []
        images.expect("hit-1", announced(), at=things.start)
    assert images.image("hit-1", 0) == DATA
    assert images.image("hit-1", 1) is None
    assert images.images("hit-1")[0].has_arrived


def test_the_same_piece_twice_does_no_harm(images, things):
    images.expect("hit-1", announced(), at=things.start)
    send(images, things, parts=[(0, HALVES[0])] * 3 + [(1, HALVES[1])] * 2)
    assert images.image("hit-1", 0) == DATA


@pytest.mark.parametrize(
    "wrong",
    [
        announced(digest=bytes(32)),
        announced(size=len(DATA) - 1),
        announced(size=160 * 1024 + 1),
    ],
)
def test_what_is_not_as_announced_is_not_shown(images, things, wrong):
    images.expect("hit-1", wrong, at=things.start)
    send(images, things)
    assert images.image("hit-1", 0) is None


def test_nothing_is_kept_of_a_hit_that_is_not_here(images, booth, things):
    assert not images.expect("hit-9", announced(), at=things.start)
    assert not images.add_part("hit-9", "r1", 0, DATA, at=things.start)
    assert booth["reference_image_parts"].count == 0


def test_pieces_without_end_do_not_fill_the_disk(images, booth, things):
    taken = [
        images.add_part("hit-1", f"r{n}", 0, b"x", at=things.start) for n in range(150)
    ]
    assert sum(taken) == booth["reference_image_parts"].count == 100


def test_images_go_when_the_hit_is_decided_and_all_of_it_delivered(
    images, hits, outbox, booth, things
):
    images.expect("hit-1", announced(), at=things.start)
    send(images, things)
    outbox.clear_many(["hit-1"], at=things.start)
    assert images.image("hit-1", 0) == DATA  # delivered, not decided
    decide(hits, things)
    assert images.image("hit-1", 0) == DATA  # decided, the verdict not delivered
    outbox.clear_many(["decision-hit-1-1"], at=things.start)
    assert images.images("hit-1") == []
    last = lines_after(booth, verify_audit(booth) - 1, limit=1)[0]
    assert (last.action, last.subject) == ("deleted reference images", "hit-1")
    assert not images.add_part("hit-1", "r1", 0, DATA, at=things.start)
    assert not images.expect("hit-1", announced(), at=things.start)


def test_images_stay_while_a_second_officer_is_awaited_or_the_hit_waits(
    images, hits, outbox, things
):
    images.expect("hit-1", announced(), at=things.start)
    send(images, things)
    decide(hits, things, state=DecisionState.AWAITING_SECOND)
    outbox.clear_many(["hit-1", "decision-hit-1-1"], at=things.start)
    assert images.image("hit-1", 0) == DATA


def test_pieces_of_an_image_that_never_came_whole_go_too(
    images, hits, outbox, booth, things
):
    images.expect("hit-1", announced(), at=things.start)
    send(images, things, parts=[(0, HALVES[0])])
    decide(hits, things)
    outbox.clear_many(["decision-hit-1-1", "hit-1"], at=things.start)
    assert booth["reference_image_parts"].count == 0
    assert booth["reference_images"].count == 0


def test_who_watches_is_told_of_each_hit_with_new_images_once(images, things):
    mark, found = images.arrived_after("")
    assert found == []
    images.expect("hit-1", announced(), at=things.start)
    assert images.arrived_after(mark) == (mark, [])
    send(images, things)
    mark, found = images.arrived_after(mark)
    assert found == ["hit-1"]
    assert images.arrived_after(mark)[1] == []
    assert mark < (things.start + timedelta(seconds=1)).isoformat()
