from __future__ import annotations

import numpy as np
import pytest

from indexer.offsets import _PRIOR_PASSAGES as PRIOR
from indexer.offsets import language_offsets, without_offsets


def test_an_offset_is_what_a_language_has_and_the_average_has_not() -> None:
    # As many passages of each language as the prior has: both are trusted by half. The means are (1, 0) and (0, 1),
    # the common point (.5, .5), so the offset of "id" is .5 * ((1, 0) - (.5, .5)) = (.25, -.25).
    vectors = np.array([[1, 0]] * PRIOR + [[0, 1]] * PRIOR, np.float32)

    offsets = language_offsets(vectors, ["id"] * PRIOR + ["en"] * PRIOR)

    np.testing.assert_allclose(offsets["id"], [0.25, -0.25])
    np.testing.assert_allclose(offsets["en"], [-0.25, 0.25])


def test_a_vector_without_its_offset_is_a_unit_again() -> None:
    offsets = {"id": np.array([0.25, -0.25], np.float32), "en": np.zeros(2, np.float32)}

    moved = without_offsets(np.array([[1, 0], [0, 1]], np.float32), ["id", "en"], offsets)

    # (1, 0) - (.25, -.25) = (.75, .25), of length sqrt(.625)
    np.testing.assert_allclose(moved, [[0.75 / 0.625**0.5, 0.25 / 0.625**0.5], [0, 1]], rtol=1e-6)
    assert moved.dtype == np.float32


def test_one_language_has_no_offset() -> None:
    vectors = np.array([[1, 0], [0, 1]], np.float32)

    np.testing.assert_array_equal(language_offsets(vectors, ["id", "id"])["id"], [0, 0])


def test_a_language_of_one_passage_moves_little_and_pulls_little() -> None:
    vectors = np.array([[1, 0]] * 400 + [[0, 1]], np.float32)

    offsets = language_offsets(vectors, ["id"] * 400 + ["en"])

    assert np.linalg.norm(offsets["en"]) == pytest.approx(np.sqrt(2) / (1 + PRIOR), rel=0.25)
    assert np.linalg.norm(offsets["id"]) < 0.1


def test_a_vector_equal_to_its_offset_becomes_zero_instead_of_nothing() -> None:
    moved = without_offsets(np.ones((1, 2), np.float32), ["id"], {"id": np.ones(2, np.float32)})

    np.testing.assert_array_equal(moved, [[0, 0]])
