"""Exact search among coded vectors."""

from __future__ import annotations

import threading

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from edge.errors import ModelError
from edge.recognition.face import inner_products
from edge.recognition.face.coded_vectors import coded_probe, new_coded
from edge.recognition.face.inner_products import (
    NETWORK,
    FloatProducts,
    IntegerProducts,
    chosen_engine,
    product_engine,
)
from edge.recognition.face.vector_search import (
    Extremes,
    SearchedVectors,
    distances,
    nearest,
    within,
)


class Multiplied:
    """Multiplies as an exact processor does."""

    def run(self, inputs):
        probe, gallery = (inputs[n].astype(np.int32) for n in ("probe", "gallery"))
        return [probe @ gallery]


class Saturated:
    """Adds two products at a time in 16 bits, as processors without VNNI do."""

    def run(self, inputs):
        probe = inputs["probe"].astype(np.int32)
        gallery = inputs["gallery"].astype(np.int32)
        products = probe[0][:, None] * gallery
        products = np.pad(products, ((0, len(products) % 2), (0, 0)))
        pairs = np.clip(products[0::2] + products[1::2], -32768, 32767)
        return [pairs.sum(axis=0)[None].astype(np.int32)]


class Wrong:
    def run(self, inputs):
        return [Multiplied().run(inputs)[0] + 1]


class Broken:
    def run(self, inputs):
        del inputs
        raise ModelError("no such operator")


ENGINES = [
    product_engine(),
    product_engine(4),
    IntegerProducts(Multiplied(), "7 bits", 63),
    FloatProducts(),
]
numbers = st.floats(-1e9, 1e9, width=32) | st.floats(-1, 1, width=32)
alike = st.sampled_from([0.0, 1.0, -1.0, 0.25, 1e-30, 3e-39])


@st.composite
def galleries(draw):
    """Draw a gallery with dead rows and a probe."""
    rows, length = draw(st.integers(0, 40)), draw(st.integers(1, 9))
    elements = draw(st.sampled_from([numbers, alike]))
    arrays = st_numpy.arrays(np.float32, (rows + 1, length), elements=elements)
    vectors = draw(arrays)
    living = draw(st_numpy.arrays(np.bool_, rows))
    return searched(vectors[:rows], living), vectors[rows]


def searched(vectors, living=None):
    count, length = vectors.shape
    coded = new_coded(length, count)
    coded.put(0, vectors)
    living = np.ones(count, np.bool_) if living is None else living
    extremes = Extremes().with_rows(coded, slice(count))
    return SearchedVectors(vectors, coded, extremes, living)


def unit_vectors(seed, count, length):
    vectors = np.random.default_rng(seed).normal(size=(count, length))
    return (vectors / np.linalg.norm(vectors, axis=1)[:, None]).astype(np.float32)


def all_distances(gallery, vector):
    return distances(gallery.matrix, np.arange(len(gallery.matrix)), vector)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
@given(drawn=galleries(), place=st.integers(0, 39), nudge=st.sampled_from([-1, 0, 1]))
def test_all_within_a_distance_are_found_whatever_the_vectors(
    engine, drawn, place, nudge
):
    gallery, probe = drawn
    exact = all_distances(gallery, probe)
    # The hardest limits are the distances themselves, and those right beside them.
    limit = float(exact[place]) if place < len(exact) else 1.0
    limit = float(np.nextafter(limit, limit + nudge)) if nudge else limit
    expected = np.flatnonzero(gallery.living & (exact <= limit))
    assert within(gallery, probe, limit, engine).tolist() == expected.tolist()


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
@given(drawn=galleries(), count=st.integers(0, 12))
def test_the_nearest_are_found_whatever_the_vectors(engine, drawn, count):
    gallery, probe = drawn
    exact = all_distances(gallery, probe)
    living = np.flatnonzero(gallery.living)
    expected = living[np.lexsort((living, exact[living]))][:count]
    rows, found = nearest(gallery, probe, count, engine)
    assert rows.tolist() == expected.tolist()
    assert found.tolist() == exact[expected].tolist()


@pytest.mark.parametrize("length", [128, 256])
def test_every_engine_and_number_of_threads_finds_the_same(length):
    gallery = searched(unit_vectors(1, 20_000, length))
    for probe in unit_vectors(2, 3, length):
        exact = all_distances(gallery, probe)
        order = np.argsort(exact, kind="stable")[:10]
        for engine in ENGINES[:2] + ENGINES[3:]:
            rows, _ = nearest(gallery, probe, 10, engine)
            assert rows.tolist() == order.tolist()
            limit = exact[order[7]]
            expected = sorted(order[:8].tolist())
            assert within(gallery, probe, limit, engine).tolist() == expected


