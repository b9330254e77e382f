"""Lines of syslog: RFC 5424, the older RFC 3164, and the `@cee:` cookie before a JSON message."""

import re

import msgspec

_HEADER = re.compile(r"<(?P<priority>\d{1,3})>1 (?P<time>\S+) (?P<host>\S+) (?P<app>\S+) (?P<process>\S+) (?P<id>\S+) ")
# RFC 3164 has no year, so its time is not taken; rsyslog's own files have an ISO time instead, and no priority.
_OLD_HEADER = re.compile(
    r"(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|(?P<time>\d{4}-\d\d-\d\dT\S+)) "
    r"(?P<host>\S+) (?P<app>[^\s\[:]+)(?:\[[^\]]*\])?: "
)
_STRUCTURED = re.compile(r'-(?: |$)|(?:\[[^\s\]="]+(?: [^\s\]="]+="(?:[^"\\]|\\.)*")*\])+(?: |$)')
_COOKIE = "@cee:"
_NIL = "-"
_BYTE_ORDER_MARK = "\ufeff"


class SyslogLine(msgspec.Struct, frozen=True):
    """What stands before the message. `time` is ISO 8601, empty where the line names none that can be read."""

    time: str
    app: str
    message: str


def syslog_line(text: str) -> SyslogLine | None:
    """The parts of a line of syslog; None for a line that is none."""
    header = _HEADER.match(text)
    if header is not None:
        structured = _STRUCTURED.match(text, header.end())
        if structured is None:
            return None
        message = text[structured.end() :]
    else:
        header = _OLD_HEADER.match(text)
        if header is None:
            return None
        message = text[header.end() :]
    message = message.removeprefix(_BYTE_ORDER_MARK).lstrip().removeprefix(_COOKIE).strip()
    time = header["time"] or ""
    return SyslogLine("" if time == _NIL else time, "" if header["app"] == _NIL else header["app"], message)
