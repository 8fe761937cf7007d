import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.recognition.evidence_fusion import EvidenceFusion
from edge.recognition.face.face_sets import face_set
from edge.recognition.likelihood_tables import FINGERPRINT, table_of

FACE = face_set("better").template_id
FUSION = EvidenceFusion({kind: table_of(kind) for kind in (FINGERPRINT, FACE)})
KINDS = st.lists(st.sampled_from([FINGERPRINT, FACE]), min_size=1, max_size=3)
RATES = st.floats(1e-12, 1)


def fused(samples):
    total = math.fsum(FUSION.log_ratio(kind, rate) for kind, rate in samples)
    return FUSION.false_match_rate([kind for kind, _ in samples], total)


def test_without_evidence_anybody_is_as_good():
    assert FUSION.false_match_rate([], 0.0) == 1.0


@pytest.mark.parametrize("kind", [FINGERPRINT, FACE])
@given(rate=st.floats(1e-8, 1))
def test_one_sample_alone_has_its_own_rate(kind, rate):
    assert fused([(kind, rate)]) == pytest.approx(rate, rel=1e-6)


@settings(deadline=None)
@given(kinds=KINDS, rates=st.lists(RATES, min_size=3, max_size=3), seed=st.randoms())
def test_the_order_of_the_samples_does_not_matter(kinds, rates, seed):
    samples = list(zip(kinds, rates, strict=False))
    shuffled = seed.sample(samples, len(samples))
    assert fused(shuffled) == pytest.approx(fused(samples), rel=1e-6)


@settings(deadline=None)
@given(kinds=KINDS, rates=st.lists(RATES, min_size=3, max_size=3), better=RATES)
def test_a_rarer_sample_never_makes_the_whole_less_rare(kinds, rates, better):
    samples = list(zip(kinds, rates, strict=False))
    kind, rate = samples[0]
    improved = [(kind, min(rate, better)), *samples[1:]]
    assert fused(improved) <= fused(samples)


def test_a_face_that_speaks_against_weakens_a_finger():
    finger = (FINGERPRINT, 1e-6)
    assert fused([finger, (FACE, 0.9)]) > 10 * fused([finger])
    assert fused([finger, (FACE, 1e-4)]) < fused([finger]) / 10


@pytest.mark.parametrize("kinds", [(FINGERPRINT, FACE), (FINGERPRINT,) * 2])
def test_the_stated_rate_is_that_of_strangers_and_never_too_low(kinds):
    rng = np.random.default_rng(5)
    count = 400_000
    sums = np.zeros(count)
    for kind in kinds:
        table = table_of(kind)
        rarities = rng.exponential(1 / math.log(10), count)
        sums += np.interp(rarities, table.rarities, table.log_ratios)
    for rate in (1e-1, 1e-2, 1e-3):
        at = float(np.quantile(sums, 1 - rate))
        observed = float((sums >= at).mean())
        stated = FUSION.false_match_rate(kinds, at)
        spread = 4 * math.sqrt(rate / count)
        assert observed - spread <= stated <= 1.25 * observed + spread


@settings(deadline=None, max_examples=40)
@given(
    kinds=KINDS,
    decades=st.floats(1, 9),
    below=st.lists(st.floats(0, 1, exclude_max=True), min_size=3, max_size=3),
)
def test_who_has_no_sample_rare_enough_cannot_reach_the_rate(kinds, decades, below):
    limit = 10.0**-decades
    least = min(FUSION.least_rarity(kinds, limit), 12.0)
    samples = [
        (kind, 10.0 ** -(least * share * 0.999))
        for kind, share in zip(kinds, below, strict=False)
    ]
    assert fused(samples) > limit * 0.98


def test_what_no_evidence_can_reach_needs_infinite_rarity():
    assert FUSION.least_rarity([FACE], 1e-15) == math.inf
