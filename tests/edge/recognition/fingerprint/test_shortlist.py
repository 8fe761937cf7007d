"""The first stage of a search: votes by codes."""

from __future__ import annotations

import numpy as np
import pytest

from edge.recognition.fingerprint.packed import pack
from edge.recognition.fingerprint.shortlist import codes_of, new_vote, vote_many
from edge.simulate.template_gallery import generate

MATES, OTHERS = 30, 500


@pytest.fixture(scope="module")
def voted():
    """Return the votes of a probe for references."""

    def vote(probe, references, chosen=None):
        work = new_vote()
        parts = [pack(reference) for reference in references]
        ends = np.cumsum([0, *map(len, parts)])
        extents = np.stack([ends[:-1], np.diff(ends)], axis=1).astype(np.uint32)
        packed = np.concatenate(parts)
        codes = np.concatenate([codes_of(part, work) for part in parts])
        which = np.array(range(len(parts)) if chosen is None else chosen, np.int64)
        votes = np.full(len(which), -1, np.float32)
        vote_many(pack(probe), packed, codes, extents, which, votes, work)
        return votes

    return vote


@pytest.fixture(scope="module")
def strangers():
    columns = generate(31, OTHERS)
    return [columns.template(i) for i in range(OTHERS)]


def test_the_mate_is_among_the_first_of_many(gallery, again, strangers, voted):
    ranks = []
    for seed, template in enumerate(gallery[:MATES]):
        votes = voted(again(template, seed), [template, *strangers])
        ranks.append(int((votes[1:] >= votes[0]).sum()))
    assert np.median(ranks) == 0
    assert np.mean(np.array(ranks) < 10) >= 0.9


@pytest.mark.parametrize("turn", [1.0, np.pi, 4.5])
def test_the_mate_is_first_however_it_is_turned(
    gallery, turned, strangers, voted, turn
):
    for template in gallery[:5]:
        votes = voted(turned(template, turn), [*strangers[:100], template])
        assert votes.argmax() == 100


def test_a_reference_without_minutiae_gets_no_votes(gallery, template_of, voted):
    empty = template_of([], [], [])
    votes = voted(gallery[0], [empty, gallery[0], empty])
    assert votes[0] == votes[2] == 0 < votes[1]


def test_a_probe_without_minutiae_votes_for_nothing(gallery, template_of, voted):
    assert (voted(template_of([], [], []), gallery[:3]) == 0).all()


def test_only_the_chosen_ones_are_asked_in_the_order_chosen(gallery, voted):
    everything = voted(gallery[0], gallery[:6])
    assert (voted(gallery[0], gallery[:6], [4, 0]) == everything[[4, 0]]).all()
    assert voted(gallery[0], gallery[:6], []).shape == (0,)


def test_votes_are_finite_for_minutiae_at_one_place(template_of, voted):
    heap = template_of([9] * 128, [9] * 128, [1.0] * 128)
    corners = template_of([0, 16383] * 64, [16383, 0] * 64, [1.0] * 128)
    votes = voted(heap, [heap, corners])
    assert np.isfinite(votes).all()
    assert (votes >= 0).all()
