"""Texts with a value in each, made of what others publish: Faker, libphonenumber, Presidio's templates, Kingfisher's rules.

Nothing here comes from the product. Each text names the kind of its value and where it stands.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from faker import Faker

__all__ = ["CONTEXTS", "KEY_CONTEXTS", "SSN_LABELS", "Labelled", "groups"]

HERE = Path(__file__).parent
LOCALES = (
    "en_US", "en_GB", "en_IN", "en_AU", "de_DE", "fr_FR", "it_IT", "es_ES", "es_MX", "nl_NL", "pl_PL", "pt_BR", "sv_SE",
    "no_NO", "cs_CZ", "tr_TR", "ru_RU", "ja_JP", "zh_CN", "ko_KR",
)  # fmt: skip
#: sentences round a card number; none has the label of another number right before it
CONTEXTS = (
    "my card is {}", "{}", "Your order was paid from {}.", "For your order we charged {}.", "This time I used {}.",
    "In this case it is {}.", "I'd like to claim a refund to {}", "the number on your request is {}",
    "Last time you gave us {} and it was declined", "Booking paid with {} exp 12/27", "In any case {} should work",
    "Confirmation: {} was charged 20 USD", "transaction on {} declined", "receipt: {} APPROVED", "The PAN is {}",
    "Your subscription is billed to {}", "we have {} on file for you", "Charge {} for 20 dollars",
    "Registration fee charged to {}", "loyalty points; paid with {}", "https://shop.example/pay?pan={}",
    "GET /pay?number={}&cvv=123", '{{"credit_card": "{}"}}', "<td>{}</td>", "credit_card: {}.0", "номер карты {}", "卡号\uff1a{}\u3002",
    "Kartennummer {}", "numéro de carte : {}", "card no. {} 2031", r"paid\n{}\nthanks", "k%3D{}%26x=1", "\x1b[32m{}\x1b[0m",
)  # fmt: skip
SSN_LABELS = (
    "ssn", "SSN", "customer_ssn", "ssn_number", "SSN_VALUE", "my_ssn_field", "ssn1", "SSNs", "ssn no", "SS#", "SS No.",
    "S.S.N.", "soc sec", "social", "social_security_number", "socialSecurityNumber", "soc_sec_no", "tax id", "tax_id",
    "taxId", "TaxID", "TIN", "tin_number", "itin", "employee_itin", "taxpayer", "customerSSN", "ssnLast", "employeeSsn",
    "PatientSSN", "us_ssn", "Social Sec. No.", "FEIN", "ssn_encrypted", "last4ssn",
)  # fmt: skip
KEY_CONTEXTS = ("key: {}", "{}", '{{"token":"{}"}}', "see {}.", "export K='{}'")
MAIL_CONTEXTS = (
    "write to {}", "{}", "<{}>", "https://news.x/out?email={}", "https://x.org/u/{}/edit", "see https://x.org mailto:{}",
    "cc: {};", "{}:hunter2", "k%3D{}%26", "name,{},42",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, the kind of the value in it, where that stands, and the region it takes to know it."""

    kind: str
    text: str
    start: int
    end: int
    region: str = ""


def within(kind: str, context: str, value: str, region: str = "") -> Labelled:
    """Put a value into a context with one ``{}``."""
    left, right = context.replace("{{", "{").replace("}}", "}").split("{}")
    return Labelled(kind, left + value + right, len(left), len(left) + len(value), region)