@given(seed=st.integers(0, 10**6), dead=st.floats(0, 1), count=st.integers(1, 40))
def test_the_dead_are_not_among_the_nearest_of_many(seed, dead, count):
    rng = np.random.default_rng(seed)
    vectors = unit_vectors(seed, 3000, 16)
    # Some are much longer than the others, as no network makes them.
    vectors[rng.integers(0, 3000, 5)] *= 1e4
    probe = unit_vectors(seed + 1, 1, 16)[0]
    order = np.argsort(distances(vectors, np.arange(3000), probe), kind="stable")
    living = np.ones(3000, np.bool_)
    living[order[: int(dead * 2990)]] = False
    rows, _ = nearest(searched(vectors, living), probe, count, product_engine())
    assert rows.tolist() == order[living[order]][:count].tolist()


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
@given(drawn=galleries())
def test_a_product_is_never_further_off_than_it_says(engine, drawn):
    gallery, probe = drawn
    coded, count = gallery.coded, len(gallery.matrix)
    if not count:
        return
    products = engine.products(probe, coded, gallery.matrix)
    exact = gallery.matrix.astype(np.float64) @ probe.astype(np.float64)
    off = products.per_length * coded.lengths[:count]
    off += products.per_error * coded.errors[:count] + 1e-30
    rounding = 1e-12 * coded.lengths[:count] * np.linalg.norm(probe.astype(np.float64))
    wrong = np.abs(products.unit * products.values.astype(np.float64) - exact)
    assert (wrong <= off + rounding).all()


def test_few_of_many_have_to_be_looked_at_again():
    gallery = searched(unit_vectors(3, 20_000, 256))
    probe = unit_vectors(4, 1, 256)[0]
    products = product_engine().products(probe, gallery.coded, gallery.matrix)
    off = products.per_length + products.per_error * gallery.extremes.error
    assert off < 0.03


def test_codes_of_8_bits_are_used_where_they_are_exact():
    engine = chosen_engine(Multiplied)
    assert (engine.name, engine._zero) == ("int8", 127)


def test_codes_of_7_bits_are_used_where_sums_saturate():
    engine = chosen_engine(Saturated)
    assert (engine.name, engine._zero) == ("int8, probes of 7 bits", 63)
    gallery = searched(unit_vectors(5, 500, 32))
    rows, _ = nearest(gallery, gallery.matrix[7], 3, engine)
    assert rows[0] == 7


@pytest.mark.parametrize("session", [Wrong, Broken])
def test_float32_is_used_where_integers_are_wrong(session):
    assert chosen_engine(session).name == "float32"


def test_float32_is_used_where_the_network_does_not_load(monkeypatch):
    monkeypatch.setattr(inner_products, "NETWORK", b"damaged")
    product_engine.cache_clear()
    assert product_engine().name == "float32"
    product_engine.cache_clear()


def test_vectors_are_copied_and_forgotten_with_all_that_belongs_to_them():
    gallery = searched(unit_vectors(7, 20, 8))
    rows = np.array([3, 7, 19])
    other = new_coded(8, 100)
    other.copy(50, gallery.coded, rows)
    fresh = new_coded(8, 100)
    fresh.put(50, gallery.matrix[rows])
    for name in ("codes", "sums", "scales", "lengths", "errors", "squares"):
        assert np.array_equal(getattr(other, name), getattr(fresh, name))
        other.forget(np.array([50, 51, 52]))
        assert not getattr(other, name).any()
        other.copy(50, gallery.coded, rows)


def test_the_network_is_one_product_of_integers():
    model = onnx.load_from_string(NETWORK)
    onnx.checker.check_model(model)
    (node,) = model.graph.node
    assert node.op_type == "MatMulInteger"
    assert (list(node.input), list(node.output)) == (["probe", "gallery"], ["products"])


@given(st_numpy.arrays(np.float32, 7, elements=numbers))
def test_a_coded_probe_is_as_near_as_it_says(vector):
    for zero in (127, 63):
        probe = coded_probe(vector, zero)
        assert probe.codes.max() <= 2 * zero
        shown = probe.step * (probe.codes[0].astype(np.float64) - zero)
        rest = np.linalg.norm(vector - shown)
        assert rest <= probe.rest * (1 + 1e-9)
        assert np.linalg.norm(vector.astype(np.float64)) <= probe.length


def test_rows_are_added_while_others_are_searched():
    vectors = unit_vectors(6, 6000, 64)
    coded = new_coded(64, 6000)
    coded.put(0, vectors[:1000])
    seen = SearchedVectors(
        vectors[:1000],
        coded,
        Extremes().with_rows(coded, slice(1000)),
        np.ones(1000, np.bool_),
    )
    expected = nearest(seen, vectors[5999], 10, product_engine())[0].tolist()
    found = []

    def search():
        found.extend(
            nearest(seen, vectors[5999], 10, product_engine())[0].tolist()
            for _ in range(30)
        )

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for first in range(1000, 6000, 100):
        coded.put(first, vectors[first : first + 100])
    for thread in threads:
        thread.join()
    assert len(found) == 60
    assert all(rows == expected for rows in found)
