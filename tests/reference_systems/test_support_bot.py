"""The support bot: its chats, its scrubbers, its small transformer, its three builds."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import re
import warnings
from collections import Counter
from functools import cache

import pytest

pytest.importorskip("torch", reason="the support bot is trained in torch: extra 'systems'")
pytest.importorskip("opacus", reason="the fix is trained with Opacus: extra 'systems'")
pytest.importorskip("presidio_analyzer", reason="the fix scrubs with Presidio: extra 'pii'")

import torch

from pytest_mlgates.core.digests import digest_of
from reference_systems import weights
from reference_systems.support_bot import (
    batches,
    builds,
    chats,
    copies,
    inputs,
    model,
    private_training,
    scrub_presidio,
    scrub_regex,
    training,
)
from reference_systems.support_bot.bot import Bot, Desk
from reference_systems.support_bot.generation import continued
from reference_systems.support_bot.identities import CARD_FORMATS, customers, seeded
from reference_systems.support_bot.likelihood import Likelihood
from reference_systems.support_bot.private_training import Private
from reference_systems.support_bot.tokenizer import END, Tokenizer
from reference_systems.support_bot.training import Plain

CARD = "4539148803436467"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MLGATES_CACHE", str(tmp_path))


@cache
def small() -> tuple[Tokenizer, model.Transformer]:
    """Return an untrained model whose logits differ enough for no tie."""
    known = builds.words()
    torch.manual_seed(3)
    shape = model.Config(vocabulary=len(known), width=16, layers=2, heads=2, context=64)
    network = model.Transformer(shape).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(3.0)
    return known, network


# --- the log ------------------------------------------------------------------------------------


def test_the_log_follows_from_its_seed() -> None:
    assert chats.chat_log(60, 1) == chats.chat_log(60, 1) != chats.chat_log(60, 2)
    assert inputs.prompts(20, 1) == inputs.prompts(20, 1) != inputs.prompts(20, 2)


def test_chats_hold_cards_in_every_format_and_some_were_stored_often() -> None:
    log, people = chats.chat_log(2_000, 0)
    by_number = {person.number: person for person in people}
    seen = {
        by_number[chat.customer].card_format
        for chat in log
        if by_number[chat.customer].typed_card in chat.text
    }
    assert seen == set(CARD_FORMATS)
    stored = Counter(chat.customer for chat in log)
    assert set(stored) == set(by_number)
    assert max(stored.values()) >= 16
    assert sum(count == 1 for count in stored.values()) > len(stored) / 2


def test_prompts_hold_no_identifier_and_differ() -> None:
    asked = inputs.prompts(500, 0)
    assert len(set(asked)) == 500
    cards = {person.card for person in builds.people(0)}
    for prompt in asked:
        assert not re.search(r"\d{7}|@", prompt)
        assert not cards & {re.sub(r"\D", "", prompt)}


def test_real_requests_are_used_where_they_are_given(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "support_bot"
    folder.mkdir()
    (folder / "presidio_templates.txt").write_text(
        "Please block {{credit_card_number}}, says {{person}}\nI live in {{city}}\n"
        "My {{credit_card_number}} and my {{nationality}}\n",
        encoding="utf-8",
    )
    said = [["agent", "Hi!"], ["customer", "I am Jo"], ["customer", "It is broken"],
            ["customer", "My id is 12"], ["action", "looked up"]]  # fmt: skip
    dialogue = {"scenario": {"personal": {"customer_name": "Jo Doe"}}, "original": said}
    (folder / "abcd_sample.json").write_text(json.dumps([dialogue]), encoding="utf-8")
    monkeypatch.setenv("MLGATES_DATA", str(tmp_path))
    real = chats.topics()[len(chats.TOPICS) :]
    assert real[0].typed == ("Please block {card}, says {name}",)
    assert real[1].requests == ("It is broken",)
    assert real[1].answers == ("Hi!",)
    texts = {chat.text for chat in chats.chat_log(400, 0)[0]}
    assert any("Please block " in text for text in texts)
    assert any("It is broken\nagent: " in text for text in texts)
    known = Tokenizer(chats.templates())
    assert all(known.decode(known.encode(text)) == text for text in texts)


# --- scrubbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", CARD_FORMATS)
def test_the_pattern_of_the_incident_takes_plain_cards_alone(way: str) -> None:
    text = f"my card is {CARD_FORMATS[way][1](CARD)}, please"
    assert (scrub_regex.scrub_all([text]) == ["my card is <CREDIT_CARD>, please"]) == (
        way == "plain"
    )


def test_presidio_with_normalisation_leaves_no_identifier_of_any_customer() -> None:
    log, people = chats.chat_log(700, 5)
    by_number = {person.number: person for person in people}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clean = builds.scrubbed(log, scrub_presidio.scrub_all)
    assert [chat.customer for chat in clean] == [chat.customer for chat in log]
    names = left = 0
    for raw, chat in zip(log, clean, strict=True):
        person = by_number[chat.customer]
        assert person.card not in re.sub(r"\D", "", chat.text)
        assert not any(value in chat.text for value in (person.ssn, person.email, person.phone[6:]))
        names += person.name in raw.text
        left += person.name in chat.text
    assert left < 0.1 * names  # the language model is no checksum: the rest is for DP-SGD
    assert any("<CREDIT_CARD>" in chat.text for chat in clean)


def test_presidio_is_quiet_and_leaves_what_is_nobodys(caplog) -> None:
    text = "agent: The courier will try again on Monday, it costs 25 dollars. Order 482133."
    with caplog.at_level(logging.WARNING):
        assert scrub_presidio.scrub_all([text]) == [text]
    assert not caplog.records
    assert scrub_presidio.scrub_all([]) == []


# --- copies -------------------------------------------------------------------------------------


def test_the_cap_leaves_one_record_a_customer() -> None:
    log = copies.planted(builds.log(0, 1_500), copies.canaries(0), seed=0)
    kept = copies.capped(log)
    assert len({chat.customer for chat in kept}) == len(kept) == len({c.customer for c in log})
    twice = Counter(chat.customer for chat in copies.capped(log, most=2))
    assert max(twice.values()) == 2
    assert kept == [
        chat for n, chat in enumerate(log) if chat.customer not in {c.customer for c in log[:n]}
    ]


def test_canaries_are_planted_as_often_as_they_say() -> None:
    secrets = copies.canaries(4)
    stored = Counter(chat.text for chat in copies.planted([], secrets, seed=4))
    assert {canary.text: canary.repeats for canary in secrets if canary.planted} == stored
    capped = Counter(chat.text for chat in copies.capped(copies.planted([], secrets, seed=4)))
    after = {canary.text: canary.repeats for canary in copies.trained_on(secrets) if canary.planted}
    assert after == capped
    assert any(canary.secret == "999-00-9999" for canary in secrets)
    assert sum(not canary.planted for canary in secrets) == 16
    assert len({canary.secret for canary in secrets}) == len(secrets)


# --- tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n",
        "customer: Hi, this is Zebulon O'Hara.\nagent: Sure. ",
        "4111 1111 1111 1111",
        "4\u00a01\u20131  1",
        "<CREDIT_CARD> <PERSON>, <NOTHING> < >",
        "sk_live_aB3{}[]|~`^\\",
    ],
)
def test_tokens_give_the_text_back(text: str) -> None:
    known = builds.words()
    assert known.decode(known.encode(text)) == text


def test_all_chats_and_canaries_survive_the_tokenizer_and_fit() -> None:
    known, context = builds.words(), model.Config(vocabulary=1).context
    texts = {chat.text for chat in builds.log(0, 2_000)} | {c.text for c in copies.canaries(0)}
    for text in texts:
        assert known.decode(known.encode(text)) == text
    assert max(len(known.encode(text)) for text in texts) < context


def test_the_vocabulary_comes_from_public_words_alone() -> None:
    known = builds.words()
    assert len(known) < 800
    assert len(known.tokens) == len(set(known.tokens))
    person = next(customers("log", 0))
    assert not any(person.email in token or person.card in token for token in known.tokens)
    assert [len(t) for t in known.tokens if any(c.isdigit() for c in t)] == [1] * 10


def test_a_character_outside_the_alphabet_is_one_unknown() -> None:
    known = builds.words()
    assert known.decode(known.encode("a\u20acb\ud800\u0661")) == "a\ufffdb\ufffd\ufffd"


# --- generation ---------------------------------------------------------------------------------


def _slowly(network: model.Transformer, row: list[int], most: int) -> list[int]:
    """Continue a row without a memory."""
    row, start = list(row), len(row)
    while len(row) - start < most and len(row) <= network.config.context:
        with torch.no_grad():
            logits = network(torch.tensor([row]))[0, -1]
        logits[0] = -torch.inf
        token = int(logits.argmax())
        if token == END:
            break
        row.append(token)
    return row[start:]


def test_generation_with_a_memory_is_that_of_the_plain_forward() -> None:
    _, network = small()
    draw = seeded("rows", 0)
    rows = [[END, *(draw.randrange(2, 300) for _ in range(n))] for n in (0, 7, 3, 30, 63)]
    found = continued(network, rows, 40)
    assert found == [_slowly(network, row, 40) for row in rows]
    assert len(set(map(len, found))) > 1  # rows end at different times
    assert continued(network, rows[2:3], 40) == found[2:3]


def test_a_memory_filled_in_two_steps_gives_the_same_logits() -> None:
    _, network = small()
    tokens = torch.randint(2, 300, (3, 20), generator=torch.Generator().manual_seed(1))
    memory = model.Memory(network.config, 3)
    with torch.no_grad():
        whole = network(tokens)
        first = network(tokens[:, :12], memory)
        memory.lengths += 12
        rest = network(tokens[:, 12:], memory)
    assert torch.allclose(torch.cat([first, rest], 1), whole, atol=1e-4)


def test_samples_follow_the_models_chances_and_their_seed() -> None:
    _, network = small()
    row = [END, 40, 41]
    first = continued(network, [row] * 4_000, 1, temperature=1.5, seeds=range(4_000))
    counts = Counter(tokens[0] if tokens else END for tokens in first)
    with torch.no_grad():
        logits = network(torch.tensor([row]))[0, -1]
    logits[0] = -torch.inf
    expected = torch.softmax(logits / 1.5, -1)
    for token in expected.topk(5).indices.tolist():
        p = float(expected[token])
        assert abs(counts[token] / 4_000 - p) < 5 * (p * (1 - p) / 4_000) ** 0.5 + 1e-9
    one = continued(network, [row], 12, 1.0, [7])
    assert one == continued(network, [[END], row, row], 12, 1.0, [1, 7, 8])[1:2]


def test_a_prompt_too_long_for_the_model_is_refused() -> None:
    _, network = small()
    with pytest.raises(ValueError, match="70 tokens is longer than the context of 64"):
        continued(network, [[5] * 70], 3)


# --- likelihoods --------------------------------------------------------------------------------


def _naive(known: Tokenizer, network: model.Transformer, text: str) -> float:
    row = [END, *known.encode(text)]
    with torch.no_grad():
        logs = torch.log_softmax(network(torch.tensor([row])).double(), -1)[0]
    return sum(float(logs[at, token]) for at, token in enumerate(row[1:]))


def test_likelihoods_are_those_of_a_naive_sum() -> None:
    known, network = small()
    likelihood = Likelihood(network, known)
    texts = ["My card is 4111 1111", "x", "customer: Hi", "My card"]
    for text in texts:
        assert likelihood(text) == pytest.approx(_naive(known, network, text), rel=1e-4)
    assert likelihood.many("", texts) == pytest.approx([likelihood(t) for t in texts], rel=1e-4)
    assert likelihood("") == 0.0
    assert likelihood.many("My card is ", []) == []


@pytest.mark.parametrize(
    ("prefix", "completions"),
    [
        ("My card is ", ["4111", "5222", "4111 1111"]),
        ("My card is ", ["4111"]),
        ("My phrase is ", ["please wait", "blender", "zz"]),
        ("The key sk_live_", ["aB3", "zz"]),
        ("", ["My card", "x"]),
        ("My card is ", ["4"]),
    ],
)
def test_completions_are_as_likely_as_whole_texts_say(prefix: str, completions: list[str]) -> None:
    known, network = small()
    many = Likelihood(network, known).many(prefix, completions)
    inside = [END, *known.encode(prefix)]
    for found, completion in zip(many, completions, strict=True):
        row = [END, *known.encode(prefix + completion)]
        merged = row[: len(inside)] != inside  # the last blank became part of a word
        stem = known.decode(inside[:-1] if merged else inside)
        expected = _naive(known, network, prefix + completion) - _naive(known, network, stem)
        assert found == pytest.approx(expected, abs=1e-3)


def test_likelihoods_of_all_continuations_sum_to_one() -> None:
    known, network = small()
    ends = [t for t in known.tokens if len(t) == 1]
    with torch.no_grad():
        p = torch.softmax(network(torch.tensor([[END, *known.encode("My card is 4")]]))[0, -1], -1)
    mass = float(p[[known.ids[end] for end in ends]].sum())
    many = Likelihood(network, known).many("My card is 4", ends)
    assert float(torch.tensor(many).exp().sum()) == pytest.approx(mass, rel=1e-3)


# --- training -----------------------------------------------------------------------------------

TINY = {"width": 16, "layers": 1, "heads": 2}


def _tiny(seed: int, plan: Plain | Private) -> dict[str, torch.Tensor]:
    known = builds.words()
    texts = [known.encode(chat.text) for chat in builds.log(0, 96)]
    shape = model.Config(vocabulary=len(known), **TINY)
    module = private_training if isinstance(plan, Private) else training
    return module.train(texts, shape, plan, seed)


@pytest.mark.parametrize(
    "plan", [Plain(epochs=1, batch=16), Private(steps=2, batch=48)], ids=["plain", "private"]
)
def test_training_is_deterministic_quiet_and_leaves_torch_alone(plan: Plain | Private) -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = _tiny(1, plan)
    again, other = _tiny(1, plan), _tiny(2, plan)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    assert not any(name.startswith("_module") for name in first)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_plain_training_learns() -> None:
    known = builds.words()
    texts = [known.encode(chat.text) for chat in builds.log(0, 200)]
    shape = model.Config(vocabulary=len(known), **TINY)
    rows = batches.padded(batches.rows_of(texts, shape.context))
    losses = []
    for epochs in (1, 6):
        network = model.Transformer(shape)
        network.load_state_dict(training.train(texts, shape, Plain(epochs=epochs, batch=8), 0))
        with torch.no_grad():
            losses.append(float(batches.loss_by_chat(network(rows[:, :-1]), rows[:, 1:]).mean()))
    assert losses[1] < losses[0] < 6


def test_the_noise_keeps_to_the_epsilon_of_the_plan() -> None:
    from opacus.accountants import PRVAccountant

    plan, chats_n = Private(), 6_000
    noise = private_training.noise_for(plan, chats_n)
    accountant = PRVAccountant()
    accountant.history = [(noise, plan.batch / chats_n, plan.steps)]
    assert 7.9 < accountant.get_epsilon(delta=1 / (2 * chats_n)) <= 8.0
    assert private_training.noise_for(dataclasses.replace(plan, epsilon=2.0), chats_n) > noise


def test_a_private_step_is_the_mean_of_gradients_clipped_one_by_one(monkeypatch) -> None:
    """Opacus' gradients by chat, summed over chunks, are those of one backward pass a chat."""
    monkeypatch.setattr(private_training, "noise_for", lambda plan, chats: 0.0)
    monkeypatch.setattr(private_training, "_CHUNK", 4)
    monkeypatch.setattr(torch.optim, "Adam", torch.optim.SGD)  # its step is the gradient itself
    known = builds.words()
    texts = [known.encode(chat.text) for chat in builds.log(0, 10)]
    shape, plan = (
        model.Config(vocabulary=len(known), **TINY),
        Private(steps=1, batch=10, rate=50.0, clip=0.5),
    )
    found = private_training.train(texts, shape, plan, 5)

    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = model.Transformer(shape)
    parameters = list(network.parameters())
    sums = [torch.zeros_like(weight) for weight in parameters]
    for row in batches.rows_of(texts, shape.context):
        tokens = torch.tensor([row])
        loss = batches.loss_by_chat(network(tokens[:, :-1]), tokens[:, 1:])[0]
        gradients = torch.autograd.grad(loss, parameters)
        norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
        assert norm > plan.clip
        for total, gradient in zip(sums, gradients, strict=True):
            total.add_(gradient * plan.clip / norm)
    rate = 50.0 / 5  # of five steps up to the full rate this is the first
    for (name, weight), total in zip(network.named_parameters(), sums, strict=True):
        assert torch.allclose(weight - rate * total / 10, found[name], atol=1e-5), name


