"""The sample extracts of `examples/erp`, and which ready mapping reads which of them."""

from pathlib import Path
from typing import NamedTuple

from sources import Parsed, ParsedEvent, SourceOptions
from sources.csv_file import CsvFile
from sources.mapping import load_mapping, ready_mappings, ready_order

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "examples" / "erp"
GOLDEN = Path(__file__).parent / "golden"
# Whose mappings take the company out of a column; the others are given one.
COMPANIES = {"sap": "1000", "dynamics365": "usmf", "jd-edwards": "00001", "peoplesoft": "US001"}
_OF_OTHER_NAME = {
    "sap/bsid": ("bsad.csv", "bsid.csv"),
    "sap/fbl5n-en": ("fbl5n-en.txt",),
    "sap/fbl5n-de": ("fbl5n-de.txt",),
    "oracle-ebs/open-items": ("ar_payment_schedules_all.csv",),
    "oracle-fusion/open-items": ("ar_payment_schedules_all.csv",),
}


class Extract(NamedTuple):
    """A sample file and the ready mapping that reads it."""

    mapping: str
    file: Path

    @property
    def erp(self) -> str:
        """The folder of the ERP."""
        return self.mapping.partition("/")[0]

    @property
    def company(self) -> str:
        """The legal entity of the sample."""
        return COMPANIES.get(self.erp, "US01")

    @property
    def golden(self) -> Path:
        """The events that the sample gives, one a line."""
        return GOLDEN / self.erp / f"{self.mapping.partition('/')[2]}.{self.file.stem}.jsonl"

    def adapter(self) -> CsvFile:
        """The reader of the sample."""
        return CsvFile(SourceOptions(company=self.company), load_mapping(Path(self.mapping)))

    def read(self) -> list[Parsed]:
        """Everything that the sample yields."""
        with self.file.open("rb") as stream:
            return list(self.adapter().read(stream, str(self.file)))

    def events(self) -> list[ParsedEvent]:
        """The events that the sample yields."""
        return [value for value in self.read() if isinstance(value, ParsedEvent)]


def extracts_of(mapping: str) -> list[Extract]:
    """The samples that a ready mapping reads."""
    erp, _, name = mapping.partition("/")
    files = _OF_OTHER_NAME.get(mapping, (f"{name.removesuffix('-reversals')}.csv",))
    return [Extract(mapping, SAMPLES / erp / file) for file in files]


def all_extracts() -> list[Extract]:
    """Every ready mapping with every sample of it."""
    return [extract for mapping in ready_mappings() for extract in extracts_of(mapping)]


def whole_set(erp: str) -> list[ParsedEvent]:
    """The events of all extracts of an ERP in the order in which they are to be ingested."""
    return [event for mapping in ready_order(erp) for extract in extracts_of(mapping) for event in extract.events()]
