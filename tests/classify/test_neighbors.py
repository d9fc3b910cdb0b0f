"""Neighbors and retrieval scores against brute force and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from sklearn.neighbors import NearestNeighbors

from atelier.classify import neighbors
from atelier.classify.neighbors import (
    build_approximate,
    nearest,
    nearest_approximate,
    neighbor_recall,
    normalized,
    retrieval_scores,
)
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


def unit_vectors(n=500, d=16, seed=0):
    return normalized(np.random.default_rng(seed).normal(size=(n, d)))


def clustered(n=4000, d=32, clusters=40, seed=0):
    """Vectors around centers, as a classifier's embeddings are."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(clusters, d))
    return normalized(centers[np.arange(n) % clusters] + 0.5 * rng.normal(size=(n, d)))


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(neighbors, "ROWS", 64)
    monkeypatch.setattr(neighbors, "QUERIES", 7)


@pytest.mark.usefixtures("small_blocks")
def test_blocks_find_what_scikit_learn_finds():
    vectors, queries = unit_vectors(), unit_vectors(20, seed=1)
    rows, alike = nearest(vectors, queries, 9)
    reference = NearestNeighbors(n_neighbors=9, metric="cosine", algorithm="brute").fit(vectors)
    distances, expected = reference.kneighbors(queries)
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_allclose(alike, 1 - distances, atol=1e-6)


@pytest.mark.usefixtures("small_blocks")
def test_excluded_groups_are_never_found_and_nothing_else_is_missed():
    vectors, groups = unit_vectors(), np.arange(500) // 3
    asked = np.array([0, 200, 499])
    excluded = [[groups[0]], [groups[200], groups[7]], []]
    rows, _ = nearest(vectors, vectors[asked], 5, groups=groups, exclude_groups=excluded)
    for row, found, left_out in zip(asked, rows, excluded, strict=True):
        alike = vectors @ vectors[row]
        alike[np.isin(groups, left_out)] = -np.inf
        np.testing.assert_array_equal(found, np.argsort(-alike, kind="stable")[:5])
    assert rows[2, 0] == 499


def test_equal_vectors_come_in_the_order_of_their_rows():
    rows, _ = nearest(np.ones((6, 1), "float32"), [[1.0]], 6)
    assert rows.tolist() == [[0, 1, 2, 3, 4, 5]]


def test_where_too_few_remain_the_rest_is_said_to_be_missing():
    vectors = unit_vectors(3)
    groups = np.array([0, 0, 1])
    rows, alike = nearest(vectors, vectors[:1], 4, groups=groups, exclude_groups=[[0]])
    assert rows.tolist() == [[2, -1, -1, -1]]
    assert np.isneginf(alike[0, 1:]).all()


def test_half_precision_vectors_change_cosines_by_less_than_a_thousandth():
    vectors = unit_vectors(100, 64)
    _, alike = nearest(vectors.astype("float16"), vectors[:5], 3)
    np.testing.assert_allclose(alike, nearest(vectors, vectors[:5], 3)[1], atol=1e-3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"queries": np.ones((2, 3))}, "(q, 16)"),
        ({"queries": np.ones(16)}, "(q, 16)"),
        ({"k": 0}, "k of 1"),
        ({"exclude_groups": [[1], [2]]}, "500 leak groups. Found none"),
        ({"groups": np.zeros(500), "exclude_groups": [[1]]}, "each of 2 queries"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, says):
    vectors = unit_vectors()
    asked = {"queries": vectors[:2], "k": 3} | change
    with pytest.raises(AtelierError) as error:
        nearest(vectors, **asked)
    assert says in str(error.value)


def test_vectors_get_length_one_and_zero_stays():
    lengths = np.linalg.norm(normalized([[3.0, 4.0], [0.0, 0.0]]), axis=1)
    np.testing.assert_allclose(lengths, [1, 0], atol=1e-6)


@pytest.mark.parametrize("vectors", [np.full((2, 3), np.nan), np.zeros(3)])
def test_what_is_no_table_of_numbers_is_refused(vectors):
    with pytest.raises(AtelierError):
        normalized(vectors)


def test_the_approximate_index_finds_most_of_the_exact_neighbors():
    pytest.importorskip("faiss")
    vectors = clustered()
    queries = vectors[::40]
    index = build_approximate(vectors)
    rows, alike = nearest_approximate(index, queries, 10)
    exact, cosines = nearest(vectors, queries, 10)
    assert neighbor_recall(rows, exact) > 0.9
    np.testing.assert_allclose(alike[:, 0], cosines[:, 0], atol=1e-3)
    again, _ = nearest_approximate(build_approximate(vectors), queries, 10)
    np.testing.assert_array_equal(rows, again)


