"""BAI type codes: which detail entries are customers' cash, which take it back, and what the others are.

From appendix A of the cash management specification, version 2, and its successor (ANSI X9.121): from 100 credits,
from 400 debits, from 700 loans, from 900 each bank's own (from 920 credits, from 960 debits). A credit is cash
unless its code says that it is something else: unidentified cash can be parked, lost cash cannot be found.
"""

from collections.abc import Mapping
from typing import Final

from sources.bank.entry import ReturnReason

# Totals. They belong into 03 records; in a 16 they would be counted beside what they total.
_SUMMARY_CODES: Final = (
    "100 101 102 105 106 107 109 110 120 130 131 140 146 150 159 160 162 163 167 170 178 180 182 185 186 188 190 200 "
    "205 207 210 215 230 231 239 245 250 251 256 260 270 271 280 285 294 302 303 304 305 307 309 310 315 316 318 319 "
    "320 321 324 325 326 327 328 329 330 332 336 338 340 341 343 350 352 355 356 360 361 370 385 389 390"
)
_SUMMARIES: Final = frozenset(_SUMMARY_CODES.split())
_PASSED_OVER: Final[Mapping[str, str]] = {
    "own_transfer": "135 145 274 275 276 277 278 281 286 347",
    "interest": "242 244 346 354 359",
    "investment": "202 226 232 233 234 235 236 238 240 241 243 246 247 248 249 306 348 349 351",
    "loan": "171 364",
    # Our own payments that came back, and corrections of debits.
    "returned_payment": "123 168 255 257 258 261 266 268 395",
    "reversal_of_debit": "252",
    "bank_adjustment": "189 196 254 263 344 357 358 363 368 372 376 381 383 386 388 397",
    "fee_refund": "398",
}
_CREDITS: Final = {code: why for why, codes in _PASSED_OVER.items() for code in codes.split()}
_RETURNS: Final[Mapping[str, ReturnReason]] = {
    "552": "recall",  # credit reversal
    "555": "nsf",  # deposited item returned
    "557": "nsf",  # individual ACH return item
    "558": "recall",  # ACH reversal debit
    "566": "nsf",  # return item
    "694": "recall",  # deposit reversal
}
_FEES: Final = frozenset(("448", "484", "524", "564", "567", "654", "659", "661", "698"))
_ITEMS: Final = {"116": "115", "136": "135", "143": "142", "156": "155", "345": "342"}
_DEPOSITS: Final = frozenset(
    (
        "115",
        "116",
        "118",
        "136",
        "147",
        "156",
        "172",
        "173",
        "174",
        "175",
        "176",
        "184",
        "187",
        "222",
        "301",
        "353",
        "366",
    )
)
LOCKBOX: Final = "lockbox"
METHODS: Final[Mapping[str, str]] = {
    "115": LOCKBOX,
    "116": LOCKBOX,
    "118": "lockbox_adjustment",
    "142": "ach",
    "143": "ach",
    "155": "draft",
    "158": "real_time_payment",
    "164": "ach",
    "165": "ach",
    "166": "ach",
    "169": "ach",
    "147": "card",
    "173": "check",
    "175": "check",
    "176": "check",
    "195": "wire",
    "208": "wire",
    "222": "check",
}


def treatment(code: str) -> str:
    """`received`, `returned`, or the word under which an entry of this code is passed over."""
    number = int(code)
    if 100 <= number < 400 or 920 <= number < 960:
        return "summary" if code in _SUMMARIES else _CREDITS.get(code, "received")
    if 400 <= number < 700 or number >= 960:
        return "returned" if code in _RETURNS else "fee" if code in _FEES else "debit"
    if 700 <= number < 800:
        return "loan"
    return "information" if code == "890" else "summary"


def reason_of_return(code: str) -> ReturnReason:
    """Why cash of this code went back, where the entry gives no reason of its own."""
    return _RETURNS.get(code, "recall")


def deposit_of(code: str) -> str | None:
    """The code of the deposit whose items have this code: both stand in a statement, and are one cash."""
    return _ITEMS.get(code)


def is_deposit(code: str) -> bool:
    """Whether a credit is paid in over the counter or by a lockbox: its customer reference is then a slip or a shop."""
    return code in _DEPOSITS
