"""The file of webhook endpoints: secrets filled in, mistakes named."""

import json
from pathlib import Path

import pytest

from sources.errors import SourceError
from sources.http.webhooks import stripe
from sources.http.webhooks.registry import read_endpoints
from tests.docs.pages import DOCS, blocks

RIGHT = """
[[endpoint]]
provider = "stripe"
company = "FR01"
secrets = ["env:STRIPE_NEW", "whsec_old"]

[[endpoint]]
provider = "adyen"
company = "US01"
secrets = ["00FF"]
user = "adyen"
password = "env:ADYEN_PASSWORD"
account_key = "shopperReference"
"""


def test_secrets_may_come_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "webhooks.toml"
    file.write_text(RIGHT)
    stripe, adyen = read_endpoints(file, {"STRIPE_NEW": "whsec_new", "ADYEN_PASSWORD": "word"})
    assert stripe.secrets == ("whsec_new", "whsec_old")
    assert (adyen.password, adyen.account_key, adyen.cash_on) == ("word", "shopperReference", "capture")


@pytest.mark.parametrize(
    ("changed", "to", "words"),
    [
        ("env:STRIPE_NEW", "env:NOT_SET", "endpoint 1 .* takes a secret from NOT_SET, which is not set"),
        ('"whsec_old"', '""', "endpoint 1 .* has an empty secret"),
        ('["00FF"]', '["00FG"]', "endpoint 2 .* hexadecimal"),
        ('["00FF"]', "[]", "is not right: .*secrets"),
        ('"stripe"', '"paypal"', "is not right: .*paypal"),
        ('company = "FR01"', 'company = "A|B"', "is not right: .*company"),
        ("user =", "usr =", "is not right: .*usr"),
        ("[[endpoint]]", "[[endpoint", "is not right"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, changed: str, to: str, words: str) -> None:
    file = tmp_path / "webhooks.toml"
    file.write_text(RIGHT.replace(changed, to, 1))
    with pytest.raises(SourceError, match=words):
        read_endpoints(file, {"STRIPE_NEW": "whsec_new", "ADYEN_PASSWORD": "word"})


def test_the_file_of_the_page_is_right_and_its_delivery_becomes_the_events_shown(tmp_path: Path) -> None:
    page = blocks(DOCS / "sources" / "webhooks.md")
    file = tmp_path / "webhooks.toml"
    file.write_text(next(block.text for block in page if block.language == "toml"))
    endpoints = read_endpoints(file, {})
    assert [endpoint.provider for endpoint in endpoints] == ["stripe", "gocardless", "adyen"]
    delivery, shown = (block.text for block in page if block.language == "json")
    mapped = stripe.map_event(json.loads(delivery), endpoints[0].naming)
    assert [*mapped.first, *mapped.then] == [json.loads(line) for line in shown.splitlines()]


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_endpoints(tmp_path / "none.toml")