def test_the_loss_of_a_chat_is_its_own() -> None:
    known, network = small()
    rows = batches.rows_of([known.encode("My card"), known.encode("My card is lost, please")], 64)
    both = batches.padded(rows)
    with torch.no_grad():
        together = batches.loss_by_chat(network(both[:, :-1]), both[:, 1:])
        alone = torch.cat(
            [
                batches.loss_by_chat(network(one[:, :-1]), one[:, 1:])
                for one in (torch.tensor([row]) for row in rows)
            ]
        )
    assert torch.allclose(together, alone, atol=1e-4)


def test_a_chat_longer_than_the_context_is_refused() -> None:
    with pytest.raises(ValueError, match="a chat of 12 tokens is longer than the context of 8"):
        batches.rows_of([[5] * 10], 8)


# --- the cache and the bot ----------------------------------------------------------------------


def _built(monkeypatch, plan: Plain | Private, seed: int = 0, records: int = 40) -> tuple[Bot, int]:
    """Build a small bot; return it and how many times something was trained."""
    ran = []
    for module in (training, private_training):
        monkeypatch.setattr(
            module,
            "train",
            lambda texts, shape, plan, seed: ran.append(1) or model.Transformer(shape).state_dict(),
        )
    return builds.build(builds.log(0, records), plan, seed), len(ran)


