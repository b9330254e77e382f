"""Events to rows of `events`, by Python source that is generated once per event type.

An event is not decoded: both ends of the envelope are copied in one piece each, texts are copied with the length that
Avro puts before them, and only the payload becomes JSON, in the form people write it (SCENARIOS §1). The generated
function reads the bytes once, from left to right. Measured against decoding in Python and against decoding in
ClickHouse in docs/adr/0011-events-are-transcoded.md.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from avro.written import SCALE, WrittenField, WrittenRecord
from sinks import payload
from sinks.container import encode_length, encode_string
from sinks.event_row import CATEGORY_OF, ENVELOPE_HEAD, ENVELOPE_TAIL, OTHER_CATEGORY, OTHER_NAMES, SUBJECTS
from sinks.payload import NULL, PLAIN

Transcoder = Callable[[bytes], bytes]
_INDENT = "    "
# A length is nearly always one byte: a positive number below 64, doubled by the zig-zag.
_LENGTH = ("n = b[p]", "if n < 128: n >>= 1; p += 1", "else: n, p = length_at(b, p)")
_QUOTED = ("text", "identifier", "currency", "decimal", "scalar")


def compile_transcoder(schema: Mapping[str, Any], written: WrittenRecord) -> Transcoder:
    """The transcoder of one event type: a wire-format value in, the datum of `event_row_schema` out.

    The value's schema must be the given one. Raises IndexError, ValueError or OverflowError for bytes that are cut off
    or damaged in a way that shows; what does not show here is refused by the store.
    """
    source = "\n".join(_function(schema, written))
    names: dict[str, Any] = {
        "encode_length": encode_length,
        "PLAIN": PLAIN,
        **{
            name: getattr(payload, name)
            for name in ("long_at", "length_at", "escape", "date_text", "instant_text", "number_text", "read_double",
                         "scale_of", "amount_text", "amount_column")
        },
    }  # fmt: skip
    exec(compile(source, f"<transcoder of {written.name}>", "exec"), names)  # noqa: S102  our own text, from our schemas
    return cast("Transcoder", names["transcode"])


def _function(schema: Mapping[str, Any], written: WrittenRecord) -> Iterator[str]:
    types = {field["name"]: field["type"] for field in schema["fields"]}
    order = list(types)
    head, tail = len(ENVELOPE_HEAD), len(ENVELOPE_TAIL)
    if order[:head] != list(ENVELOPE_HEAD) or order[-tail:] != list(ENVELOPE_TAIL):
        raise ValueError(f"{written.name} does not begin and end with the envelope of an event")
    yield "def transcode(b):"
    yield _INDENT + "p = 5"
    for type_ in ENVELOPE_HEAD.values():
        yield from _indented(_skip(type_))
    yield _INDENT + "h = p"
    fields = {field.name: field for field in written.fields}
    names = order[head:-tail]
    for name in names:
        if isinstance(types[name], list):
            yield _INDENT + f"e_{name} = {NULL!r}"
    yield _INDENT + "j = []"
    yield from _indented(_record(names, types, fields, "j", None))
    yield _INDENT + 'j = b"{%b}" % b",".join(j)'
    first = encode_string(written.name) + encode_string(CATEGORY_OF.get(written.name, OTHER_CATEGORY))
    pieces = [repr(first), "b[5:h]"]
    for column in (*SUBJECTS, "currency"):
        name = column if column in types else OTHER_NAMES.get(column, "")
        pieces.append(f"e_{name}" if name in names else repr(NULL))
    pieces.append("a_amount" if "amount_minor" in names else repr(NULL))
    pieces += ["encode_length(len(j))", "j", "b[p:]"]
    yield _INDENT + f"return b''.join(({', '.join(pieces)}))"


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (_INDENT + line for line in lines)


def _skip(type_: Any) -> Iterator[str]:
    """Move `p` behind a field of the envelope's head."""
    if isinstance(type_, list):
        yield "if b[p] == 0:"
        yield _INDENT + "p += 1"
        yield "else:"
        yield _INDENT + "p += 1"
        yield from _indented(_skip(type_[1]))
    elif type_ == "string":
        yield from _LENGTH
        yield "p += n"
    else:
        yield "while b[p] > 127:"
        yield _INDENT + "p += 1"
        yield "p += 1"


