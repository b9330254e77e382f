"""Text with the tags of MT940 in it: ``EREF+…SVWZ+…`` of German and Austrian banks, ``/REMI/…/EREF/…`` of Dutch ones.

Some banks fill remittance (`Ustrd`) or the text of an entry (`AddtlNtryInf`) from the lines of field 86 of an MT940.
"""

import re

from sources.bank.swift.details import Details, details

_BEGINNING = re.compile(r"[A-Z]{4}\+|/[A-Z]{2,4}/|[0-9]{3}\?[0-9]{2}|\?[0-9]{2}")


def tagged(said: str | None) -> Details | None:
    """What a text says that begins with a tag; None for any other text, which is to be left as it is."""
    return details([said]) if said is not None and _BEGINNING.match(said) is not None else None