def test_the_approximate_index_leaves_groups_out_and_still_finds_k():
    pytest.importorskip("faiss")
    vectors, groups = clustered(), np.arange(4000) // 80
    index = build_approximate(vectors)
    excluded = [[0], [1, 2]]
    found = nearest_approximate(index, vectors[:2], 10, groups=groups, exclude_groups=excluded)
    exact = nearest(vectors, vectors[:2], 10, groups=groups, exclude_groups=excluded)
    assert (found[0] >= 0).all()
    assert not np.isin(groups[found[0][1]], [1, 2]).any()
    assert neighbor_recall(found[0], exact[0]) > 0.8


def test_without_faiss_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(AtelierError, match="pip install faiss-cpu"):
        build_approximate(unit_vectors())


def test_neighbor_recall_counts_what_was_found():
    assert neighbor_recall([[1, 2], [3, 9]], np.array([[2, 1], [3, 4]])) == 0.75


def labeled(n=120, classes=4, seed=0):
    """Embeddings that know something of their labels, in leak groups of one to three."""
    rng = np.random.default_rng(seed)
    labels = np.array(["Degas", "Goya", "Sisley", "Titian"])[rng.integers(classes, size=n)]
    places = np.unique(labels, return_inverse=True)[1]
    embeddings = normalized(np.eye(8)[places] + 0.8 * rng.normal(size=(n, 8)))
    return embeddings, labels, np.sort(rng.integers(n // 2, size=n))


def brute_force(embeddings, labels, groups, ks, queries):
    """One query at a time, precision by scikit-learn."""
    precisions, recalls = [], []
    for row in queries:
        others = groups != groups[row]
        alike, right = (embeddings @ embeddings[row])[others], (labels == labels[row])[others]
        if right.any():
            precisions.append(average_precision_score(right, alike))
            order = np.argsort(-alike)
            recalls.append([right[order[:k]].any() for k in ks])
    return np.mean(precisions), np.mean(recalls, axis=0), len(precisions)


@pytest.mark.parametrize("queries", [None, np.arange(5, 60, 3)])
def test_retrieval_scores_equal_brute_force(queries, monkeypatch):
    monkeypatch.setattr(neighbors, "RANKED", 17)
    embeddings, labels, groups = labeled()
    scores = retrieval_scores(embeddings, labels, groups, ks=(1, 3, 10), queries=queries)
    asking = range(120) if queries is None else queries
    precision, recalls, count = brute_force(embeddings, labels, groups, (1, 3, 10), asking)
    assert scores["queries"] == count
    assert scores["map"] == pytest.approx(precision, abs=1e-6)
    found = [scores["recall@1"], scores["recall@3"], scores["recall@10"]]
    assert found == pytest.approx(recalls.tolist())


def test_average_precision_is_that_of_a_case_done_by_hand():
    # From the first picture: right, wrong, right; so (1/1 + 2/3) / 2.
    angles = np.array([0.0, 0.1, 0.2, 0.3])
    embeddings = np.column_stack([np.cos(angles), np.sin(angles)])
    scores = retrieval_scores(embeddings, ["a", "a", "b", "a"], range(4), ks=(1,), queries=[0])
    assert scores == {
        "queries": 1,
        "left_out": 0,
        "map": pytest.approx(5 / 6),
        "recall@1": 1.0,
    }


def test_a_reproduction_of_the_same_painting_is_no_answer():
    embeddings = np.array([[1, 0], [1, 0], [0.9, 0.1], [0, 1], [0.5, 0.5]])
    labels = ["a", "a", "b", "b", "a"]
    with_copies = retrieval_scores(embeddings, labels, [0, 1, 2, 3, 4], ks=(1,), queries=[0])
    without = retrieval_scores(embeddings, labels, [0, 0, 2, 3, 4], ks=(1,), queries=[0])
    assert with_copies["recall@1"] == 1
    assert without["recall@1"] == 0
    assert without["map"] == pytest.approx(1 / 2)


def test_pictures_without_a_label_or_a_fellow_ask_nothing():
    scores = retrieval_scores(np.eye(5), ["a", "a", None, None, "b"], range(5), ks=(1,))
    assert scores["queries"] == 2
    assert scores["left_out"] == 3


def test_nothing_to_retrieve_is_refused():
    with pytest.raises(AtelierError, match="two paintings of one label"):
        retrieval_scores(np.eye(3), ["a", "a", "b"], [0, 0, 1])


def test_as_many_labels_as_embeddings_are_wanted():
    with pytest.raises(AtelierError, match="3, 2 and 3"):
        retrieval_scores(np.eye(3), ["a", "b"], [0, 1, 2])