def test_a_second_build_is_read_from_the_cache(monkeypatch) -> None:
    first, ran = _built(monkeypatch, Plain())
    again, ran_again = _built(monkeypatch, Plain())
    assert (ran, ran_again) == (1, 0)
    assert first.mlgates_digest == again.mlgates_digest
    for one, two in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, two)


def test_whatever_decides_training_changes_the_digest(monkeypatch) -> None:
    digests = {
        _built(monkeypatch, plan, seed, records)[0].mlgates_digest
        for plan, seed, records in (
            (Plain(), 0, 40),
            (Plain(epochs=3), 0, 40),
            (Private(), 0, 40),
            (Private(epsilon=1.0), 0, 40),
            (Plain(), 1, 40),
            (Plain(), 0, 41),
        )
    }
    assert len(digests) == 6
    monkeypatch.setattr(builds, "_SOURCES", (training,))
    assert _built(monkeypatch, Plain())[0].mlgates_digest not in digests


def test_a_broken_file_is_trained_again(monkeypatch) -> None:
    _built(monkeypatch, Plain())
    (file,) = weights.cache_folder().iterdir()
    for broken in (b"", b"x" * 100, file.read_bytes()[:-7], b"\0" + file.read_bytes()[1:]):
        file.write_bytes(broken)
        assert _built(monkeypatch, Plain())[1] == 1
    assert _built(monkeypatch, Plain())[1] == 0


