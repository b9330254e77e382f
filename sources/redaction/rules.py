"""Which fields of which events are redacted, and how: what an installation configures, held against the contracts."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

import msgspec

from avro.written import WrittenField
from sources.errors import SourceError
from sources.event_fields import event_names, fields_of

Action = Literal["mask", "hash", "drop", "keep"]
ACTIONS: tuple[Action, ...] = ("mask", "hash", "drop", "keep")

# Fields in which people write what they like; every card number and IBAN in them is masked.
PROSE = frozenset(
    {
        "deduction_reason",
        "name",
        "note",
        "outcome",
        "payer_name",
        "payment_terms",
        "reason",
        "reason_code",
        "resolution",
    }
)
# Fields with references of several systems beside plain words: of cards, only numbers of known networks are masked.
REFERENCES = frozenset({"new", "old", "payer_reference", "reference"})
# Fields that are nothing but the number of a bank account, in whatever form a country has.
ACCOUNTS = frozenset({"payer_account"})
# Kinds of fields that hold text. Amounts, dates, numbers and currencies are never redacted.
_TEXTS = frozenset({"identifier", "scalar", "text", "texts"})
_NEVER = frozenset({"company", "event", "event_id"})  # routing and idempotency hang on them
_GLOB = re.compile(r"[*?\[]")
_LIST_NUMBER = re.compile(r"\[\d+\]")


class Rule(msgspec.Struct, frozen=True):
    """One line of the configuration: `event` and `field` may be patterns with ``*``; `field` has dots for parts."""

    event: str
    field: str
    action: Action

    def fits(self, event: str | None, path: str) -> bool:
        """Whether the rule is for a field; its parts are covered, too. An `event` that is not known fits every rule."""
        return (event is None or fnmatchcase(event, self.event)) and (
            fnmatchcase(path, self.field) or fnmatchcase(path, f"{self.field}.*")
        )

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.event}.{self.field}"


def read_rules(fields: Mapping[str, str]) -> tuple[Rule, ...]:
    """The rules of a configuration, in its order. Raises ``SourceError`` for one that could never apply."""
    rules = tuple(_read_rule(name, action) for name, action in fields.items())
    for rule in rules:
        _check(rule)
    return rules


def rule_for(rules: Sequence[Rule], event: str | None, path: str) -> Rule | None:
    """The first rule that fits a field by its path: ``note``, ``lines[2].deduction_reason``, ``changes.iban``."""
    plain = _LIST_NUMBER.sub("", path)
    return next((rule for rule in rules if rule.fits(event, plain)), None)


def may_apply(rule: Rule, field: WrittenField) -> bool:
    """Whether a field can be redacted so and its event still be one."""
    if field.written in _NEVER or field.kind not in _TEXTS or field.values:
        return False
    if rule.action == "mask":
        return field.kind in {"text", "scalar"}  # two masked ids could become one
    return rule.action != "drop" or field.kind != "identifier" or not field.required


def _read_rule(name: str, action: str) -> Rule:
    event, dot, field = name.partition(".")
    if not (event and dot and field):
        raise SourceError(
            f"redaction.fields names {name!r}", "Write EVENT.FIELD, such as ContactAttempted.note, or *.note"
        )
    for known in ACTIONS:
        if action == known:
            return Rule(event, field, known)
    raise SourceError(f"redaction.fields says {action!r} for {name}", f"Write one of {', '.join(ACTIONS)}")


def _check(rule: Rule) -> None:
    paths = [found for event in event_names() if fnmatchcase(event, rule.event) for found in _paths(event)]
    fitting = [field for path, field in paths if rule.fits(None, path) or _is_part_of_mapping(rule, path, field)]
    if not fitting:
        raise SourceError(
            f"redaction.fields names {rule}, and no event has such a field", "docs/events.md lists events and fields"
        )
    if not any(may_apply(rule, field) for field in fitting):
        what = f"redaction.fields cannot {rule.action} {rule}"
        if rule.action == "mask" and all(field.kind in {"identifier", "texts"} for field in fitting):
            raise SourceError(what, "Two masked ids could become one; hash it instead")
        raise SourceError(what, "Amounts, dates, codes with fixed values, the company and ids of events are needed")


def _is_part_of_mapping(rule: Rule, path: str, field: WrittenField) -> bool:
    """Whether the rule names one key of a mapping, such as ``changes.iban``; any key may come."""
    return field.kind == "scalar" and fnmatchcase(rule.field.partition(".")[0], path.partition(".")[0])


@cache
def _paths(event: str) -> Sequence[tuple[str, WrittenField]]:
    return tuple(_walk(fields_of(event).values(), ""))


def _walk(fields: Iterable[WrittenField], path: str) -> Iterator[tuple[str, WrittenField]]:
    for field in fields:
        yield path + field.written, field
        yield from _walk(field.items, f"{path}{field.written}.")
