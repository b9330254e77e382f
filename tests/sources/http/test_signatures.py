"""Signatures of providers, with the examples that they publish."""

import base64
import hashlib
import hmac
from typing import Any

import pytest

from sources.http.webhooks import signatures
from sources.http.webhooks.signatures import WrongSignatureError

# The example of GoCardless's own client libraries.
GOCARDLESS_SECRET = "ED7D658C-D8EB-4941-948B-3973214F2D49"  # noqa: S105  published
GOCARDLESS_BODY = (
    b'{"events":[{"id":"EV00BD05S5VM2T","created_at":"2018-07-05T09:13:51.404Z","resource_type":"subscriptions",'
    b'"action":"created","links":{"subscription":"SB0003JJQ2MR06"},"details":{"origin":"api","cause":"subscription_created",'
    b'"description":"Subscription created via the API."},"metadata":{}},{"id":"EV00BD05TB8K63",'
    b'"created_at":"2018-07-05T09:13:56.893Z","resource_type":"mandates","action":"created",'
    b'"links":{"mandate":"MD000AMA19XGEC"},"details":{"origin":"api","cause":"mandate_created",'
    b'"description":"Mandate created via the API."},"metadata":{}}]}'
)
GOCARDLESS_SIGNATURE = "2693754819d3e32d7e8fcb13c729631f316c6de8dc1cf634d6527f1c07276e7e"
# The example of Adyen's own client libraries.
ADYEN_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
ADYEN_ITEM: dict[str, Any] = {
    "pspReference": "7914073381342284",
    "merchantAccountCode": "TestMerchant",
    "merchantReference": "TestPayment-1407325143704",
    "amount": {"value": 1130, "currency": "EUR"},
    "eventCode": "AUTHORISATION",
    "success": "true",
    "additionalData": {"hmacSignature": "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="},
}
STRIPE_SECRET = "whsec_test_secret"  # noqa: S105
BODY = b'{\n  "id": "evt_test_webhook",\n  "object": "event"\n}'
AT = 1_774_857_600


def stripe_header(secret: str = STRIPE_SECRET, at: int = AT, body: bytes = BODY, scheme: str = "v1") -> str:
    signed = f"{at}.".encode() + body
    return f"t={at},{scheme}={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def check_stripe(
    header: str, *, now: float = AT, body: bytes = BODY, secrets: tuple[str, ...] = (STRIPE_SECRET,)
) -> None:
    signatures.stripe(header, body, secrets, now, 300)


def test_the_published_example_of_gocardless() -> None:
    signatures.gocardless(GOCARDLESS_SIGNATURE, GOCARDLESS_BODY, ["another", GOCARDLESS_SECRET])


@pytest.mark.parametrize(
    ("header", "body", "secret"),
    [
        ("NOTVERYCONVINCING", GOCARDLESS_BODY, GOCARDLESS_SECRET),
        ("", GOCARDLESS_BODY, GOCARDLESS_SECRET),
        (GOCARDLESS_SIGNATURE, GOCARDLESS_BODY + b" ", GOCARDLESS_SECRET),
        (GOCARDLESS_SIGNATURE, GOCARDLESS_BODY, GOCARDLESS_SECRET.lower()),
        (GOCARDLESS_SIGNATURE[:-1] + "f", GOCARDLESS_BODY, GOCARDLESS_SECRET),
        ("é" + GOCARDLESS_SIGNATURE, GOCARDLESS_BODY, GOCARDLESS_SECRET),
    ],
)
def test_what_gocardless_did_not_sign(header: str, body: bytes, secret: str) -> None:
    with pytest.raises(WrongSignatureError):
        signatures.gocardless(header, body, [secret])


def test_the_published_example_of_adyen() -> None:
    signatures.adyen(ADYEN_ITEM, [ADYEN_KEY])
    signatures.adyen(ADYEN_ITEM, ["00" * 32, ADYEN_KEY])


@pytest.mark.parametrize(
    "change",
    [
        {"amount": {"value": 1131, "currency": "EUR"}},
        {"amount": {"value": 1130, "currency": "USD"}},
        {"pspReference": "7914073381342285"},
        {"originalReference": "7914073381342284"},
        {"merchantAccountCode": "Other"},
        {"merchantReference": ""},
        {"eventCode": "REFUND"},
        {"success": "false"},
        {"additionalData": {}},
        {"additionalData": {"hmacSignature": 1}},
        {"additionalData": {"hmacSignature": "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo1="}},
    ],
)
def test_every_signed_field_of_adyen_counts(change: dict[str, Any]) -> None:
    with pytest.raises(WrongSignatureError):
        signatures.adyen({**ADYEN_ITEM, **change}, [ADYEN_KEY])


def test_a_signature_of_stripe() -> None:
    check_stripe(stripe_header())
    check_stripe(stripe_header(), now=AT + 300)
    check_stripe(stripe_header() + ",v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39")


def test_while_a_secret_is_rotated_either_fits_either() -> None:
    both = f"{stripe_header('whsec_new')},{stripe_header().partition(',')[2]}"
    check_stripe(both)
    check_stripe(both, secrets=("whsec_new",))
    check_stripe(stripe_header("whsec_new"), secrets=(STRIPE_SECRET, "whsec_new"))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        f"t={AT}",
        stripe_header().partition(",")[2],
        stripe_header("whsec_other"),
        stripe_header(scheme="v0"),
        stripe_header(body=BODY + b" "),
        stripe_header().replace(f"t={AT}", f"t={AT + 1}"),
        stripe_header().replace(f"t={AT}", "t=²"),
        stripe_header().replace(f"t={AT}", "t=" + "9" * 400),
    ],
)
def test_what_stripe_did_not_sign(header: str) -> None:
    with pytest.raises(WrongSignatureError):
        check_stripe(header)


@pytest.mark.parametrize("now", [AT + 301, AT + 86_400, AT - 61])
def test_a_right_signature_of_another_time_is_a_replay(now: float) -> None:
    with pytest.raises(WrongSignatureError, match="seconds ago"):
        check_stripe(stripe_header(), now=now)


def test_basic_authentication() -> None:
    def header(words: str) -> str:
        return "Basic " + base64.b64encode(words.encode()).decode()

    signatures.basic_authorization(header("adyen:päss:word"), "adyen", "päss:word")
    for wrong in (header("adyen:other"), header("other:päss:word"), "", "Basic", "Bearer x"):
        with pytest.raises(WrongSignatureError):
            signatures.basic_authorization(wrong, "adyen", "päss:word")
