"""References that come more than once are counted, the others cost nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sources.bank.camt.repeated import RepeatedReferences

keys = st.tuples(st.integers(1, 2), st.sampled_from("ABCDEF"))


@given(st.lists(keys))
@settings(deadline=None)
def test_every_booking_of_a_reference_has_a_place_of_its_own(noted: list[tuple[int, str]]) -> None:
    references = RepeatedReferences()
    for key in noted:
        references.note(key)
    places = [(key, references.take(key)) for key in noted]
    assert len(set(places)) == len(places)
    assert all((key, 0) in places for key in noted)


def test_a_batch_takes_as_many_places_as_it_has_transactions() -> None:
    references = RepeatedReferences()
    for _ in range(2):
        references.note((1, "A"))
    assert [references.take((1, "A"), 0), references.take((1, "A"), 3), references.take((1, "A"))] == [0, 0, 3]


def test_a_hundred_thousand_references_are_told_apart() -> None:
    references = RepeatedReferences()
    for number in range(100_000):
        references.note((1, f"R{number}"))
    references.note((1, "R77"))
    assert [references.take((1, "R77")), references.take((1, "R77"))] == [0, 1]
    assert len(references._repeated) < 100
