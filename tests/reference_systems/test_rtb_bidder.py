"""The bidder: both builds answer alike, speak OpenRTB, and refuse bad input in one line."""

from __future__ import annotations

import http.client
import json
import random
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jsonschema
import pytest

pytest.importorskip("torch")
pytest.importorskip("tokenizers")

from pytest_mlgates.calls.stages import listen
from pytest_mlgates.core.digests import digest_of
from reference_systems.rtb_bidder import bidder as bidder_module
from reference_systems.rtb_bidder import fixed, incident, inputs, openrtb, server
from reference_systems.rtb_bidder.openrtb import InvalidRequest, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _object(required: str, **properties: object) -> dict[str, object]:
    return {"type": "object", "required": required.split(), "properties": properties}


STRING = {"type": "string", "minLength": 1}
PRICE = {"type": "number", "minimum": 0}
FLAG = {"enum": [0, 1]}
STRINGS = {"type": "array", "items": STRING}
DEAL = _object("id", id=STRING, bidfloor=PRICE, wseat=STRINGS)
NODE = _object("asi sid hp", asi=STRING, sid=STRING, hp=FLAG)
CHAIN = _object("complete nodes ver", complete=FLAG, nodes={"type": "array", "items": NODE})
IMP = _object(
    "id",
    id=STRING,
    bidfloor=PRICE,
    video=_object("mimes", mimes={**STRINGS, "minItems": 1}),
    native=_object("request", request={**STRING, "contentMediaType": "application/json"}),
    pmp=_object("", private_auction=FLAG, deals={"type": "array", "items": DEAL}),
) | {"anyOf": [{"required": [kind]} for kind in ("banner", "video", "audio", "native")]}
CONTENT = _object("", title=STRING, keywords=STRING, kwarray=STRINGS, cat=STRINGS)
CHANNEL = _object("", keywords=STRING, kwarray=STRINGS, cat=STRINGS, content=CONTENT)
CHANNEL |= {"not": {"required": ["keywords", "kwarray"]}}
#: what OpenRTB 2.5 and 2.6 require, for the objects that the generator makes
BID_REQUEST = _object(
    "id imp",
    id=STRING,
    at={"type": "integer"},
    tmax={"type": "integer", "minimum": 1},
    imp={"type": "array", "minItems": 1, "items": IMP},
    site=CHANNEL,
    app=CHANNEL,
    regs=_object("", coppa=FLAG, gdpr=FLAG, ext=_object("", gdpr=FLAG)),
    source=_object("", schain=CHAIN, ext=_object("", schain=CHAIN)),
) | {"not": {"required": ["site", "app"]}}
BID = _object(
    "id impid price",
    id=STRING,
    impid=STRING,
    price={"type": "number", "exclusiveMinimum": 0},
    adomain=STRINGS,
    mtype={"enum": [1, 2, 4]},
)
SEAT_BID = _object("bid", bid={"type": "array", "minItems": 1, "items": BID})
BID_RESPONSE = _object(
    "id",
    id=STRING,
    cur={"const": "USD"},
    nbr={"type": "integer", "minimum": 0},
    seatbid={"type": "array", "minItems": 1, "items": SEAT_BID},
) | {"oneOf": [{"required": ["seatbid"]}, {"required": ["nbr"]}]}


def minimal(**more: object) -> dict[str, Any]:
    """Return the least that is a BidRequest, and a banner that bids can win."""
    return {"id": "r1", "imp": [{"id": "1", "banner": {"w": 300, "h": 250}}], **more}


def test_both_builds_give_the_same_tokens_for_requests() -> None:
    rust, loop = fixed.bidder().tokenizer, incident.bidder().tokenizer
    for request in inputs.generated_requests(60, seed=7):
        text = text_of(request)
        assert loop.encode(text) == rust.encode(text)


def test_both_builds_give_the_same_tokens_for_any_text() -> None:
    rust, loop = fixed.bidder().tokenizer, incident.bidder().tokenizer
    rng = random.Random(3)
    letters = [c for c in map(chr, range(sys.maxunicode + 1)) if not "\ud800" <= c <= "\udfff"]
    spaces = "\x1c\x1f\x85\xa0\u1680\u2009\u2028\u200b\u3000\ufeff\x00"
    texts = ["".join(rng.choices(letters, k=40)) for _ in range(100)]
    texts += ["".join(rng.choices("ab \tson\nder" + spaces, k=60)) for _ in range(200)]
    texts += ["", " ", "aaaaaaaaaaaaaaaaa", "ing" * 50, "ionionion" * 9, "the" + "e" * 30]
    for text in texts:
        assert loop.encode(text) == rust.encode(text), ascii(text)


def test_both_builds_give_the_same_bids_and_are_told_apart() -> None:
    requests = inputs.generated_requests(50, seed=8)
    good, bad = fixed.bidder(), incident.bidder()
    assert [good.bid(request) for request in requests] == [bad.bid(request) for request in requests]
    digests = {digest_of(good.bid), digest_of(bad.bid)}
    assert None not in digests
    assert len(digests) == 2


