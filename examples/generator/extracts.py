"""What every extract has in common: rows of texts out of facts, amounts as each system writes them."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from examples.generator.company import DECIMALS, Company
from examples.generator.facts import Fact

Row = Mapping[str, str]


def decimal_text(amount: int, currency: str, *, point: str = ".", thousands: str = "") -> str:
    """Minor units as a decimal number of the currency, without its sign."""
    decimals = DECIMALS[currency]
    digits = str(abs(amount)).rjust(decimals + 1, "0")
    whole, fraction = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    groups: list[str] = []
    while len(whole) > 3:
        groups.insert(0, whole[-3:])
        whole = whole[:-3]
    return thousands.join([whole, *groups]) + (point + fraction if fraction else "")


class Extract:
    """A delimited file: its columns, and how a fact becomes the texts of a row. Columns not given stay empty."""

    def __init__(
        self,
        company: Company,
        columns: Sequence[str],
        rows_of: Mapping[str, Callable[[Fact], Row]],
        entered: Callable[[Fact, datetime], Row],
        delimiter: str = ",",
        encoding: str = "utf-8",
    ) -> None:
        self._company = company
        self._columns = columns
        self._rows_of = rows_of
        self._entered = entered
        self._delimiter = delimiter
        self._encoding = encoding

    def render(self, facts: Iterable[Fact], last: Sequence[Row] = ()) -> bytes:
        """The file. `last` are further rows, such as a total."""
        text = io.StringIO()
        writer = csv.DictWriter(
            text, self._columns, restval="", delimiter=self._delimiter, lineterminator="\r\n", extrasaction="raise"
        )
        writer.writeheader()
        for fact in facts:
            entry = self._entered(fact, self._company.local(fact.at))
            writer.writerow({**entry, **self._rows_of[fact.event](fact)})
        writer.writerows(last)
        return text.getvalue().encode(self._encoding)


def one_row_for_lockboxes(facts: Sequence[Fact]) -> list[Fact]:
    """A receipt and its application of the same moment become one fact, as a lockbox file has them."""
    merged: list[Fact] = []
    for fact in facts:
        before = merged[-1] if merged else None
        if before and fact.event == "CashApplied" and fact.actor == "lockbox" and before.at == fact.at:
            merged[-1] = Fact(fact.at, before.event, before.account, before.actor, {**before.fields, **fact.fields})
        else:
            merged.append(fact)
    return merged
