"""Text with the tags of MT940."""

import pytest

from sources.bank.camt.tagged_text import tagged


@pytest.mark.parametrize(
    ("said", "end_to_end_id", "remittance"),
    [
        ("EREF+RE-1 MREF+M1 SVWZ+Invoice 7", "RE-1", "Invoice 7"),
        ("EREF+RE-1SVWZ+Invoice 7", "RE-1", "Invoice 7"),
        ("/TRTP/SEPA OVERBOEKING/NAME/NAAM/REMI/Factuur 7/EREF/NOTPROVIDED", None, "Factuur 7"),
        ("166?00GUTSCHRIFT?20EREF+RE-1?21SVWZ+Invoice 7", "RE-1", "Invoice 7"),
        ("SVWZ+", None, None),
    ],
)
def test_what_tags_say(said: str, end_to_end_id: str | None, remittance: str | None) -> None:
    found = tagged(said)
    assert found is not None
    assert (found.end_to_end_id, found.remittance) == (end_to_end_id, remittance)


@pytest.mark.parametrize(
    "said", ["Invoice 7", "Invoice 7 EREF+RE-1", "C+C Cash and Carry", "Ref.-Nr.  99999", "", None]
)
def test_other_text_is_left_as_it_is(said: str | None) -> None:
    assert tagged(said) is None
