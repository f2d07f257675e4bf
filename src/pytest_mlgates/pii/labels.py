"""The words that speak for a kind, or for something else, as people and programs write them.

``customer_ssn``, ``employeeSsn`` and ``SSNs`` are one label: a context is cut into words at
underscores, at changes of case and between letters and digits. A label counts most where it stands
right before a value, with nothing but filler between (``card number is:``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

__all__ = [
    "BIRTH", "CARD", "DEA", "IBAN", "OTHER", "PAID", "PAID_AFTER", "PHONE", "PHONE_NOUN", "SSN",
    "Names", "is_labelled", "is_named", "is_other", "one_of", "words",
]  # fmt: skip

# the signs of vowels in the scripts of India and Thailand are no letters to ``\w``
_WORD = re.compile(
    r"[A-Z]{2,}s\b|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|(?:[^\W\d_A-Za-z]|[\u0900-\u0963\u0971-\u0dff\u0e31-\u0e4e])+|#"
)
Names = Callable[[str], bool]


def words(context: str) -> list[str]:
    """Return the words of a context, in small letters without accents.

    >>> words('"employeeSsn": '), words("customer_SSNs="), words("Número de cartão: ")
    (['employee', 'ssn'], ['customer', 'ssns'], ['numero', 'de', 'cartao'])
    """
    if not context.isascii():
        parts = unicodedata.normalize("NFKD", context)
        context = unicodedata.normalize(
            "NFC", "".join(c for c in parts if not "\u0300" <= c <= "\u036f")
        )
    return [word.lower() for word in _WORD.findall(context)]


def one_of(*patterns: str, anywhere: str = "") -> Names:
    """Return a test whether a word is one of some; ``anywhere`` may stand inside other scripts."""
    whole = re.compile("|".join(patterns))
    inside = re.compile(anywhere) if anywhere else None

    @lru_cache(maxsize=1 << 13)
    def is_one(word: str) -> bool:
        if whole.fullmatch(word):
            return True
        return bool(inside and not word.isascii() and inside.search(word))

    return is_one


CARD = one_of(
    r"\w{0,8}cards?|cc|ccn|ccnum|ccnumber|cardn\w{1,6}|cardholder\w*|pan|visa|maestro|mastercard|amex",
    r"diners|unionpay|rupay|\w{0,8}kart(?:e|en|ennummer|ennr)|cartes?|tarjetas?|cartao|karta|karty|karte",
    r"kort|kortnummer|kaart|kaartnummer|kartu|kart|kortti|creditcard\w*|americanexpress",
    anywhere="карт[аыуеой]|卡号|卡號|银行卡|銀行卡|信用卡|カード|카드|بطاق|कार्ड|บัตร|כרטיס|καρτα",
)
PAID = one_of(
    r"charg\w*|billed|billing|pays?|paid|paying|payments?|payable|refund\w*|declined|debited|purchased?",
    r"checkout|bezahlt|gezahlt|paye|pagad\w|pagamento|paiement|subscription|betaald|betald",
    anywhere="оплат|支付|付款|支払",
)
#: words of an identity number of the USA; pairs are written as one
IBAN = one_of(r"ibans?|iban\w{1,6}|bankaccount|accountno|accountnumber|kontonummer|compte|konto")
SSN = one_of(
    r"ssns?|sss?|socials?|socialsecurity\w*|socsec\w*|itins?|tins?|taxpayers?|taxids?|taxno|taxnum\w*",
    r"socsecno|taxpayerid",
)
PHONE = one_of(
    r"tel|tele?fon\w*|\w*phones?|phoned|cal(?:l|ls|led|ling)|mobile?s?|mobil\w*|cell\w*|fax\w*|whatsapp",
    r"textme|ring|dial\w*|reach\w*|handy\w*|portable|celular|movil|sms|contact|kontakt|puhelin|gsm|rang",
    anywhere="телефон|тел|电话|電話|手机|手機|전화|휴대|هاتف|फोन|โทร|τηλ|טלפון",
)
#: those of them that are a label, and no verb
PHONE_NOUN = one_of(
    r"tel|tele?fon\w*|\w*phones?|mobile?s?|mobil(?:nummer|nr|telefon)|cellphone|cellular|fax|faxes|faxno|whatsapp|handy\w*",
    r"portable|celular|movil|gsm|puhelin|phoneno|phonenumber",
    anywhere="телефон|тел|电话|電話|手机|手機|전화|휴대|هاتف|फोन|โทร|τηλ|טלפון",
)
DEA = one_of(r"dea|licen[cs]es?|prescri\w*|physicians?|doctors?|md|dr")
BIRTH = one_of(
    r"dobs?|born|birth\w*|geburt\w*|geb|nacid\w|nacimiento|naissance|nascita|nato|nata|nascimento",
    r"geboren|urodz\w*|syntym\w*|fodt|fodd|dateofbirth",
    anywhere="рожд|出生|生年月日|생년월일|ميلاد|जन्म",
)
#: right before a number: it counts something else, and the word says what
OTHER = one_of(
    r"orders?|tracking|track|invoices?|u?u?ids?|guids?|refs?|references?|parcels?|shipments?|serials?|sn",
    r"isbn|imei|imsi|iccid|tickets?|timestamps?|skus?|transactions?|txn|bookings?|reservations?|barcodes?",
    r"ean|gtin|upc|batch|lot|confirmation|receipts?|po|packages?|waybill|consignment|fedex|ups|usps|dhl",
    r"vouchers?|coupons?|loyalty|memberships?|members?|meter|models?|commits?|hash|sha|md|ts|ms|ns|epoch",
    r"versions?|builds?|sessions?|traces?|spans?|claims?|policy|licen[cs]es?|registration|assets?|parts?",
    r"pn|catalog(?:ue)?|items?|articles?|products?|dockets?|cases?|ndc|cas|folio|pnr|jobs?|runs?|seed",
    r"offset|bytes|size|tweets?|posts?|auftrags?\w*|bestell\w*|rechnung\w*|sendung\w*|commande|facture",
    r"pedidos?|factura|ordine|fattura|zamowieni[ea]",
    anywhere="заказ|订单|訂單|运单|注文|주문",
)
#: what may stand between a label and its value
_FILLER = one_of(
    r"numbers?|num|nos?|nr|n|nummer|numero|numeros?|numer|is|was|are|ist|est|es|the|of|de|del|do|da|my|your"
    r"|value|field|column|col|on|file|ending|digits|ids?|code|cod|plain|full|text|raw|details?|info|#|\d{1,2}",
    anywhere=".",
)
_COUNT = one_of(r"numbers?|num|nos?|nr|n|nummer|numero|ids?|code|key|is|was|#|\d")
#: "the number on your request is": not the request's own
_ASIDE = {"in", "on", "to", "for", "with", "at"}, {"this", "the", "any", "your", "our", "that"}

_AFTER = r"(?:exp\b|expir|valid|cv[vc]|charged|declined|approved|billed|debited|refunded"
PAID_AFTER = re.compile(
    r"\W{0,6}(?:(?:and|was|is|has been|got|been|with|wurde)\W{1,3}){0,3}"
    + _AFTER
    + r"|(?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?[2-4]\d\b)|[&?;,]\W?(?:exp|cv[vc])",
    re.IGNORECASE,
)


def is_named(near: Sequence[str], names: Names) -> bool:
    """Tell whether a word, or two or three that are written as one, is among some words.

    >>> is_named(words("Soc. Sec. No. "), SSN), is_named(words("S.S.N. "), SSN)
    (True, True)
    """
    for word in near:
        if names(word):
            return True
    first, second = "", ""  # the two words before, where they may be parts of one
    for word in near:
        if word.isdigit() or word == "#":
            first = second = ""
            continue
        if second and (names(second + word) or (first and names(first + second + word))):
            return True
        first, second = second, word
    return False


def is_labelled(before: Sequence[str], names: Names) -> bool:
    """Tell whether a label stands right before, with nothing but filler between.

    >>> is_labelled(words("my card number is: "), CARD), is_labelled(words("card, or else "), CARD)
    (True, False)
    """
    for place in range(len(before) - 1, max(-1, len(before) - 7), -1):
        word = joined = before[place]
        if names(word):
            return True
        for first in (place - 1, place - 2):
            if first < 0 or joined.isdigit() or before[first].isdigit():
                break
            joined = before[first] + joined
            if names(joined):
                return True
        if not _FILLER(word):
            return False
    return False


def is_other(before: Sequence[str]) -> bool:
    """Tell whether the label right before says that the number counts something else.

    >>> is_other(words("order no. ")), is_other(words("For your order we charged "))
    (True, False)
    >>> is_other(words("the number on your ticket is "))
    False
    """
    for place in range(len(before) - 1, max(-1, len(before) - 6), -1):
        word = before[place]
        if OTHER(word) or (place and OTHER(before[place - 1] + word)):
            first, second = _ASIDE
            return not (place >= 2 and before[place - 1] in second and before[place - 2] in first)
        if not _COUNT(word):
            return False
    return False
