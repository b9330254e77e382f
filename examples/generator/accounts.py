"""What else a system records: master data, rates of exchange, holds, what users did."""

from datetime import date, timedelta

from examples.generator.company import Company
from examples.generator.customers import Customer
from examples.generator.dice import Dice
from examples.generator.facts import END, START, Fact

# Ten-thousandths of the base currency for one unit.
_RATES = {
    "FR01": {"USD": 8_560, "GBP": 11_480},
    "US01": {"EUR": 11_680, "GBP": 13_410},
    "JP01": {"USD": 1_562_000},
}
_LIMITS = {"key": (120_000, 400_000), "mid": (25_000, 90_000), "small": (4_000, 15_000)}
_YEN_PER_UNIT = 160


def master_data(company: Company, customers: list[Customer]) -> list[Fact]:
    """Every account on the first day, and a few changes later."""
    dice = Dice(company.code, "accounts")
    facts = []
    for customer in customers:
        low, high = _LIMITS[customer.segment]
        units = dice.between(low // 1000, high // 1000) * 1000
        fields = {
            "name": customer.name,
            "parent_account_id": customer.parent,
            "credit_limit": units * _YEN_PER_UNIT if customer.currency == "JPY" else units * 100,
            "currency": customer.currency,
            "risk_class": {"prompt": "A", "slow": "B", "late": "C", "troubled": "D"}[customer.habit],
            "segment": customer.segment,
            "collector_id": customer.collector,
        }
        facts.append(Fact(company.at(START, dice, 8, 9), "AccountChanged", customer.account, "master-data", fields))
    for customer in customers:
        if customer.habit == "troubled":
            day = company.business_day(date(2026, 6, 1) + timedelta(days=dice.between(0, 40)))
            held = company.at(day, dice, 15, 16)
            facts.append(Fact(held, "AccountHoldPlaced", customer.account, "controller", {"reason": "past_due"}))
            if dice.chance(40):
                released = company.at(company.business_days_after(day, dice.between(10, 40)), dice, 15, 16)
                facts.append(
                    Fact(released, "AccountHoldReleased", customer.account, "controller", {"reason": "payment_plan"})
                )
        elif dice.chance(4):
            day = company.business_day(date(2026, 3, 1) + timedelta(days=dice.between(0, 120)))
            changed = company.at(day, dice, 15, 16)
            facts.append(Fact(changed, "AccountChanged", customer.account, "master-data", {"dunning_block": True}))
    return facts


def exchange_rates(company: Company) -> list[Fact]:
    """One rate a week for every foreign currency, wandering a little."""
    dice = Dice(company.code, "rates")
    facts = []
    for currency, first in _RATES[company.code].items():
        rate, day = first, company.business_day(START)
        while day <= END:
            digits = f"{rate:05}"
            fields = {"base_currency": currency, "quote_currency": company.base_currency,
                      "rate": f"{digits[:-4]}.{digits[-4:]}", "rate_date": day}  # fmt: skip
            facts.append(Fact(company.at(day, dice, 6, 6), "ExchangeRateSet", None, "treasury", fields))
            rate += rate * dice.between(-80, 80) // 10_000
            day = company.business_day(day + timedelta(days=7))
    return facts


def user_activity(company: Company, customers: list[Customer]) -> list[Fact]:
    """A sample of what people do in the user interface; it changes no balance."""
    dice = Dice(company.code, "activity")
    people = [*company.clerks, *company.collectors]
    facts = []
    day = company.business_day(START)
    while day <= END:
        user = dice.pick(people)
        came = company.at(day, dice, 8, 8)
        facts.append(Fact(came, "UserActivityLogged", None, user, {"action": "login", "succeeded": not dice.chance(6)}))
        customer = dice.pick(customers)
        action = dice.weighted((("view", 6), ("export", 2), ("data_changed", 1)))
        fields = {"action": action, "entity_type": "account", "entity_id": customer.account, "succeeded": True}
        if action == "data_changed":
            fields["changes"] = {"phone": {"old": None, "new": f"+{dice.between(10**9, 10**10 - 1)}"}}
        facts.append(Fact(company.at(day, dice, 10, 16), "UserActivityLogged", customer.account, user, fields))
        day = company.business_days_after(day, dice.between(1, 5))
    return facts