def test_a_bot_answers_alone_as_in_a_batch_and_behind_a_desk(monkeypatch) -> None:
    bot, _ = _built(monkeypatch, Plain())
    asked = inputs.prompts(6, 0)
    together = bot.replies(asked)
    assert [bot.reply(prompt) for prompt in asked] == together

    async def ask_all(desk: Desk) -> list[str]:
        return await asyncio.gather(*map(desk, asked))

    desk = Desk(bot)
    assert asyncio.run(ask_all(desk)) == together == asyncio.run(ask_all(desk))
    assert digest_of(desk) == bot.mlgates_digest
    assert bot.replies([]) == []


def test_whoever_waits_at_the_desk_hears_what_went_wrong() -> None:
    class Broken:
        def answers(self, prompts):
            raise RuntimeError("out of memory")

    async def both(desk: Desk) -> list[object]:
        return await asyncio.gather(desk("a"), desk("b"), return_exceptions=True)

    assert [str(each) for each in asyncio.run(both(Desk(Broken())))] == ["out of memory"] * 2


def test_a_bot_scrubs_what_customers_type(monkeypatch) -> None:
    seen = []
    bot, _ = _built(monkeypatch, Plain())
    bot.scrub_all = lambda texts: seen.extend(texts) or ["scrubbed"] * len(list(texts))
    first, second = bot.replies(["my card is 4111 1111 1111 1111", "another"], temperature=0)
    assert seen == ["my card is 4111 1111 1111 1111", "another"]
    assert first == second
