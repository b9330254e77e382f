"""What credits and payments explain of the amounts by which items shrank. Pure; it never uses more than there is.

Inside one account and currency, what one side lost and another side lost by the same list was settled between them:

1. a payment of the list of payments that names an item pays it first;
2. a credit that lost exactly what one item lost was applied to it;
3. what is left is applied oldest due first: credit memos, then payments that shrank, then payments of the list.
"""

from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

from sources.snapshot.items import Kind


class Shrunk(msgspec.Struct):
    """An invoice by so much smaller than the list before said. `names` are texts by which a payment may name it."""

    number: str
    account: str | None
    due: int
    left: int
    names: frozenset[str] = frozenset()


class Used(msgspec.Struct):
    """A credit or payment of which so much was used, or, from the list of payments, so much may have been.

    `must` says that the list of open items itself shows it as used.
    """

    kind: Kind
    number: str
    order: int
    left: int
    must: bool
    references: tuple[str, ...] = ()


class Explained(msgspec.Struct, frozen=True):
    """So much of a credit settled so much of an invoice."""

    used: Used
    shrunk: Shrunk
    amount: int


def explain(shrunk: Sequence[Shrunk], used: Sequence[Used]) -> Iterator[Explained]:
    """The settlements inside one account and currency; `left` of both sides is lowered by them."""
    oldest = sorted(shrunk, key=lambda item: (item.due, item.number))
    # Credit memos come before payments in the alphabet, too.
    in_order = sorted(used, key=lambda credit: (not credit.must, credit.kind, credit.order, credit.number))
    by_name: dict[str, list[Shrunk]] = {}
    for item in oldest:
        for name in item.names:
            by_name.setdefault(name, []).append(item)
    for credit in in_order:
        for reference in credit.references:
            for item in by_name.get(reference, ()):
                yield from _settle(credit, item)
    by_amount: dict[int, deque[Shrunk]] = {}
    for item in oldest:
        by_amount.setdefault(item.left, deque()).append(item)
    for credit in in_order:
        if credit.left and (same := by_amount.get(credit.left)):
            yield from _settle(credit, same.popleft())
    waiting = deque(item for item in oldest if item.left)
    for credit in in_order:
        while credit.left and waiting:
            yield from _settle(credit, waiting[0])
            if not waiting[0].left:
                waiting.popleft()


def _settle(credit: Used, item: Shrunk) -> Iterator[Explained]:
    amount = min(credit.left, item.left)
    if amount:
        credit.left -= amount
        item.left -= amount
        yield Explained(credit, item, amount)
