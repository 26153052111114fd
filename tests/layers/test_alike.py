import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.layers import alike
from zoo.layers.alike import Alike, number_columns, number_rows, number_surroundings
from zoo.layers.row_sums import RowSums

SMALL = st.integers(0, 3)


def partition(numbers):
    """Which rows are together, whatever the numbers are."""
    return [list(numbers).index(number) for number in numbers]


def sums_of(neighbors):
    """The sums whose terms are given for each row."""
    counts = np.array([len(terms) for terms in neighbors])
    terms = [term for terms in neighbors for term in terms]
    return RowSums(torch.tensor(terms, dtype=torch.int64), torch.from_numpy(counts.cumsum() - counts))


def draw_graph(data):
    """Kinds of some rows, and the neighbours of each."""
    size = data.draw(st.integers(1, 8))
    kinds = data.draw(st.lists(SMALL, min_size=size, max_size=size))
    neighbors = data.draw(st.lists(st.lists(st.integers(0, size - 1), max_size=4), min_size=size, max_size=size))
    return np.array(kinds), neighbors


@settings(deadline=None)
@given(st.lists(st.tuples(SMALL, SMALL, SMALL), min_size=1, max_size=30), st.sampled_from([4, 2**62]))
def test_rows_have_one_number_where_all_columns_agree(rows, largest):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(alike, "LARGEST", largest)
        numbers = number_columns([np.array(column) for column in zip(*rows, strict=True)])
    assert partition(numbers) == partition(rows)
    assert set(numbers) == set(range(len(set(rows))))


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, 0.5, -1.0]), min_size=3, max_size=3), min_size=1, max_size=30))
def test_features_have_one_number_where_they_are_equal(rows):
    assert partition(number_rows(torch.tensor(rows))) == partition([tuple(row) for row in rows])


def test_features_that_fall_together_all_the_same_are_told_apart(monkeypatch):
    monkeypatch.setattr(alike, "projection", lambda size: torch.zeros(size, dtype=torch.float64))
    assert number_rows(torch.eye(3)).tolist() == [0, 1, 2]


def test_features_that_are_no_numbers_are_like_nothing():
    assert len(set(number_rows(torch.tensor([[torch.nan], [torch.nan], [1.0]])))) == 3


@settings(deadline=None)
@given(st.data())
def test_surroundings_are_a_kind_and_the_multiset_of_kinds_around_it(data):
    kinds, neighbors = draw_graph(data)
    found, around = number_surroundings(kinds, kinds, sums_of(neighbors))
    expected = [(kinds[row], tuple(sorted(kinds[term] for term in terms))) for row, terms in enumerate(neighbors)]
    assert partition(found) == partition(expected)
    assert [tuple(row[row > 0] - 1) for row in around] == [terms for _, terms in expected]


@settings(deadline=None)
@given(st.data())
def test_two_rows_stand_in_the_same_order_whatever_stands_beside_them(data):
    kinds, neighbors = draw_graph(data)
    others, more = draw_graph(data)
    shifted = [[term + len(kinds) for term in terms] for terms in more]
    both = np.concatenate([kinds, others])
    alone, _ = number_surroundings(kinds, kinds, sums_of(neighbors))
    beside, _ = number_surroundings(both, both, sums_of([*neighbors, *shifted]))
    compared = [np.sign(numbers[: len(kinds), None] - numbers[: len(kinds)]) for numbers in (alone, beside)]
    np.testing.assert_array_equal(*compared)


@settings(deadline=None)
@given(st.lists(SMALL, min_size=1, max_size=20), st.sampled_from([1, 8]))
def test_each_row_has_an_equal_one_that_is_computed(kinds, multiple):
    numbers = number_columns([np.array(kinds)])
    rows = Alike.of(numbers, multiple)
    values = torch.tensor(kinds)
    assert torch.equal(rows.spread(rows.choose(values)), values)
    assert len(rows.chosen) == -(-len(set(kinds)) // multiple) * multiple
    different = rows.chosen[: len(set(kinds))]
    assert (np.diff(different) > 0).all()


@settings(deadline=None)
@given(st.data())
def test_sums_over_classes_are_those_over_all_rows(data):
    kinds, neighbors = draw_graph(data)
    kinds, sums = number_columns([kinds]), sums_of(neighbors)
    before, (numbers, around) = Alike.of(kinds), number_surroundings(kinds, kinds, sums)
    after = Alike.of(numbers, multiple=4)
    states = torch.randn(len(before.chosen), 2, dtype=torch.float64, requires_grad=True)
    between = before.sums_for(after, around)
    torch.testing.assert_close(after.spread(between(states)), sums(before.spread(states)))
    eyes = [torch.eye(len(rows.chosen), dtype=torch.float64) for rows in (after, before)]
    torch.testing.assert_close(between.transposed(eyes[0]), between(eyes[1]).T)


def test_sums_have_gradients_and_those_of_these():
    sums = RowSums(torch.tensor([0, 0, 2, 1]), torch.tensor([0, 1, 1, 3]), rows=3)
    rows = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    assert sums(rows).shape == (4, 2)
    assert torch.autograd.gradcheck(sums, (rows,))
    assert torch.autograd.gradgradcheck(sums, (rows,))
