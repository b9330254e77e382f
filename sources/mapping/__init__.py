"""Mapping files: how the rows of any delimited extract become events, without code."""

from sources.mapping.cells import CellError
from sources.mapping.check import check_columns, check_mapping
from sources.mapping.cleared import Cleared
from sources.mapping.clearing import Clearings
from sources.mapping.columns import called
from sources.mapping.load import MappingText, load_mapping, read_mapping
from sources.mapping.lookups import Lookups, lookup_columns
from sources.mapping.model import rules_of
from sources.mapping.ready import ReadyMapping, ready_erps, ready_files, ready_mappings, ready_order
from sources.mapping.rows import RowMapper, WrittenEvent

__all__ = [
    "CellError",
    "Cleared",
    "Clearings",
    "Lookups",
    "MappingText",
    "ReadyMapping",
    "RowMapper",
    "WrittenEvent",
    "called",
    "check_columns",
    "check_mapping",
    "load_mapping",
    "lookup_columns",
    "read_mapping",
    "ready_erps",
    "ready_files",
    "ready_mappings",
    "ready_order",
    "rules_of",
]
