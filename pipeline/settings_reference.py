"""The settings written out: ``config/reference.toml`` and ``docs/configuration.md``.

``python -m pipeline.settings_reference`` writes both again; a test fails when they are not what the model says.
"""

import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pipeline.settings import Settings, section_model, variable_name
from pipeline.settings_base import Section

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "config" / "reference.toml"
DOCUMENT = ROOT / "docs" / "configuration.md"

_HEAD = """\
# Every setting with its default. A file needs only what differs: see minimal.toml.
# The two addresses are comments, because an address that is given keeps `arrears up` from starting a part of its own.
# A variable ARREARS_SECTION__FIELD of the environment wins over the file, e.g. ARREARS_KAFKA__BOOTSTRAP_SERVERS.
# Written from the model of the settings: python -m pipeline.settings_reference
"""

_DOCUMENT_HEAD = """\
# Configuration

Settings come from three places; the first that has a value wins:

1. the environment, `ARREARS_SECTION__FIELD`, e.g. `ARREARS_KAFKA__BOOTSTRAP_SERVERS`;
2. a TOML file: `arrears --config FILE`, or `ARREARS_CONFIG`, or `arrears.toml` in the current directory;
3. the defaults below.

[config/minimal.toml](../config/minimal.toml) has the least you need against services of your own,
[config/reference.toml](../config/reference.toml) everything with its default. A key or variable that is not known is an
error, so a misspelt one cannot do nothing silently. Paths count from the current directory. Passwords are better set in
the environment; they are never written to logs.

Without any settings everything runs on this machine: `arrears up` starts a broker and a ClickHouse of its own. An
address that is given (`kafka.bootstrap_servers`, `clickhouse.url`) always wins over them. While `arrears up` runs, the
other commands in the same directory find its addresses by themselves, also when its preferred ports were taken.

The rules of a company (time zone, buckets, tolerances, …) are not settings of the program: each company has a file of
its own in `companies.folder`, and they reach the workers as events.

<!-- The rest is written from the model of the settings: python -m pipeline.settings_reference -->
"""


def reference_toml() -> str:
    """Every section and key with its default, below a comment that explains it."""
    parts = [_HEAD]
    for name in Settings.model_fields:
        model = section_model(name)
        lines = [f"# {_purpose(model)}", f"[{name}]"]
        for field, info in model.model_fields.items():
            mark = "# " if is_choice(info) else ""
            lines += [f"# {_sentence(info)}", f"{mark}{field} = {_toml(_default(info))}"]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def document() -> str:
    """``docs/configuration.md``: a table per section."""
    parts = [_DOCUMENT_HEAD]
    for name in Settings.model_fields:
        model = section_model(name)
        lines = [f"## [{name}]", "", _purpose(model), "", "| key | default | allowed | meaning |", "|---|---|---|---|"]
        for field, info in model.model_fields.items():
            cells = (f"`{field}`", f"`{_toml(_default(info))}`", _allowed(info), _cell(info.description or ""))
            lines.append(f"| {' | '.join(cells)} |")
        parts.append("\n".join(lines) + "\n")
    parts.append(
        f"Every key has its variable, e.g. `{variable_name('kafka', 'topic_prefix')}` for `topic_prefix` of `[kafka]`. "
        "Text is taken as it\nis, without quotes.\n"
    )
    return "\n".join(parts)


def is_choice(info: FieldInfo) -> bool:
    """Whether the presence of the field says something, even with its default."""
    return isinstance(info.json_schema_extra, dict) and bool(info.json_schema_extra.get("choice"))


def _purpose(model: type[Section]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _sentence(info: FieldInfo) -> str:
    allowed = _allowed(info).replace("`", "")
    return f"{info.description}. Allowed: {allowed}" if "or" in allowed.split() else f"{info.description}."


def _default(info: FieldInfo) -> object:
    value = info.get_default(call_default_factory=False)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _toml(value: object) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:_}" if value >= 10_000 else str(value)
    if isinstance(value, float):
        return str(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_toml(key)} = {_toml(part)}' for key, part in value.items())}}}"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _allowed(info: FieldInfo) -> str:
    """What a field takes, in words."""
    kind, bounds = _unwrap(info)
    if get_origin(kind) is Literal:
        *first, last = (f"`{value}`" for value in get_args(kind))
        return f"{', '.join(first)} or {last}"
    if get_origin(kind) is dict:
        return "table of whole numbers" if get_args(kind)[1] is not str else "table of texts"
    words = {int: "whole number", float: "number", str: "text", SecretStr: "text", Path: "path", bool: "true or false"}
    return f"{words[kind]}{_bounds(bounds)}"


def _unwrap(info: FieldInfo) -> tuple[Any, list[Any]]:
    """The plain type of a field, and what else its annotation says."""
    kind, metadata = info.annotation, list(info.metadata)
    while True:
        if get_origin(kind) is Annotated:
            kind, *more = get_args(kind)
            metadata += more
        elif get_origin(kind) in {Union, types.UnionType}:
            kind = next(part for part in get_args(kind) if part is not type(None))
        else:
            return kind, metadata


def _bounds(metadata: list[Any]) -> str:
    found: dict[str, object] = {}
    for item in metadata:
        for constraint in getattr(item, "metadata", [item]):
            for kind, sign in ((annotated_types.Ge, "ge"), (annotated_types.Gt, "gt"), (annotated_types.Le, "le")):
                if isinstance(constraint, kind):
                    found[sign] = getattr(constraint, sign)
    if "ge" in found and "le" in found:
        return f", {found['ge']} to {found['le']}"
    if "gt" in found:
        return f" above {found['gt']}"
    return f", at least {found['ge']}" if "ge" in found else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    REFERENCE.write_text(reference_toml(), encoding="utf-8")
    DOCUMENT.write_text(document(), encoding="utf-8")
