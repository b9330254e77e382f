"""What was expected against what is: amounts compare as numbers, what is not named is not checked (SCENARIOS §2)."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

Answers = dict[str, object]

_CHOICES = frozenset({"as_of", "known_as_of", "account_id", "company", "document_type", "credit_mode", "rollup"})


@dataclass(frozen=True)
class Mismatch:
    """A field that is not as expected."""

    field: str
    expected: object
    actual: object


class UnansweredError(Exception):
    """No job answers this expectation, or it names something that does not exist."""


def compare(
    expectation: dict[str, Any], subject: str, actual: Answers, choices: frozenset[str] = _CHOICES
) -> list[Mismatch]:
    """The fields that are not as expected. `choices` say what is looked at and are no fields."""
    mismatches = []
    for name, expected in expectation.items():
        if name == subject or name in choices:
            continue
        if name not in actual:
            mismatches.append(Mismatch(str(name), expected, f"no such field; there are {', '.join(actual)}"))
        elif not same(_by_number(expected), _by_number(actual[name])):
            mismatches.append(Mismatch(str(name), expected, actual[name]))
    return mismatches


def compare_list(
    expectation: dict[str, Any], subject: str, field: str, actual: list[Any], choices: frozenset[str]
) -> list[Mismatch]:
    """A list that must be the same from end to end; what stands beside it must be one of `choices`."""
    for name, value in expectation.items():
        if name not in {subject, field} and name not in choices:
            known = ", ".join(sorted(choices | {field}))
            return [Mismatch(str(name), value, f"no such field of {subject}; there are {known}")]
    if field not in expectation:
        raise UnansweredError(f"{subject} needs `{field}:`, the list that is expected")
    expected = expectation[field] if expectation[field] is not None else []
    if not isinstance(expected, list):
        raise UnansweredError(f"{field} must be a list, not {expected!r}")
    return [] if same(expected, actual) else [Mismatch(field, expected, actual)]


def _by_number(value: object) -> object:
    """Instalments in order of their numbers, however they were written."""
    if isinstance(value, list) and value and all(isinstance(part, dict) and "number" in part for part in value):
        return sorted(value, key=lambda part: int(part["number"]))
    return value


def same(expected: object, actual: object) -> bool:
    """Whether an expected value is met; of mappings, every key that is expected."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(name in actual and same(value, actual[name]) for name, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(same(*pair) for pair in zip(expected, actual, strict=True))
    if isinstance(expected, bool) or isinstance(actual, bool) or expected is None or actual is None:
        return expected is actual
    if isinstance(actual, Decimal | int):
        try:
            return Decimal(str(expected)) == actual
        except InvalidOperation:
            return False
    return str(expected) == str(actual)


def zero_if_expected(expected: object, actual: int | None) -> int | None:
    """Nothing, read as 0 where 0 is expected: no level sent is level 0, nothing late is 0 days late."""
    return 0 if actual is None and expected == 0 and not isinstance(expected, bool) else actual
