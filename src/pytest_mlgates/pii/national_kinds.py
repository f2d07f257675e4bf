"""The national identifiers that are known, as data: pattern, check, how much it tells, its words.

The check digits are those of python-stdnum, module by module; only where it has none (the NINO of
the United Kingdom) the rule is in the pattern. ``rest`` is the pattern of what follows the first
character, in all the layouts of its country; what is written with a separator is laid out.

Sources: the modules of python-stdnum 2.2; HMRC, National Insurance Manual NIM39110 (NINO).
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mlgates.pii.labels import Names, one_of

__all__ = ["KINDS", "REGIONS", "NationalKind"]

_MONTH, _DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
#: letters of the Italian code that stand for digits where two people would share one
_D = r"[\dLMNP-V]"


@dataclass(frozen=True, slots=True)
class NationalKind:
    """One identifier: ``checks`` is the piece of evidence that a right check gives."""

    region: str
    module: str
    first: str
    rest: str
    checks: str
    words: Names


_ONE, _MORE, _MUCH = (
    "one check digit",
    "more than one check digit",
    "check digit and much structure",
)

KINDS = (
    NationalKind(
        "BR", "br.cpf", r"\d", r"\d\d(?:\.\d{3}\.\d{3}[-/]|\d{6}-?| \d{3} \d{3} )\d\d", _MORE,
        one_of(r"cpfs?|cadastropessoa\w*|pessoafisica|contribuinte"),
    ),
    NationalKind(
        "CA", "ca.sin", r"\d", r"\d\d([ -]?)\d{3}\1\d{3}", _ONE,
        one_of(r"sins?|socialinsurance\w*|assurancesociale|nas")
    ),
    NationalKind(
        "CN", "cn.ric", r"[1-9]", rf"\d{{5}}([ -]?)(?:18|19|20)\d\d{_MONTH}{_DAY}\1\d{{3}}[\dX]", _MUCH,
        one_of(
            r"ric|resident(?:id)?|identity(?:card)?|idcards?|nationalid|citizenid|shenfenzheng|sfz",
            anywhere="身份证|身份證|身分证|公民身份",
        ),
    ),
    NationalKind(
        "ES", "es.dni", r"\d", r"(?:\d{7}|\d\.\d{3}\.\d{3})[ -]?[A-HJ-NP-TV-Z]", _ONE,
        one_of(r"dnis?|nifs?|documentonacional|identidad|tarjetaidentidad"),
    ),
    NationalKind(
        "ES", "es.nie", r"[X-Z]", r"([ -]?)(?:\d{7}|\d\.\d{3}\.\d{3})\1[A-HJ-NP-TV-Z]", _MORE,
        one_of(r"nies?|nifs?|extranjeros?|identidad|foreigners?"),
    ),
    NationalKind(
        "FR", "fr.nir", r"[12]",
        rf"([ .-]?)\d\d\1(?:{_MONTH}|[2-9]\d)\1(?:\d\d|2[AB])\1\d{{3}}\1\d{{3}}[ ./-]{{0,3}}\d\d", _MORE,
        one_of(r"nirs?|insee|secu|nss|securitesociale|socialsecurity|secusociale|vitale|immatriculation"),
    ),
    NationalKind(
        "GB", "", r"[A-CEGHJ-PR-TW-Z]",
        r"(?<!B)[A-CEGHJ-NPR-TW-Z](?<!BG|GB|KN|NK|NT|TN|ZZ)([ -]?)\d\d\1\d\d\1\d\d\1[A-D]",
        "no check digit",
        one_of(r"ninos?|ni|nationalinsurance\w*|natins\w*"),
    ),
    NationalKind(
        "IN", "in_.aadhaar", r"[2-9]", r"\d{3}([ -]?)\d{4}\1\d{4}", _ONE,
        one_of(r"aa?dh?aa?r(?:id|card)?|adhar|uidai", anywhere="आधार|ஆதார்|ఆధార్|আধার|આધાર"),
    ),
    NationalKind(
        "IT", "it.codicefiscale", r"[A-Z]",
        rf"[A-Z]{{2}}([ -]?)[A-Z]{{3}}\1{_D}{{2}}[A-EHLMPRST]{_D}{{2}}\1[A-Z]{_D}{{3}}[A-Z]", _MUCH,
        one_of(r"codicefiscale|codfisc\w*|fiscale|cf|taxcode|fiscalcode"),
    ),
    NationalKind(
        "KR", "kr.rrn", r"\d", rf"\d{_MONTH}{_DAY} ?-? ?[0-9]\d{{6}}", _MORE,
        one_of(
            r"rrns?|residentregistration|resident|jumin\w*|nationalid",
            anywhere="주민|외국인등록",
        ),
    ),
    NationalKind(
        "NL", "nl.bsn", r"\d", r"(?:\d{8}|\d{3}[. ]\d\d[. ]\d{3}|\d\d([ .-])\d{3}\1\d{3})", _ONE,
        one_of(r"bsns?|burgerservice\w*|burger|sofi\w*|citizenservice")
    ),
    NationalKind(
        "PL", "pl.pesel", r"\d", rf"\d(?:[02468][1-9]|[13579][0-2]){_DAY}[ -]?\d{{5}}", _MORE,
        one_of(r"pesel\w*|ewidencyjny"),
    ),
)  # fmt: skip

#: whose national identifiers are known
REGIONS = tuple(sorted({kind.region for kind in KINDS}))
