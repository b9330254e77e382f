"""The customers: names, terms, habits of payment, parents."""

from dataclasses import dataclass

from examples.generator.company import Company
from examples.generator.dice import Dice

# Habit: how customers of a class pay; days after the due date, and how often each class occurs.
HABITS = (("prompt", 48), ("slow", 32), ("late", 15), ("troubled", 5))
_TERMS = ((30, 55), (45, 25), (60, 20))
_SEGMENTS = (("key", 1), ("mid", 4), ("small", 6))

_FRENCH = ("Brossard", "Carpentier", "Delmas", "Fontanel", "Girardin", "Hautbois", "Jourdain", "Lacombe",
           "Marchetti", "Noailles", "Perrault", "Quintard", "Rochefort", "Sauvageot", "Tavernier",
           "Vauclair", "Wattelet")  # fmt: skip
_FRENCH_TRADES = ("Ateliers {} SARL", "Distribution {} SAS", "{} Frères SA", "Papeteries {} SAS", "Établissements {}")
_BRITISH = ("Ashcombe", "Birtwell", "Cranleigh", "Dunmore", "Elmsworth", "Fairbourne", "Garside", "Holloway")
_BRITISH_TRADES = ("{} Supplies Ltd", "{} & Sons Ltd", "{} Trading plc")
_AMERICAN = ("Amberline", "Bluestem", "Cedar Ridge", "Dunwoody", "Eastfork", "Fallbrook", "Granite Peak",
             "Harborview", "Ironwood", "Juniper", "Keystone", "Larkspur", "Mesa Verde", "Northgate", "Oakhurst",
             "Pinecrest")  # fmt: skip
_AMERICAN_TRADES = (
    "{} Logistics Inc.",
    "{} Manufacturing LLC",
    "{} Foods Corp.",
    "{} Health Partners",
    "{} Retail Co.",
)
_JAPANESE = ("Aoba", "Chikuma", "Fujimi", "Hamada", "Ishikari", "Kanazawa", "Minato", "Nagisa", "Okazaki", "Shinano")
_JAPANESE_TRADES = ("{} Shoji K.K.", "{} Kogyo K.K.", "{} Denki Co., Ltd.", "{} Seisakusho")

_PARENTS_PERCENT = 10
_CHILDREN_MAX = 3


@dataclass(frozen=True)
class Customer:
    """A customer account. `payday` is the weekday of its payment run (0 = Monday)."""

    account: str
    name: str
    habit: str
    segment: str
    terms_days: int
    currency: str
    payday: int
    method: str
    collector: str
    parent: str | None = None


def customers_of(company: Company) -> list[Customer]:
    """All customers, in the order of their numbers; the parent of a group comes before its children."""
    dice = Dice(company.code, "customers")
    names = _Names(company, dice)
    customers: list[Customer] = []
    parent: Customer | None = None
    children = 0
    for number in range(company.customers):
        if children:
            children -= 1
        else:
            parent = None
        currency = parent.currency if parent else dice.weighted(company.currencies)
        customer = Customer(
            account=_account(company, number),
            name=names(currency),
            habit=dice.weighted(HABITS),
            segment="key" if parent else dice.weighted(_SEGMENTS),
            terms_days=dice.weighted(_TERMS),
            currency=currency,
            payday=dice.between(0, 4),
            method=dice.weighted((("transfer", 7), ("direct_debit", 2), ("cheque", 1))),
            collector=dice.pick(company.collectors),
            parent=parent.account if parent else None,
        )
        customers.append(customer)
        if parent is None and number < company.customers - _CHILDREN_MAX and dice.chance(_PARENTS_PERCENT):
            parent, children = customer, dice.between(2, _CHILDREN_MAX)
    return customers


def _account(company: Company, number: int) -> str:
    return {"FR01": f"{104700 + number * 3}", "US01": f"C-{2001 + number}", "JP01": f"T{310 + number * 2:05}"}[
        company.code
    ]


class _Names:
    """Names of companies by the country that the currency suggests; no name twice."""

    def __init__(self, company: Company, dice: Dice) -> None:
        self._dice = dice
        self._home = {
            "FR01": (_FRENCH_TRADES, _FRENCH),
            "US01": (_AMERICAN_TRADES, _AMERICAN),
            "JP01": (_JAPANESE_TRADES, _JAPANESE),
        }[company.code]
        self._abroad = {"GBP": (_BRITISH_TRADES, _BRITISH), "USD": (_AMERICAN_TRADES, _AMERICAN),
                        "EUR": (_FRENCH_TRADES, _FRENCH)}  # fmt: skip
        self._base = company.base_currency
        self._taken: set[str] = set()

    def __call__(self, currency: str) -> str:
        trades, families = self._home if currency == self._base else self._abroad[currency]
        while True:
            name = self._dice.pick(trades).format(self._dice.pick(families))
            if name not in self._taken:
                self._taken.add(name)
                return name
