"""What sections of the settings are made of: their base, and the types of their fields."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

# Marks a field whose presence is a choice, even with its default: it keeps the local stack from starting that part.
CHOICE: dict[str, Any] = {"choice": True}


def _check_address_list(value: str) -> str:
    for address in value.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise ValueError("must be host:port, several joined by commas")
    return value


def _check_url(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value.rstrip("/")


def _read_pairs(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("must be EVENT.FIELD=ACTION, several joined by commas")
    return {name.strip(): action.strip() for name, _, action in pairs}


AddressList = Annotated[str, AfterValidator(_check_address_list)]


def _read_named(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("must be NAME=VALUE, several joined by commas")
    return {name.strip(): text.strip() for name, _, text in pairs}


FieldActions = Annotated[dict[str, str], BeforeValidator(_read_pairs)]
Url = Annotated[str, AfterValidator(_check_url)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]
Days = Annotated[int, Field(ge=1, le=36_525)]
NamedTexts = Annotated[dict[str, str], BeforeValidator(_read_named)]
NamedDays = Annotated[dict[str, Days], BeforeValidator(_read_named)]


class Section(BaseModel):
    """A section of the settings file; a key that is not declared is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def is_set(self, field: str) -> bool:
        """Whether the file or the environment gave this field a value."""
        return field in self.model_fields_set
