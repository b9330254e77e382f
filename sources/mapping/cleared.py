"""What a row says of its clearing (`[clearing]`) → values that `clearing.py` settles."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from avro.amounts import InvalidNumber, to_minor
from sources.event_fields import fields_of
from sources.mapping.cells import CellError, Reading, compile_cell, compile_template
from sources.mapping.columns import LINE_FIELDS
from sources.mapping.conditions import Test
from sources.mapping.dates import date_reader
from sources.mapping.model import Conditions, MappingFile, SettledLine

Cells = Sequence[str]
_ENVELOPE = ("company", "region", "actor_id", "actor_role")


class Line(msgspec.Struct, frozen=True, gc=False):
    """So much of a document was settled: an invoice above zero, a credit below, in minor units."""

    document: str
    account: str
    amount: int
    currency: str
    payment: str | None
    payment_account: str | None
    envelope: dict[str, Any]


class Cleared(msgspec.Struct, frozen=True, gc=False):
    """What a row says of its clearing. `key` is empty while it is open; `reference` names the document it is for."""

    key: str
    day: str | None
    reference: str
    line: Line | None = None


def compile_clearing(
    mapping: MappingFile, reading: Reading, compile_test: Callable[[Conditions], Test]
) -> Callable[[Cells], Cleared] | None:
    """A function from a row to what it says of its clearing; None where the mapping has no such rule.

    It raises ``CellError`` for what cannot be read.
    """
    clearing = mapping.clearing
    if clearing is None:
        return None
    key_of = compile_template(clearing.key, reading)
    like = fields_of("CashApplied")["invoice_id"]
    reference_of = None if clearing.reference is None else compile_cell(clearing.reference, like, reading)
    day_of = date_reader(mapping.values.date)
    place = reading.index_of[clearing.date]
    empty = frozenset(mapping.values.empty) | {""}
    line_of = None if clearing.line is None else _compile_line(clearing.line, mapping, reading, compile_test)

    def read(cells: Cells) -> Cleared:
        try:
            day = None if cells[place] in empty else day_of(cells[place]).isoformat()
        except ValueError as error:
            raise CellError("invalid_date", str(error), clearing.date, "clearing") from error
        # A key without a day, or a day without a key, is of a document that is not cleared yet.
        reference = reference_of(cells) if reference_of else None
        return Cleared(key_of(cells) if day else "", day, reference or "", line_of(cells) if line_of else None)

    return read


def _compile_line(
    line: SettledLine, mapping: MappingFile, reading: Reading, compile_test: Callable[[Conditions], Test]
) -> Callable[[Cells], Line | None]:
    known = fields_of("CashApplied")
    applies = compile_test(line.when)
    sources = {name: getattr(line, name) for name in LINE_FIELDS}
    cells_of = {
        name: compile_cell(source, known[LINE_FIELDS[name]], reading)
        for name, source in sources.items()
        if source is not None
    }
    envelope_of = {
        name: compile_cell(source, known[name], reading) for name, source in mapping.all.items() if name in _ENVELOPE
    }

    def read(cells: Cells) -> Line | None:
        if not applies(cells):
            return None
        said = {name: cell(cells) for name, cell in cells_of.items()}
        for name in ("document", "account", "amount", "currency"):
            if said[name] is None:
                raise CellError("missing_field", f"the line does not say its {name}", sources[name].column, name)
        try:
            amount = to_minor(said["amount"], said["currency"])
        except InvalidNumber as error:
            raise CellError("invalid_amount", str(error), sources["amount"].column, "amount") from error
        return Line(
            said["document"], said["account"], amount, said["currency"], said["payment"],
            said.get("payment_account"), {name: cell(cells) for name, cell in envelope_of.items()},
        )  # fmt: skip

    return read
