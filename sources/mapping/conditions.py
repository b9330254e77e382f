"""Conditions of a mapping (`when`) → functions of a row."""

import re
from collections.abc import Callable, Mapping, Sequence

from sources.mapping.model import Condition

Cells = Sequence[str]
Test = Callable[[Cells], bool]


def compile_conditions(
    conditions: Mapping[str, Condition],
    index_of: Mapping[str, int],
    is_empty: Callable[[str], bool],
    read_amount: Callable[[str], str],
) -> Test:
    """One function that is true where all the conditions hold. `index_of` gives a column's place in the row.

    A `sign` condition raises ``ValueError`` on a text that is not an amount: the row is bad, not just another kind.
    """
    tests = [_compile(condition, index_of[column], is_empty, read_amount) for column, condition in conditions.items()]
    return _all_of(tests)


def _all_of(tests: Sequence[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda cells: all(test(cells) for test in tests)


def _compile(
    condition: Condition, index: int, is_empty: Callable[[str], bool], read_amount: Callable[[str], str]
) -> Test:
    tests: list[Test] = []
    if condition.equals is not None:
        wanted = frozenset(condition.equals)
        tests.append(lambda cells: cells[index] in wanted)
    if condition.differs is not None:
        unwanted = frozenset(condition.differs)
        tests.append(lambda cells: cells[index] not in unwanted)
    if condition.empty is not None:
        empty = condition.empty
        tests.append(lambda cells: is_empty(cells[index]) is empty)
    if condition.matches is not None:
        pattern = re.compile(condition.matches)
        tests.append(lambda cells: pattern.search(cells[index]) is not None)
    if condition.sign is not None:
        sign = condition.sign
        tests.append(lambda cells: not is_empty(cells[index]) and _sign(read_amount(cells[index])) == sign)
    return _all_of(tests)


def _sign(amount: str) -> str:
    if not amount.strip("-0."):
        return "zero"
    return "negative" if amount.startswith("-") else "positive"