def test_generated_requests_hold_what_openrtb_requires() -> None:
    requests = inputs.generated_requests(300, seed=5)
    check = jsonschema.Draft202012Validator(BID_REQUEST)
    for request in requests:
        check.validate(request)
        assert openrtb.check(json.loads(json.dumps(request))) == request
        for imp in request["imp"]:
            assert "native" not in imp or json.loads(imp["native"]["request"])["assets"]
        assert len({imp["id"] for imp in request["imp"]}) == len(request["imp"])
    kinds = {kind for request in requests for imp in request["imp"] for kind in imp}
    assert {"banner", "video", "native", "pmp", "rwdd"} <= kinds
    assert {"site", "app"} <= {name for request in requests for name in request}
    chains = {"schain" in request["source"] for request in requests}
    assert chains == {True, False}, "2.6 keeps the chain in source, 2.5 in source.ext"


def test_text_lengths_are_heavy_tailed() -> None:
    lengths = sorted(len(text_of(r)) for r in inputs.generated_requests(1000, seed=5))
    assert lengths[990] > 2.5 * lengths[500]


def test_requests_follow_the_seed() -> None:
    assert inputs.bid_requests(20, seed=1) == inputs.bid_requests(20, seed=1)
    assert inputs.bid_requests(20, seed=1) != inputs.bid_requests(20, seed=2)
    assert inputs.generated_requests(20, 1) == inputs.generated_requests(30, 1)[:20]