def groups(count: int, seed: int = 5) -> Iterator[tuple[str, list[Labelled]]]:
    """Yield the name of each group of texts and the texts, about ``count`` each."""
    draw = random.Random(seed)
    yield from _cards(count, draw)
    yield (
        "US_SSN in Faker's form",
        [
            within("US_SSN", draw.choice(("ssn {}", "{}", "my social is {}.", "a,{},b")), value)
            for value in _faked("en_US", "ssn", count)
        ],
    )
    yield (
        "US_SSN, nine digits, 35 labels",
        [
            within("US_SSN", form, _digits(draw, label))
            for label in SSN_LABELS
            for form in (label + ": {}", f'"{label}": "{{}}"')
        ],
    )
    yield (
        "IBAN_CODE, 20 locales",
        [
            within("IBAN_CODE", draw.choice(("IBAN {}", "{}", "pay to {} now")), written)
            for locale in LOCALES
            for value in _faked(locale, "iban", max(2, count // 20))
            for written in (value, " ".join(value[at : at + 4] for at in range(0, len(value), 4)))
        ],
    )
    yield (
        "EMAIL_ADDRESS, 20 locales",
        [
            within("EMAIL_ADDRESS", draw.choice(MAIL_CONTEXTS), value)
            for locale in LOCALES
            for value in _faked(locale, "company_email", max(2, count // 20))
        ],
    )
    yield (
        "IP_ADDRESS",
        [
            within("IP_ADDRESS", draw.choice(("from {} port 22", "{}", "ip={}")), value)
            for method in ("ipv4_public", "ipv6")
            for value in _faked("en_US", method, count // 2)
        ],
    )
    yield from _phones(draw)
    yield (
        "PHONE_NUMBER, Faker, 20 locales, by region",
        [
            within(
                "PHONE_NUMBER",
                draw.choice(("call me on {} please", "phone: {}", "Tel. {}")),
                value,
                locale[-2:],
            )
            for locale in LOCALES
            for value in _faked(locale, "phone_number", max(2, count // 20))
        ],
    )
    shapes = list(_shapes())
    yield (
        f"API_KEY, {len(shapes)} public shapes",
        [
            within("API_KEY", context, _made(shape, draw))
            for _, shape in shapes
            for context in KEY_CONTEXTS
        ],
    )
    yield from _templates(count, draw)


def _cards(count: int, draw: random.Random) -> Iterator[tuple[str, list[Labelled]]]:
    types = (
        "amex", "diners", "discover", "jcb15", "jcb16", "maestro", "mastercard", "visa13", "visa16", "visa19",
    )  # fmt: skip
    fake = Faker("en_US")
    fake.seed_instance(3)
    for type_ in types:
        numbers = [fake.credit_card_number(type_) for _ in range(max(len(CONTEXTS), count // 4))]
        yield (
            f"CREDIT_CARD {type_}",
            [
                within("CREDIT_CARD", CONTEXTS[at % len(CONTEXTS)], number)
                for at, number in enumerate(numbers)
            ],
        )
    joins = (
        " ",
        "-",
        "\u00a0",
        "&nbsp;",
        "%20",
        "+",
        ", ",
        " | ",
        "\n",
        "\u2011",
        ".",
        "\u202f",
        "</td><td>",
    )
    numbers = [fake.credit_card_number("visa16") for _ in range(count)]
    yield (
        "CREDIT_CARD visa16 by fours, 13 separators",
        [
            within(
                "CREDIT_CARD",
                draw.choice(
                    ("my card is {} ok", "card: {}", "card {} exp 12/29", "for card {} today")
                ),
                draw.choice(joins).join(re.findall("....", number)),
            )
            for number in numbers
        ],
    )
    yield (
        "CREDIT_CARD visa16 by fours beside other groups",
        [
            within("CREDIT_CARD", context, " ".join(re.findall("....", number)))
            for number, context in zip(
                numbers,
                (
                    "in 2024 {}",
                    "my credit card {} 2027",
                    "{} 9876",
                    "exp 0327 {}",
                    "sum 2500 {} EUR",
                    "{} 12/27 123",
                )
                * count,
                strict=False,
            )
        ],
    )


def _phones(draw: random.Random) -> Iterator[tuple[str, list[Labelled]]]:
    import phonenumbers

    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    for name, form, contexts in (
        (
            "international",
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            ("call me at {} please", "{}"),
        ),
        (
            "national, by region",
            phonenumbers.PhoneNumberFormat.NATIONAL,
            ("call me on {} please", "phone: {}", "Tel. {}"),
        ),
    ):
        found = []
        for region in sorted(phonenumbers.SUPPORTED_REGIONS):
            for kind in kinds:
                number = phonenumbers.example_number_for_type(region, kind)
                if number is not None:
                    value = phonenumbers.format_number(number, form)
                    found.append(within("PHONE_NUMBER", draw.choice(contexts), value, region))
        yield f"PHONE_NUMBER, all regions, {name}", found


def _templates(count: int, draw: random.Random) -> Iterator[tuple[str, list[Labelled]]]:
    """Yield texts of the templates of presidio-research, where that is installed."""
    kinds = {
        "credit_card_number": "CREDIT_CARD", "ssn": "US_SSN", "iban": "IBAN_CODE", "email": "EMAIL_ADDRESS",
        "phone_number": "PHONE_NUMBER", "ip_address": "IP_ADDRESS",
    }  # fmt: skip
    try:
        folder = resources.files("presidio_evaluator.data_generator.raw_data")
        lines = folder.joinpath("templates.txt").read_text("utf-8").splitlines()
    except ModuleNotFoundError:
        return
    fake = Faker("en_US")
    fake.seed_instance(8)
    values = {
        "credit_card_number": fake.credit_card_number, "ssn": fake.ssn, "iban": fake.iban, "email": fake.company_email,
        "phone_number": lambda: fake.numerify("(201) 555-%###"), "ip_address": fake.ipv4_public,
        "person": fake.name, "city": fake.city, "address": fake.street_address, "organization": fake.company,
    }  # fmt: skip
    for slot, kind in kinds.items():
        fit = [line for line in lines if line.count("{{" + slot + "}}") == 1]
        if not fit:
            continue
        made = []
        for _ in range(count // 4):
            left, right = draw.choice(fit).split("{{" + slot + "}}")
            left, right = (
                re.sub(r"\{\{(\w+)\}\}", lambda m: str(values.get(m[1], fake.word)()), part)
                for part in (left, right)
            )
            made.append(
                within(
                    kind,
                    left.replace("{}", "") + "{}" + right.replace("{}", ""),
                    str(values[slot]()),
                )
            )
        yield f"{kind}, templates of presidio-research", made


def _faked(locale: str, method: str, count: int) -> Iterator[str]:
    fake = Faker(locale)
    fake.seed_instance(6)
    make: Callable[[], str] | None = getattr(fake, method, None)
    for _ in range(count if make else 0):
        assert make is not None
        yield make()


def _digits(draw: random.Random, label: str) -> str:
    if "itin" in label:
        return f"9{draw.randrange(10, 99)}70{draw.randrange(1000, 9999)}"
    return f"{draw.randrange(100, 660)}{draw.randrange(10, 99)}{draw.randrange(1000, 9999)}"


_ALPHABETS = {
    "hex": "0123456789abcdef", "num": string.digits, "pos": "123456789", "let": string.ascii_letters,
    "an": string.ascii_letters + string.digits, "up": string.ascii_uppercase + string.digits,
    "low": string.ascii_lowercase + string.digits, "u64": string.ascii_letters + string.digits + "-_",
    "b64": string.ascii_letters + string.digits + "+/", "b32": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "b58": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", "bech": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}  # fmt: skip


@cache
def _shapes() -> tuple[tuple[str, str], ...]:
    lines = (HERE / "keys.txt").read_text("utf-8").splitlines()
    pairs = (line.split(" | ", 1) for line in lines if line and not line.startswith("#"))
    return tuple((name, shape) for name, shape in pairs)


def _made(shape: str, draw: random.Random) -> str:
    def more(alphabet: str, size: int) -> str:
        return "".join(draw.choices(_ALPHABETS[alphabet], k=size))

    def part(value: object) -> str:
        return (
            base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode())
            .decode()
            .rstrip("=")
        )

    def crc() -> str:
        body = more("an", 30)
        check, digits = zlib.crc32(body.encode()), ""
        while check:
            check, rest = divmod(check, 62)
            digits = (string.digits + string.ascii_uppercase + string.ascii_lowercase)[
                rest
            ] + digits
        return body + digits.rjust(6, "0")

    lines = "\n".join(base64.b64encode(draw.randbytes(48)).decode() for _ in range(12))
    named = {
        "crc": crc,
        "jwt": lambda: (
            f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': more('num', 10)})}.{more('u64', 43)}"
        ),
        "jwtnone": lambda: f"{part({'alg': 'none'})}.{part({'sub': more('num', 10)})}.",
        "jwtlong": lambda: (
            f"{part({'alg': 'RS256'})}.{part({'x': more('an', 4500)})}.{more('u64', 342)}"
        ),
        "jwe": lambda: ".".join(
            [
                part({"alg": "RSA-OAEP", "enc": "A256GCM"}),
                *(more("u64", n) for n in (342, 16, 80, 22)),
            ]
        ),
        "jwtx5c": lambda: (
            f"{part({'alg': 'RS256', 'x5c': [more('b64', 1500)]})}.{part({'sub': '1'})}.{more('u64', 342)}"
        ),
        "jwtblank": lambda: (
            f"eyAiYWxnIjogIkhTMjU2IiB9.{part({'sub': more('num', 10)})}.{more('u64', 43)}"
        ),
        "pem": lambda: f"\n{lines}\n",
        "pembase64": lambda: base64.b64encode(
            f"-----BEGIN PRIVATE KEY-----\n{lines}\n".encode()
        ).decode(),
        "basic": lambda: base64.b64encode(f"admin:{more('an', 12)}".encode()).decode(),
    }
    return re.sub(
        r"\{(?:([a-z0-9]+):(\d+)|([a-z0-9]+))\}",
        lambda m: more(m[1], int(m[2])) if m[1] else named[m[3]](),
        shape,
    )
