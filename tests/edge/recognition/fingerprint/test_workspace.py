"""A score depends on two prints, not on where a thread's workspace lies."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pytest

from edge.recognition.fingerprint.comparison import Work, compare_many, new_work
from edge.recognition.fingerprint.packed import pack
from edge.recognition.fingerprint.shortlist import codes_of, new_vote, vote_many
from edge.recognition.fingerprint.workspace import DISTANCE_BYTES, apart

WORKSPACES = 20


class Inner(NamedTuple):
    a: np.ndarray
    b: np.ndarray


class Outer(NamedTuple):
    inner: Inner
    c: np.ndarray


def arrays_of(workspace):
    for item in workspace:
        yield from arrays_of(item) if isinstance(item, tuple) else [item]


def packed_together(workspace):
    """Return the workspace with its arrays directly after each other."""
    room = np.zeros(sum(a.nbytes + 8 for a in arrays_of(workspace)), np.uint8)
    at = 0

    def copied(item):
        nonlocal at
        if isinstance(item, tuple):
            return type(item)(*map(copied, item))
        at += -at % 8
        copy = room[at : at + item.nbytes].view(item.dtype).reshape(item.shape)
        copy[...] = item
        at += item.nbytes
        return copy

    return copied(workspace)


def test_a_copy_holds_the_same_at_a_distance():
    outer = Outer(
        Inner(np.arange(6.0).reshape(2, 3), np.arange(3, dtype=np.uint8)), np.zeros(1)
    )
    copy = apart(packed_together(outer))
    assert type(copy) is Outer
    assert type(copy.inner) is Inner
    for one, other in zip(arrays_of(outer), arrays_of(copy), strict=True):
        assert np.array_equal(one, other)
        assert one.dtype == other.dtype
        assert other.ctypes.data % DISTANCE_BYTES == 0
    places = sorted((a.ctypes.data, a.nbytes) for a in arrays_of(copy))
    for (start, size), (following, _) in itertools.pairwise(places):
        assert following - (start + size) >= DISTANCE_BYTES


@pytest.fixture(scope="module")
def references(gallery):
    parts = [pack(template) for template in gallery]
    counts = np.array([len(part) for part in parts])
    extents = np.stack([np.cumsum(counts) - counts, counts], axis=1).astype(np.uint32)
    return np.concatenate(parts), extents


@pytest.fixture(scope="module")
def probes(gallery, again):
    return [pack(again(template, 7)) for template in gallery[:12]]


def scores(references, probe, work: Work):
    packed, extents = references
    found = np.zeros(len(extents), np.float32)
    compare_many(probe, packed, extents, np.arange(len(extents)), found, work)
    return found


def test_scores_are_the_same_in_every_workspace(references, probes):
    works = [new_work() for _ in range(WORKSPACES)]
    for probe in probes:
        first = scores(references, probe, works[0])
        for work in works[1:]:
            assert np.array_equal(scores(references, probe, work), first)


def test_votes_are_the_same_in_every_workspace(references, probes):
    packed, extents = references
    works = [new_vote() for _ in range(WORKSPACES)]
    codes = codes_of(packed[:100], works[0])
    assert all(np.array_equal(codes_of(packed[:100], w), codes) for w in works)
    codes = np.concatenate(
        [codes_of(packed[a : a + n], works[0]) for a, n in extents.astype(int).tolist()]
    )
    for probe in probes:
        votes = np.zeros((len(works), len(extents)), np.float32)
        for i, work in enumerate(works):
            chosen = np.arange(len(extents))
            vote_many(probe, packed, codes, extents, chosen, votes[i], work)
        assert (votes == votes[0]).all()
