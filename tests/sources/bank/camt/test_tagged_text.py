"""Remittance text with the tags of MT940."""

import pytest

from sources.bank.camt.tagged_text import tagged


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("EREF+RE-1 MREF+M1 SVWZ+Invoice 7", {"EREF": "RE-1", "MREF": "M1", "SVWZ": "Invoice 7"}),
        ("EREF+RE-1SVWZ+Invoice 7", {"EREF": "RE-1", "SVWZ": "Invoice 7"}),
        ("SVWZ+", {"SVWZ": ""}),
        ("Invoice 7 EREF+RE-1", {}),
        ("C+C Cash and Carry", {}),
        ("", {}),
    ],
)
def test_parts(said: str, parts: dict[str, str]) -> None:
    assert tagged(said) == parts
