"""The registry of formats: what `--as` accepts. A further format is one entry here and one adapter module."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from sources.activity import ActivityLines
from sources.bank import BankFile, BankFormat
from sources.bank.bai import Bai2, Lockbox, bai2_with_lockbox
from sources.bank.camt import camt, camt052, camt053, camt053_partial, camt053_with_camt054, camt054
from sources.bank.payers import Payers, read_payers
from sources.bank.status_report import StatusReport
from sources.bank.swift import Mt940, Mt942
from sources.csv_file import CsvFile
from sources.errors import SourceError
from sources.intake import SourceOptions
from sources.jsonl import JsonLines
from sources.mapping import load_mapping
from sources.redacted import RedactedAdapter
from sources.ubl import ubl_credit_note, ubl_invoice
from sources.values import Parsed
from sources.verified_file import VerifiedFile, VerifiedForm
from sources.x12 import x12_810, x12_820, x12_820_cash, x12_823

_CAMT_SUFFIXES = (".xml", ".camt", ".c52", ".c53", ".c54")
_BAI2_SUFFIXES = (".bai", ".bai2", ".btrs", ".txt")
_X12_SUFFIXES = (".x12", ".edi", ".txt", ".810", ".820", ".823")


class Adapter(Protocol):
    """A pure parser: bytes in, values out. It opens nothing, sends nothing and keeps nothing between files."""

    def check(self, stream: BinaryIO, file: str) -> None:
        """Read as much as is needed to see that the file can be taken, such as its header. Raises ``SourceError``.

        It is called for every file of a run before anything is sent.
        """

    def read(self, stream: BinaryIO, file: str) -> Iterator[Parsed]:
        """The values of a stream, in the order of the file. `file` is the name for positions.

        Never holds more than a bounded part of the stream. A bad row becomes a ``SourceReject`` and reading goes on;
        ``SourceError`` is raised before the first value or not at all.
        """


class Format(msgspec.Struct, frozen=True):
    """A format by its name. `suffixes` say which files of a folder are taken; with none, all are.

    `two_passes`: the adapter verifies a file before it reads it again, so the stream must be seekable.
    """

    name: str
    purpose: str
    suffixes: tuple[str, ...]
    build: Callable[[SourceOptions, Path | None], Adapter]
    two_passes: bool = False


def _jsonl(options: SourceOptions, mapping: Path | None) -> Adapter:
    if mapping is not None:
        raise SourceError("jsonl takes no mapping", "Leave out --mapping, or say --as csv")
    return JsonLines(options)


def _activity(options: SourceOptions, mapping: Path | None) -> Adapter:
    if mapping is not None:
        raise SourceError("activity takes no mapping", "Leave out --mapping; tables of an audit are csv with one")
    return ActivityLines(options)


def bank_format(name: str, purpose: str, suffixes: tuple[str, ...], form: Callable[[], BankFormat]) -> Format:
    """A bank's format, whose files are verified as a whole and take a table of payers."""

    def build(options: SourceOptions, mapping: Path | None) -> Adapter:
        if mapping is not None:
            raise SourceError(
                f"{name} takes no mapping", "Leave out --mapping; --payers FILE names the payers' accounts"
            )
        return BankFile(options, form(), Payers() if options.payers is None else read_payers(options.payers))

    return Format(name, purpose, suffixes, build, two_passes=True)


def verified_format(
    name: str, purpose: str, suffixes: tuple[str, ...], form: Callable[[Payers], VerifiedForm]
) -> Format:
    """A form of file that is verified as a whole and takes a table of payers, whose accounts its parties are."""

    def build(options: SourceOptions, mapping: Path | None) -> Adapter:
        if mapping is not None:
            raise SourceError(
                f"{name} takes no mapping", "Leave out --mapping; --payers FILE names the parties' accounts"
            )
        return VerifiedFile(options, form(Payers() if options.payers is None else read_payers(options.payers)))

    return Format(name, purpose, suffixes, build, two_passes=True)


def _csv(options: SourceOptions, mapping: Path | None) -> Adapter:
    if mapping is None:
        raise SourceError(
            "csv needs a mapping", "Give --mapping FILE; docs/sources/csv-mapping.md shows how to write one"
        )
    return CsvFile(options, load_mapping(mapping))


_FORMATS = (
    Format("csv", "delimited extract of any system, described by a mapping file", (".csv", ".tsv", ".txt"), _csv),
    Format(
        "activity", "logs of user actions, as JSON lines or syslog", (".jsonl", ".ndjson", ".log", ".syslog"), _activity
    ),
    Format("jsonl", "events in the written form, one JSON object a line", (".jsonl", ".ndjson"), _jsonl),
    bank_format("camt053", "ISO 20022 bank statements", _CAMT_SUFFIXES, camt053),
    bank_format("camt054", "ISO 20022 credit and debit notices", _CAMT_SUFFIXES, camt054),
    bank_format("camt052", "ISO 20022 intraday reports: what is booked is cash", _CAMT_SUFFIXES, camt052),
    bank_format("camt", "whichever of the three a file is", _CAMT_SUFFIXES, camt),
    bank_format(
        "camt053-with-camt054",
        "statements whose batch totals come as transactions in camt054",
        _CAMT_SUFFIXES,
        camt053_with_camt054,
    ),
    bank_format(
        "camt053-partial", "statements without entries that were left out on purpose", _CAMT_SUFFIXES, camt053_partial
    ),
    bank_format("bai2", "BAI2 (BTRS) bank statements", _BAI2_SUFFIXES, Bai2),
    bank_format(
        "bai2-with-lockbox", "the same, where lockbox files bring the checks", _BAI2_SUFFIXES, bai2_with_lockbox
    ),
    bank_format("bai-lockbox", "BAI lockbox files", (".bai", ".lbx", ".lockbox", ".dat", ".txt"), Lockbox),
    bank_format("mt940", "SWIFT bank statements", (".sta", ".940", ".mt940", ".swi", ".txt"), Mt940),
    bank_format("mt942", "SWIFT interim reports, announced only", (".sta", ".942", ".mt942", ".swi", ".txt"), Mt942),
    verified_format("pain002", "ISO 20022 status reports: rejected collections, logged", (".xml",), StatusReport),
    verified_format("ubl-invoice", "UBL 2 invoices (Peppol BIS 3) as receivables", (".xml", ".ubl"), ubl_invoice),
    verified_format("ubl-credit-note", "UBL 2 credit notes as credits", (".xml", ".ubl"), ubl_credit_note),
    verified_format("x12-810", "X12 invoices as receivables", _X12_SUFFIXES, x12_810),
    verified_format("x12-820", "X12 payment orders as remittance advice", _X12_SUFFIXES, x12_820),
    verified_format(
        "x12-820-cash", "the same, also as cash: only where no bank file reports it", _X12_SUFFIXES, x12_820_cash
    ),
    verified_format("x12-823", "X12 lockbox deposits as cash with remittance", _X12_SUFFIXES, x12_823),
)


def formats() -> Mapping[str, Format]:
    """Every format by its name."""
    return {known.name: known for known in _FORMATS}


def adapter(name: str, options: SourceOptions, mapping: Path | None = None) -> Adapter:
    """The adapter of a format, its rejects redacted. Raises ``SourceError`` for an unknown name or a wrong mapping."""
    known = formats()
    if name not in known:
        raise SourceError(f"there is no format {name!r}", f"Known formats: {', '.join(known)}")
    return RedactedAdapter(known[name].build(options, mapping), options.redactor)
