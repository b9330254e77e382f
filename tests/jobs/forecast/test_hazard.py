"""Chances by age, against the textbook estimator and against what must always hold."""

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.forecast import Hazard, History, fit
from jobs.forecast.hazard import AGES, FIRST_AGE, LAST_AGE, Spell, count, pooled
from tests.jobs.examples import examples


def spells() -> st.SearchStrategy[list[Spell]]:
    def one(begin: int, length: int, paid: bool) -> Spell:
        return Spell(begin, begin + length, paid, 1.0)

    return st.lists(st.builds(one, st.integers(-60, 10), st.integers(0, 90), st.booleans()), min_size=1, max_size=40)


@examples(60)
@given(spells())
def test_counts_are_those_of_kaplan_and_meier(given_spells: list[Spell]) -> None:
    counts = count(given_spells)
    for age in range(-70, 110):
        at_risk = sum(spell.begin <= age <= spell.end for spell in given_spells)
        paid = sum(spell.paid and spell.end == age for spell in given_spells)
        assert counts.at_risk[age - FIRST_AGE] == pytest.approx(at_risk)
        assert counts.paid[age - FIRST_AGE] == pytest.approx(paid)


def test_without_a_prior_the_survival_is_the_product_of_what_was_left() -> None:
    """Four invoices: paid at 5, at 10, at 10, and open at 20."""
    own = count([Spell(0, 5, True, 1.0), Spell(0, 10, True, 1.0), Spell(0, 10, True, 1.0), Spell(0, 20, False, 1.0)])
    hazard = Hazard([0.0] * AGES).shrunk_with(own, 1e-12)
    assert hazard.open_after(4) == pytest.approx(1)
    assert hazard.open_after(5) == pytest.approx(float(Fraction(3, 4)))
    assert hazard.open_after(10) == pytest.approx(float(Fraction(3, 4) * Fraction(1, 3)))
    assert hazard.paid_by(5, 5) == pytest.approx(2 / 3)
    assert hazard.quantile(0, 0.5) == 10


def test_an_account_without_a_history_is_like_its_peers_and_one_with_a_long_one_like_itself() -> None:
    prompt = [History("slow peer", "retail", -30, 60, ((2, 1.0),))] * 200
    one = fit([*prompt, History("new", "retail", -30, -10, ())])
    assert one.of("new", "retail").paid_by(0, 5) == pytest.approx(one.of("slow peer", "retail").paid_by(0, 5), abs=0.05)
    late = [History("late", "retail", -30, 90, ((45, 1.0),))] * 60
    two = fit([*prompt, *late])
    assert two.of("late", "retail").paid_by(0, 30) < 0.15
    assert two.of("late", "retail").quantile(0, 0.5) == 45
    assert two.of("nobody", "unknown") is two.everybody


@examples(40)
@given(spells(), st.integers(-200, 600), st.integers(0, 400))
def test_chances_are_chances_and_grow_with_the_horizon(given_spells: list[Spell], age: int, horizon: int) -> None:
    everybody = pooled(count(given_spells))
    for hazard in (everybody, everybody.shrunk_with(count(given_spells[:3]), 2.0)):
        chance = hazard.paid_by(age, horizon)
        assert 0.0 <= chance <= 1.0
        assert hazard.paid_by(age, horizon + 1) >= chance
        assert hazard.open_after(FIRST_AGE - 1) == 1.0
        left = hazard.open_after(age) * (1 - chance)
        if age + horizon <= LAST_AGE:
            assert left == pytest.approx(hazard.open_after(age + horizon), abs=1e-9)


def test_the_order_of_histories_does_not_matter() -> None:
    chooser = random.Random(7)
    histories = [
        History(f"C{number % 7}", f"S{number % 3}", -30, 90, ((chooser.randrange(-20, 80), 1.0),))
        for number in range(99)
    ]
    one = fit(histories)
    chooser.shuffle(histories)
    other = fit(histories)
    for account, segment in (("C1", "S1"), ("C2", "S0"), ("new", "S2"), ("new", "new")):
        for age in (-30, 0, 30):
            assert one.of(account, segment).paid_by(age, 14) == other.of(account, segment).paid_by(age, 14)


def test_a_share_that_was_credited_says_nothing_of_paying() -> None:
    whole = fit([History("A", "", -30, 90, ((10, 0.5),), other=0.5)] * 20)
    half = fit([History("A", "", -30, 90, ((10, 0.5),), other=0.0)] * 20)
    assert whole.of("A", "").open_after(60) < 0.1
    assert half.of("A", "").open_after(60) > 0.3
