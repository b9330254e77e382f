"""Errors of the engine as ClickHouse's HTTP interface reports them."""

import re

SYNTAX_ERROR = 62
UNKNOWN_TYPE_OF_QUERY = 78
QUERY_IS_TOO_LARGE = 229
NOT_IMPLEMENTED = 48
UNKNOWN_SETTING = 115
NOT_ENOUGH_SPACE = 243
CANNOT_DECOMPRESS = 271
UNKNOWN_COMPRESSION_METHOD = 89
REQUIRED_PASSWORD = 194
SESSION_NOT_FOUND = 372
SESSION_IS_LOCKED = 373
AUTHENTICATION_FAILED = 516
STD_EXCEPTION = 1001

# As ClickHouse's src/Server/HTTP/exceptionCodeToHTTPStatus.cpp has it; every other code is 500.
_STATUS_CODES: dict[int, tuple[int, ...]] = {
    # BAD_ARGUMENTS, CANNOT_COMPILE_REGEXP, CANNOT_PARSE_…, DUPLICATE_COLUMN, ILLEGAL_COLUMN, THERE_IS_NO_COLUMN,
    # …_AST, SYNTAX_ERROR, INCORRECT_DATA, TYPE_MISMATCH, VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
    400: (36, 427, 6, 25, 26, 27, 38, 41, 72, 376, 441, 675, 676, 15, 44, 8, 37, 123, 167, 168, 223, 62, 117, 53, 321),
    401: (REQUIRED_PASSWORD,),
    # UNKNOWN_USER, WRONG_PASSWORD, ACCESS_DENIED, SET_NON_GRANTED_ROLE
    403: (192, 193, 497, 512, AUTHENTICATION_FAILED),
    # UNKNOWN_…: FUNCTION, IDENTIFIER, TYPE, STORAGE, TABLE, AGGREGATE_FUNCTION, FORMAT, TYPE_OF_QUERY, DATABASE,
    # SETTING, DIRECTION_OF_SORTING, DATABASE_ENGINE, ROLE
    404: (46, 47, 50, 56, 60, 63, 73, UNKNOWN_TYPE_OF_QUERY, 81, UNKNOWN_SETTING, 152, 336, 511),
    408: (159,),  # TIMEOUT_EXCEEDED
    411: (381,),  # HTTP_LENGTH_REQUIRED
    413: (QUERY_IS_TOO_LARGE,),
    415: (779,),  # UNSUPPORTED_MEDIA_TYPE
    501: (NOT_IMPLEMENTED,),
    503: (76, 209, 439),  # CANNOT_OPEN_FILE, SOCKET_TIMEOUT, CANNOT_SCHEDULE_TASK
}
_STATUS_OF_CODE = {code: status for status, codes in _STATUS_CODES.items() for code in codes}

_MESSAGE = re.compile(r"Code: (\d+)\. DB::Exception: (.*)", re.DOTALL)
_WRAPPED = re.compile(r"^Code: \d+\. DB::Exception: (.*?)(?: \(version [^)]*\))?\.?(?: \([A-Z_0-9]+\))?$", re.DOTALL)

_OWN_FILE = re.compile(r"\s*: \(in file/uri [^)]*\)|: While executing File: data for INSERT was parsed from file")


class EngineError(Exception):
    """A query that failed: ClickHouse's code, and the message without the code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status that ClickHouse gives this code."""
        return _STATUS_OF_CODE.get(self.code, 500)

    def text(self, version: str) -> str:
        """The body of the response, as a server of this version writes it."""
        return f"Code: {self.code}. DB::Exception: {self.message} (version {version} (official build))\n"


def engine_error(error: Exception) -> EngineError:
    """What the engine raised, taken apart: it gives its errors as text, those of files wrapped in another."""
    match = _MESSAGE.search(str(error))
    if match is None:
        return EngineError(STD_EXCEPTION, f"{error}. (STD_EXCEPTION)")
    code, message = int(match[1]), match[2].strip()
    if wrapped := _WRAPPED.match(message):
        message = wrapped[1]
    # Where our own file with the data of an insert is, is nobody's business.
    return EngineError(code, _OWN_FILE.sub("", message))
