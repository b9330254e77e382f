"""Mapping files: how the rows of any delimited extract become events, without code."""

from sources.mapping.cells import CellError
from sources.mapping.check import check_columns, check_mapping
from sources.mapping.load import MappingText, load_mapping, read_mapping
from sources.mapping.model import rules_of
from sources.mapping.rows import RowMapper, WrittenEvent

__all__ = [
    "CellError",
    "MappingText",
    "RowMapper",
    "WrittenEvent",
    "check_columns",
    "check_mapping",
    "load_mapping",
    "read_mapping",
    "rules_of",
]