def test_real_samples_are_mixed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "rtb_bidder"
    folder.mkdir()
    monkeypatch.setenv("MLGATES_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="openrtb-2"):
        inputs.bid_requests(1, seed=1)
    (folder / "openrtb-2.6-sample.json").write_text(json.dumps(minimal(id="real")))
    ids = [request["id"] for request in inputs.bid_requests(200, seed=1)]
    assert 1 <= ids.count("real") <= 30


def test_responses_are_valid_and_answer_what_was_asked() -> None:
    check = jsonschema.Draft202012Validator(BID_RESPONSE)
    bids = 0
    for request in inputs.bid_requests(200, seed=6):
        response = fixed.bidder().bid(request)
        check.validate(response)
        assert response["id"] == request["id"]
        imps = {imp["id"]: imp for imp in request["imp"]}
        for bid in (bid for seat in response.get("seatbid", ()) for bid in seat["bid"]):
            imp = imps[bid["impid"]]
            assert openrtb.FORMATS[str(openrtb.format_of(imp))] == bid["mtype"]
            assert not set(bid["adomain"]) & set(request.get("badv", ()))
            assert not set(bid["cat"]) & set(request.get("bcat", ()))
            if "dealid" in bid:
                deal = next(d for d in imp["pmp"]["deals"] if d["id"] == bid["dealid"])
                assert bidder_module.SEAT in deal["wseat"]
                assert bid["price"] >= deal["bidfloor"]
            else:
                assert bid["price"] >= imp.get("bidfloor", 0)
                assert not imp.get("pmp", {}).get("private_auction")
            bids += 1
    assert bids > 100


def test_prices_follow_what_impressions_were_worth() -> None:
    model, tokenizer = fixed.bidder().model, fixed.bidder().tokenizer
    dear: list[float] = []
    cheap: list[float] = []
    for request, price in inputs.labelled_requests(200, seed=40):
        features = [openrtb.features_of(request, request["imp"][0])]
        (bid,) = model.prices(tokenizer.encode(text_of(request)), features)
        (dear if price > 3 else cheap).append(bid)
    assert sum(dear) / len(dear) > 1.5 * sum(cheap) / len(cheap)


def test_a_childs_or_unwilling_readers_data_is_not_used() -> None:
    user = {"data": [{"name": "p", "segment": [{"name": "secret"}]}], "keywords": "secret"}
    assert "secret" in text_of(minimal(user=user))
    assert "secret" in text_of(minimal(user={**user, "consent": "C1"}, regs={"gdpr": 1}))
    for rules in (
        {"regs": {"coppa": 1}},
        {"regs": {"gdpr": 1}},
        {"regs": {"ext": {"gdpr": 1}}},
        {"device": {"lmt": 1}},
        {"device": {"dnt": 1}},
    ):
        assert "secret" not in text_of(minimal(user=user, **rules))


def test_the_gate_can_see_the_stages() -> None:
    with listen() as clock:
        fixed.bidder().bid(minimal())
        assert list(clock.take()) == ["parse", "tokenize", "model", "respond"]


BROKEN: dict[str, Any] = {
    "a BidRequest is a JSON object": [],
    "id is required and is a string": {"imp": [{"id": "1", "banner": {}}]},
    "imp: at least one impression is required": {"id": "1", "imp": []},
    "imp[0] is not an object": {"id": "1", "imp": [3]},
    "imp[0].id is required and is a string": {"id": "1", "imp": [{"banner": {}}]},
    "imp[0]: one of banner, video, audio, native is required": {"id": "1", "imp": [{"id": "1"}]},
    "imp[0].banner is not an object": {"id": "1", "imp": [{"id": "1", "banner": 5}]},
    "imp[0].video.mimes is required": {"id": "1", "imp": [{"id": "1", "video": {}}]},
    "imp[0].native.request is required and is a string": {
        "id": "1",
        "imp": [{"id": "1", "native": {}}],
    },
    "imp[0].bidfloor is not a price": minimal(
        imp=[{"id": "1", "banner": {}, "bidfloor": float("nan")}]
    ),
    "imp[0].pmp is not an object": minimal(imp=[{"id": "1", "banner": {}, "pmp": [1]}]),
    "imp[0].pmp.deals[0].id is required and is a string": minimal(
        imp=[{"id": "1", "banner": {}, "pmp": {"deals": [{}]}}]
    ),
    "imp[0].pmp.deals[0].bidfloor is not a price": minimal(
        imp=[{"id": "1", "banner": {}, "pmp": {"deals": [{"id": "d", "bidfloor": "1"}]}}]
    ),
    "bcat is not a list of strings": minimal(bcat=[["IAB1"]]),
    "cur is not a list of strings": minimal(cur="USD"),
    "site and app: only one may be present": minimal(site={}, app={}),
    "user is not an object": minimal(user="u"),
}


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_request_is_named(line: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        fixed.bidder().bid(BROKEN[line])
    assert str(caught.value) == line


def test_odd_values_are_survived() -> None:
    huge = 10**400
    banner = {"w": huge, "h": -1, "format": [None, {"w": "x"}]}
    request = minimal(
        imp=[{"id": "1", "banner": banner, "bidfloor": huge}, {"id": "2", "banner": {"w": huge}}],
        site={"page": "half \ud800 a pair", "keywords": 3, "kwarray": [None], "content": []},
        user={"data": [{"segment": {}}, 4]},
        regs={"ext": []},
    )
    good, bad = fixed.bidder().bid(request), incident.bidder().bid(request)
    assert good == bad
    jsonschema.Draft202012Validator(BID_RESPONSE).validate(good)


@pytest.fixture(scope="module")
def connection() -> Iterator[http.client.HTTPConnection]:
    with server.serving(fixed.bidder().bid) as url:
        client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        yield client
        client.close()


def post(
    connection: http.client.HTTPConnection, body: bytes, path: str = server.AUCTION
) -> tuple[int, bytes]:
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, response.read()


def test_http_gives_the_bid_of_the_callable(connection: http.client.HTTPConnection) -> None:
    statuses = set()
    for request in inputs.generated_requests(60, seed=9):
        status, body = post(connection, json.dumps(request).encode())
        expected = fixed.bidder().bid(request)
        statuses.add(status)
        if status == 204:
            assert body == b""
            assert "nbr" in expected
        else:
            assert (status, json.loads(body)) == (200, expected)
    assert statuses == {200, 204}


def test_http_says_no_bid_with_204(connection: http.client.HTTPConnection) -> None:
    audio = minimal(imp=[{"id": "1", "audio": {"mimes": ["audio/mp4"]}}])
    dear = minimal(imp=[{"id": "1", "banner": {}, "bidfloor": 1e6}])
    yen = minimal(cur=["JPY"])
    for request in (audio, dear, yen):
        assert post(connection, json.dumps(request).encode()) == (204, b"")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"nonsense", b"[" * 100_000, b"[]", b'{"id": "secret-1"}', b"null"],
    ids=["empty", "cut", "not utf-8", "words", "deep", "list", "no imp", "null"],
)
def test_http_refuses_malformed_json_in_one_line(
    connection: http.client.HTTPConnection, body: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    status, answer = post(connection, body)
    assert status == 400
    assert answer.count(b"\n") == 1
    assert answer.endswith(b"\n")
    assert b"secret" not in answer
    assert b"Traceback" not in answer
    assert "Traceback" not in "".join(capfd.readouterr())
    assert post(connection, json.dumps(minimal()).encode())[0] == 200, "the server lives on"


def test_http_refuses_what_is_no_auction(connection: http.client.HTTPConnection) -> None:
    assert post(connection, b"{}", "/other")[0] == 404
    connection.request("GET", server.AUCTION)
    response = connection.getresponse()
    assert (response.status, response.read().count(b"\n")) == (405, 1)


def test_http_refuses_a_body_without_end_or_too_long(
    connection: http.client.HTTPConnection,
) -> None:
    for length, status in (("9" * 9, 413), ("-1", 411), ("x", 411)):
        fresh = http.client.HTTPConnection(connection.host, connection.port, timeout=5)
        fresh.putrequest("POST", server.AUCTION)
        fresh.putheader("Content-Length", length)
        fresh.endheaders()
        assert fresh.getresponse().status == status
        fresh.close()


def test_a_failing_bidder_is_a_500_without_its_words(capfd: pytest.CaptureFixture[str]) -> None:
    def bid(_: object) -> dict[str, Any]:
        raise RuntimeError("card 4111 1111 1111 1111")

    with server.serving(bid) as url:
        client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        assert post(client, b"{}") == (500, b"the bidder failed\n")
        client.close()
    said = "".join(capfd.readouterr())
    assert "RuntimeError" in said
    assert "4111" not in said
