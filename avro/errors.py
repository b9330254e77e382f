"""What can be wrong with bytes, records and schemas. Each error carries a code that fits a metric label."""


class ContractError(Exception):
    """Something that does not keep the contract; `reason` is a short code, the message one sentence."""

    reason = "contract_broken"


class MalformedRecord(ContractError):  # noqa: N818  says what is so, not what to do
    """The bytes are not a record of their schema: cut off, damaged, or followed by something else."""

    reason = "malformed_record"


class UnknownSchema(ContractError):  # noqa: N818  says what is so, not what to do
    """The schema id, or the record name, is known neither here nor to the registry."""

    reason = "unknown_schema"


class UnwritableRecord(ContractError):  # noqa: N818  says what is so, not what to do
    """A record that does not fit its schema: a field is missing or has a value of another type or range."""

    reason = "unwritable_record"


class UnreleasedSchema(ContractError):  # noqa: N818  says what is so, not what to do
    """A schema file was changed without a release, so its pinned id means something else."""

    reason = "unreleased_schema"


class RegistryUnavailable(Exception):  # noqa: N818
    """The schema registry did not answer. No ContractError: the bytes may be good, so try again or stop."""


class RegistryRefused(ContractError):  # noqa: N818
    """The schema registry answered no, with this HTTP status; the message is its own."""

    reason = "registry_refused"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
