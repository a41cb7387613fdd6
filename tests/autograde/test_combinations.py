"""Wrong answers as others would write them: other styles, other earlier pieces, two mistakes at once."""

import pytest
import torch

from autograde.combinations import in_other_styles, pair
from helpers import exercises
from helpers.checks import examine


def biases(network):
    return [name for name, _ in network.named_parameters() if name.endswith("bias")]


def test_every_misconception_is_written_in_every_style_from_seed_to_seed():
    exercise = exercises.load("Encoder")
    seen = {}
    for seed in range(20):
        for wrong in in_other_styles(exercise, seed):
            seen.setdefault(wrong.names, set()).add(wrong.style)
    assert seen.keys() == {(answer.name,) for answer in exercise.misconceptions if answer.changes}
    styles = set.union(*seen.values())
    assert "earlier pieces with a bias" in styles
    assert len(styles) > 3
    assert all(found == styles for found in seen.values())


def test_earlier_pieces_with_a_bias_have_one():
    exercise = exercises.load("Encoder")
    wrong = next(w for w in in_other_styles(exercise, 0) if w.style == "earlier pieces with a bias")
    assert len(biases(wrong.solution(1, 2, 1))) > len(biases(exercise.reference(1, 2, 1)))


def test_a_choice_is_taken():
    exercise = exercises.load("DoubleConv")
    wrong = next(in_other_styles(exercise, 0))
    assert wrong.style == "bias=True"
    assert "first" not in wrong.names
    assert len(biases(wrong.solution(1, 2))) == 2


def test_an_answer_without_choices_and_earlier_pieces_has_one_style():
    assert not list(in_other_styles(exercises.load("conv2d"), 0))


@pytest.mark.parametrize("seed", range(3))
def test_a_pair_is_wrong_in_both_ways(seed, monkeypatch):
    exercise = exercises.load("DoubleConv")
    two_that_differ = [a for a in exercise.misconceptions if a.name in ("no ReLU at the end", "norm ignored")]
    monkeypatch.setattr(exercise, "misconceptions", two_that_differ)
    two = pair(exercise, seed)
    one, other = two.names
    assert one != other
    assert str(two) == f"{one} + {other}"
    assert str(pair(exercise, seed)) == str(two)
    assert examine("DoubleConv", two.solution, 0).diagnosis in two.names


def test_an_exercise_of_whole_functions_has_no_pairs(monkeypatch):
    exercise = exercises.load("DoubleConv")
    monkeypatch.setattr(exercise, "misconceptions", exercise.misconceptions[:1])
    assert pair(exercise, 0) is None


def test_pieces_take_the_place_of_the_references_own():
    class Nothing(torch.nn.Identity):
        def __init__(self, *_):
            super().__init__()

    encoder = exercises.changed(exercises.load("Encoder").reference, (), {"Down": Nothing})
    bottleneck, skips = encoder(1, 2, 3)(torch.rand(1, 1, 8, 8))
    assert bottleneck.shape == skips[0].shape
