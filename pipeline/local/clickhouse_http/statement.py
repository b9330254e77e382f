"""Just enough of ClickHouse's SQL to see where a statement's data begin and in which format its answer goes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.local.clickhouse_http.errors import SYNTAX_ERROR, UNKNOWN_TYPE_OF_QUERY, EngineError

# Longest first: comments, quoted text (backslash escapes, doubled quotes), words, any other character.
_TOKEN = re.compile(
    rb"""(?P<space>[\s\x00]+|--[^\n]*(?:\n|$)|\#(?:!|\ )[^\n]*(?:\n|$)|/\*.*?\*/)
       | (?P<quoted>'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`\\]|\\.|``)*` | \$(\w*)\$.*?\$\3\$)
       | (?P<word>[^\W\d]\w*)
       | (?P<number>\d[\w.]*)
       | (?P<open>[(\[{])
       | (?P<close>[)\]}])
       | (?P<end>;)
       | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_AFTER_FORMAT = re.compile(rb"[ \t\f]*\r?\n?")

# Statements that give rows; the rest give none, or a few.
READS = frozenset({"SELECT", "WITH", "FROM", "VALUES", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK"})
# Statements after which a session is not like a new one.
SESSION_CHANGES = frozenset({"SET", "USE", "BEGIN", "COMMIT", "ROLLBACK"})


@dataclass(frozen=True)
class Statement:
    """One statement, looked at from outside: its first word in capitals, and the format that it names if it does."""

    text: bytes
    keyword: str
    format: str | None = None
    changes_session: bool = False

    @property
    def is_read(self) -> bool:
        """Whether the statement only reads."""
        return self.keyword in READS


@dataclass(frozen=True)
class InsertWithData:
    """An INSERT whose data follow it: the text before SETTINGS, FORMAT or VALUES, and where the data begin."""

    target: bytes
    settings: bytes
    format: str
    data_start: int

    def from_file(self, path: str) -> bytes:
        """The same INSERT, its data in a file."""
        return b"%b FROM INFILE '%b' COMPRESSION 'none' %b FORMAT %b" % (
            self.target,
            path.replace("\\", "\\\\").replace("'", "\\'").encode(),
            self.settings,
            self.format.encode(),
        )


def find_data(text: bytes) -> InsertWithData | None:
    """INSERT INTO t [(columns)] [SETTINGS …] {FORMAT name data | VALUES data}; None for any other statement.

    ``text`` may be the beginning of a statement whose data are still on their way.
    """
    words = _words(text)
    if next(words, ("", 0, 0))[0] != "INSERT":
        return None
    settings: int | None = None
    for word, start, end in words:
        target_end = start if settings is None else settings
        if word == "SETTINGS" and settings is None:
            settings = start
        elif word == "VALUES":
            return InsertWithData(text[:target_end], text[target_end:start], "Values", end)
        elif word == "FORMAT":
            named = next(words, None)
            if named is None:
                return None
            name = text[named[1] : named[2]].decode("utf-8", "replace")
            after = _AFTER_FORMAT.match(text, named[2])
            data_start = after.end() if after else named[2]
            return InsertWithData(text[:target_end], text[target_end:start], name, data_start)
        elif word in {"SELECT", "WITH", "FROM"}:
            return None
    return None


def parse(text: bytes) -> Statement:
    """Look at one whole statement.

    Raises ``EngineError`` when there is none, when there are several, and when it would read or write files of
    the server, as ClickHouse's HTTP interface does.
    """
    words = [word for word, _, _ in _words(text)]
    if not words:
        raise EngineError(SYNTAX_ERROR, "Syntax error: Empty query. (SYNTAX_ERROR)")
    if file_clause := {"INFILE", "OUTFILE"}.intersection(words):
        raise EngineError(UNKNOWN_TYPE_OF_QUERY, f"{file_clause.pop()} is for clients only. (UNKNOWN_TYPE_OF_QUERY)")
    trimmed, named = _check_rest(text)
    return Statement(trimmed, words[0], named, changes_session=words[0] in SESSION_CHANGES or "TEMPORARY" in words[1:4])


def _words(text: bytes) -> Iterator[tuple[str, int, int]]:
    """The words outside of quotes, comments and brackets: text in capitals, start, end."""
    depth = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
        elif kind == "word" and depth <= 0:
            yield match[0].decode("utf-8", "replace").upper(), match.start(), match.end()


def _check_rest(text: bytes) -> tuple[bytes, str | None]:
    """The statement without a final semicolon, and the format that it names at its end."""
    end: int | None = None
    named: str | None = None
    pending = False
    depth = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "space":
            continue
        if end is not None and kind != "end":
            raise EngineError(
                SYNTAX_ERROR,
                f"Syntax error (Multi-statements are not allowed): failed at position {end + 1} (end of query). "
                "(SYNTAX_ERROR)",
            )
        if kind == "end":
            end = match.start() if end is None else end
        depth += (kind == "open") - (kind == "close")
        if kind == "word" and pending:
            named = match[0].decode("utf-8", "replace")
        pending = kind == "word" and depth == 0 and match[0].upper() == b"FORMAT"
    return (text if end is None else text[:end]), named