def _record(
    names: list[str], types: Mapping[str, Any], fields: Mapping[str, WrittenField], out: str, currency: str | None
) -> Iterator[str]:
    """Read the fields of a record and append their JSON to the list `out`; amounts come last, when all is known.

    `currency` is the variable with the currency that holds for amounts which have no scale of their own.
    """
    if "currency" in names:
        currency = "t_currency"
        if isinstance(types["currency"], list):
            yield "t_currency = None"
    scaled = SCALE in names
    amounts: list[str] = []
    for name in names:
        variable = name if out == "j" else f"{out}_{name}"
        type_ = types[name]
        if name == SCALE:
            yield "scale, p = long_at(b, p)"
            continue
        field = fields[name]
        if field.kind in {"amount", "scaled_amount"}:
            amounts.append(name)
            if isinstance(type_, list):
                yield f"m_{variable} = None"
        read = _value(field, _branch(type_), variable, out, currency)
        if isinstance(type_, list):
            yield "if b[p] == 0:"
            yield _INDENT + "p += 1"
            yield "else:"
            yield _INDENT + "p += 1"
            yield from _indented(read)
        else:
            yield from read
    for name in amounts:
        variable = name if out == "j" else f"{out}_{name}"
        scale = "scale" if scaled else f"scale_of({currency} or b'')"
        yield from _amount(fields[name], variable, out, scale, isinstance(types[name], list))


def _branch(type_: Any) -> Any:
    return type_[1] if isinstance(type_, list) else type_


def _value(field: WrittenField, type_: Any, variable: str, out: str, currency: str | None) -> Iterator[str]:
    """Read one value that is there, and append it."""
    key = f'b\'"{field.written}":'
    if field.kind in _QUOTED:
        yield "s = p"
        yield from _LENGTH
        yield "t = b[p : p + n]; p += n"
        yield f"{out}.append({key}\"%b\"' % t if not t.translate(None, PLAIN) else {key}' + escape(t))"
        if out == "j":
            yield f"e_{field.name} = b[s:p]"
            if field.name == "currency":
                yield "t_currency = t"
    elif field.kind in {"amount", "scaled_amount"}:
        yield f"m_{variable}, p = long_at(b, p)"
    elif field.kind in {"texts", "records", "mapping"}:
        yield from _array(field, type_, variable, out, currency)
    elif field.kind == "boolean":
        yield f"{out}.append({key}true' if b[p] else {key}false'); p += 1"
    elif field.kind == "number":
        yield f"{out}.append({key}' + number_text(read_double(b, p)[0])); p += 8"
    else:
        texts = {"date": "date_text(n)", "instant": "instant_text(n)", "integer": "b'%d' % n"}
        yield f"n, p = long_at(b, p); {out}.append({key}' + {texts[field.kind]})"


def _array(field: WrittenField, type_: Any, variable: str, out: str, currency: str | None) -> Iterator[str]:
    """Read the blocks of an array; a negative count is followed by the block's size."""
    items = f"i_{variable}"
    yield f"{items} = []"
    yield "while True:"
    yield _INDENT + "c, p = long_at(b, p)"
    yield _INDENT + "if c == 0: break"
    yield _INDENT + "if c < 0:"
    yield _INDENT * 2 + "c = -c; n, p = long_at(b, p)"
    yield _INDENT + f"for {variable}_number in range(c):"
    inner = _INDENT * 2
    opening, closing = ("{", "}") if field.kind == "mapping" else ("[", "]")
    if field.kind == "texts":
        yield inner + "n, p = length_at(b, p)"
        yield inner + "t = b[p : p + n]; p += n"
        yield inner + f"{items}.append(escape(t))"
    else:
        members = {member["name"]: member["type"] for member in type_["items"]["fields"]}
        written = {member.name: member for member in field.items}
        names = list(members)
        part = f"r_{variable}"
        if field.kind == "mapping":
            yield inner + "n, p = length_at(b, p)"
            yield inner + f"k_{variable} = escape(b[p : p + n]); p += n"
            names = names[1:]
        yield inner + f"{part} = []"
        for line in _record(names, members, written, part, currency):
            yield inner + line
        key = f"k_{variable} + b':' + " if field.kind == "mapping" else ""
        yield inner + f"{items}.append({key}b'{{%b}}' % b','.join({part}))"
    yield f'{out}.append(b\'"{field.written}":{opening}%b{closing}\' % b",".join({items}))'


def _amount(field: WrittenField, variable: str, out: str, scale: str, optional: bool) -> Iterator[str]:
    """Append an amount as a decimal text; one whose currency has no known scale stays in minor units."""
    inner = ""
    is_column = out == "j" and field.name == "amount_minor"
    if is_column:
        yield f"a_amount = {NULL!r}"
    if optional:
        yield f"if m_{variable} is not None:"
        inner = _INDENT
    yield inner + f"x = {scale}"
    yield inner + "if x is None:"
    yield inner + _INDENT + f"{out}.append(b'\"{field.name}\":%d' % m_{variable})"
    yield inner + "else:"
    yield inner + _INDENT + f"{out}.append(b'\"{field.written}\":' + amount_text(m_{variable}, x))"
    if is_column:
        yield inner + _INDENT + f"a_amount = amount_column(m_{variable}, x)"
