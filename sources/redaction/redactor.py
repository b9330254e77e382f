"""What must not be published is taken out of events and rejects, the same way at every reading."""

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, Literal

import msgspec

from avro.written import WrittenField
from sources.errors import SourceError
from sources.event_fields import fields_of
from sources.redaction.card_numbers import SEPARATORS, is_card_number
from sources.redaction.ibans import is_iban
from sources.redaction.masking import mask_account, mask_bytes, mask_numbers, mask_quoted, mask_value
from sources.redaction.rules import ACCOUNTS, PROSE, REFERENCES, Rule, may_apply, read_rules, rule_for
from sources.values import SourceReject

Rejects = Literal["mask", "withhold", "keep"]

_HASHED = "hmac:"
_HASH_CHARACTERS = 32  # 128 bits of HMAC-SHA256
_IS_HASHED = re.compile(rf"{_HASHED}[0-9a-f]{{{_HASH_CHARACTERS}}}")
_SEPARATOR = re.compile(f"[{SEPARATORS}]")
_WITHHELD = "the value is not repeated here, for the field is redacted; look at the source"

Change = Callable[[Any], Any]
Plan = Sequence[tuple[str, Change]]


class Redactor:
    """The redaction of one installation.

    `fields` are rules ``EVENT.FIELD`` → mask, hash, drop or keep (as it is); the first that fits counts. `secret` keys
    the hashes. With `numbers`, card numbers and IBANs in free text are masked. `rejects` says what becomes of the bytes
    of a rejected line: ``mask`` the numbers in them, ``withhold`` or ``keep`` them all. Where `fields` change anything,
    ``mask`` withholds: nobody knows where in a line that cannot be read these fields stand. Raises ``SourceError`` for
    a wrong rule.
    """

    def __init__(
        self,
        fields: Mapping[str, str] | None = None,
        *,
        secret: str = "",
        numbers: bool = True,
        rejects: Rejects = "mask",
    ) -> None:
        self._rules = read_rules(fields or {})
        if not secret and any(rule.action == "hash" for rule in self._rules):
            raise SourceError(
                "redaction.fields hashes a field, but redaction.hash_secret is not set",
                "Put a long random text into ARREARS_REDACTION__HASH_SECRET; without a key hashes can be guessed",
            )
        self._secret = secret.encode()
        self._numbers = numbers
        changing = any(rule.action != "keep" for rule in self._rules)
        self._rejects: Rejects = "withhold" if changing and rejects == "mask" else rejects
        self._plans: dict[str, Plan] = {}

    def record(self, event: str, record: dict[str, Any]) -> None:
        """Redact the Avro record of an event, in place. A second time changes nothing."""
        plan = self._plans.get(event)
        if plan is None:
            plan = self._plans[event] = self._plan(event, "", tuple(fields_of(event).values()))
        _apply(plan, record)

    def message(self, text: str, event: str | None = None, field: str | None = None) -> str:
        """A sentence that may quote the value of a field of an event."""
        rule = None if field is None else rule_for(self._rules, event, field)
        if rule is not None and rule.action != "keep":
            return _WITHHELD
        return mask_quoted(text) if self._numbers else text

    def reject(self, reject: SourceReject) -> SourceReject:
        """A reject with its message and its bytes redacted; the bytes keep their length unless they are withheld."""
        message = self.message(reject.message, reject.event_type, reject.position.field)
        original = reject.original
        if self._rejects == "mask" and self._numbers:
            original = mask_bytes(original)
        elif self._rejects == "withhold" and original:
            original = b""
            message += "; its bytes are withheld (redaction.rejects)"
        return msgspec.structs.replace(reject, message=message, original=original)

    def _plan(self, event: str, path: str, fields: Sequence[WrittenField]) -> Plan:
        changes = ((field.name, self._change(event, path + field.written, field)) for field in fields)
        return tuple((name, change) for name, change in changes if change is not None)

    def _change(self, event: str, path: str, field: WrittenField) -> Change | None:
        """What is done to the value of a field that is not null; None when nothing is."""
        if field.kind == "mapping":
            return self._mapping_change(event, path, field)
        if field.kind == "records":
            plan = self._plan(event, f"{path}.", field.items)
            return partial(_apply_to_all, plan) if plan else None
        rule = rule_for(self._rules, event, path)
        return self._change_by(rule, field)

    def _mapping_change(self, event: str, path: str, field: WrittenField) -> Change | None:
        """Records that stand for a mapping: the rule is found by the key that each of them has."""
        key, *values = field.items

        @cache
        def plan_of(name: str) -> Plan:
            rule = rule_for(self._rules, event, f"{path}.{name}")
            changes = ((value.name, self._change_by(rule, value)) for value in values)
            return tuple((name, change) for name, change in changes if change is not None)

        def change(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
            for item in items:
                _apply(plan_of(item[key.name]) if self._rules else common, item)
            return items

        common = plan_of("")
        return change if self._rules or common else None

    def _change_by(self, rule: Rule | None, field: WrittenField) -> Change | None:
        if rule is not None and may_apply(rule, field):
            if rule.action == "keep":
                return None
            if rule.action == "drop":
                return partial(_dropped, [] if field.kind == "texts" else "" if field.required else None)
            change = mask_value if rule.action == "mask" else self._hash
            return partial(_each, change) if field.kind == "texts" else change
        if self._numbers and field.written in ACCOUNTS:
            return mask_account
        if self._numbers and field.kind in {"text", "scalar"} and not field.values:
            if field.written in PROSE:
                return mask_numbers
            if field.written in REFERENCES:
                return partial(mask_numbers, networks_only=True)
        return None

    def _hash(self, text: str) -> str:
        """A keyed digest: equal values stay equal, and nobody without the key can try all account numbers."""
        if not text or _IS_HASHED.fullmatch(text):
            return text
        compact = _SEPARATOR.sub("", text)
        if is_iban(compact) or is_card_number(compact):
            text = compact.upper()  # the same account, however it is grouped
        return _HASHED + hmac.new(self._secret, text.encode(), "sha256").hexdigest()[:_HASH_CHARACTERS]


def _apply(plan: Plan, record: dict[str, Any]) -> None:
    for name, change in plan:
        value = record[name]
        if value is not None:
            record[name] = change(value)


def _apply_to_all(plan: Plan, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for record in records:
        _apply(plan, record)
    return records


def _each(change: Callable[[str], str], values: list[str]) -> list[str]:
    return [change(value) for value in values]


def _dropped(instead: object, _: object) -> object:
    return instead


# Account numbers, and card numbers and IBANs in free text: what holds where nothing is configured.
STANDARD = Redactor()
