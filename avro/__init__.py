"""The event contracts: one documented Avro schema per event and output record, and the codec of the wire format."""

from avro.contracts import Contracts, contracts
from avro.errors import ContractError, MalformedRecord, UnknownSchema, UnwritableRecord

__all__ = ["ContractError", "Contracts", "MalformedRecord", "UnknownSchema", "UnwritableRecord", "contracts"]
