"""Java to try the system on: a legacy code base made by seed, and real trees where there are some.

With ``MLGATES_DATA`` set, `shared_trees` unpacks the sources of commons-lang3 and commons-codec from
the folder it names. Without it `legacy_tree` writes an order system as such code is found: layers that
call each other through fields and interfaces, overloads, lambdas, anonymous classes and more Javadoc
than code. It is written from a plan, and the plan says who calls whom: `Plan` is the gold for that
tree, and it has not seen the graph.
"""

from __future__ import annotations

import os
import random
import tarfile
from pathlib import Path
from typing import NamedTuple

__all__ = ["Plan", "legacy_plan", "legacy_questions", "legacy_tree", "shared_trees"]

PACKAGE = "com.example.legacy"
LAYERS = ("web", "process", "booking", "pricing", "stock", "storage")
NOUNS = ("Order", "Invoice", "Customer", "Parcel", "Refund", "Ledger", "Tariff", "Basket")
VERBS = ("check", "load", "apply", "merge", "price", "route", "settle", "audit", "convert")
WORDS = (
    "amount", "account", "because", "before", "branch", "caller", "contract", "currency", "customer",
    "depot", "discount", "expects", "is", "later", "legacy", "must", "never", "not", "of", "order",
    "reason", "record", "rounded", "see", "since", "stock", "tariff", "the", "transaction", "when",
)  # fmt: skip


class Call(NamedTuple):
    """A planned call: how it is written, and of which method."""

    how: str
    callee: str


class Plan(NamedTuple):
    """A tree before it is written: for each method its class, and what it calls."""

    seed: int
    methods: dict[str, list[Call]]

    def callees(self, name: str) -> list[str]:
        """Give what a method calls inside the tree."""
        return [call.callee for call in self.methods[name]]

    def reach(self, entry: str) -> list[str]:
        """Give all methods that calls from one lead to."""
        found, todo = {entry: None}, [entry]
        for name in todo:
            for callee in self.callees(name):
                if callee not in found:
                    found[callee] = None
                    todo.append(callee)
        return list(found)

    def path(self, entry: str, goal: str) -> list[str]:
        """Give a shortest chain of calls."""
        parents: dict[str, str | None] = {entry: None}
        todo = [entry]
        for name in todo:
            for callee in self.callees(name):
                if callee not in parents:
                    parents[callee] = name
                    todo.append(callee)
        chain: list[str] = []
        at: str | None = goal
        while at is not None:
            chain.append(at)
            at = parents[at]
        return chain[::-1]


def _class(layer: int, noun: int) -> str:
    return f"{PACKAGE}.{LAYERS[layer]}.{NOUNS[noun]}{LAYERS[layer].title()}"


def legacy_plan(seed: int, width: int = 6, methods: int = 6) -> Plan:
    """Plan a tree: ``width`` classes a layer, ``methods`` methods a class."""
    rng = random.Random(f"legacy:{seed}")
    names: list[list[str]] = []
    for layer in range(len(LAYERS)):
        layer_names = []
        for noun in range(width):
            layer_names += [
                f"{_class(layer, noun)}.{verb}{NOUNS[noun]}/2" for verb in VERBS[:methods]
            ]
        names.append(layer_names)
    planned: dict[str, list[Call]] = {}
    for layer, layer_names in enumerate(names):
        for name in layer_names:
            calls: dict[str, Call] = {}
            if layer + 1 < len(LAYERS):
                for callee in rng.sample(names[layer + 1], rng.choice((1, 2, 2, 3))):
                    calls[callee] = Call(rng.choice(HOWS), callee)
            if rng.random() < 0.3:
                # a circle, or a call to a neighbour
                callee = rng.choice(layer_names)
                if callee.rpartition(".")[0] == name.rpartition(".")[0]:
                    calls[callee] = Call("this", callee)
            planned[name] = list(calls.values())
    return Plan(seed, planned)


def _shortest_paths(plan: Plan, entry: str) -> dict[str, tuple[int, int]]:
    """Give for each method reached how far off it is, and by how many shortest chains."""
    found = {entry: (0, 1)}
    todo = [entry]
    for name in todo:
        distance, ways = found[name]
        for callee in dict.fromkeys(plan.callees(name)):
            if callee not in found:
                found[callee] = (distance + 1, ways)
                todo.append(callee)
            elif found[callee][0] == distance + 1:
                found[callee] = (distance + 1, found[callee][1] + ways)
    return found


def legacy_questions(seed: int, count: int, width: int = 6, methods: int = 6) -> list[dict]:
    """Ask how the longest chains of a planned tree come to their far end, and what that takes.

    Each is a record for the gate ``context_budget``: the question, the code of the path as the plan
    writes it, the names that can be reached, and the files of the path. Only one shortest chain leads
    to each end, so that there is no other right answer.
    """
    plan = legacy_plan(seed, width, methods)
    rng = random.Random(f"text:{seed}")
    code = _codes(plan, rng)
    entries = sorted(plan.methods, key=lambda name: (-len(plan.reach(name)), name))
    asked = []
    for entry in entries[:count]:
        ways = _shortest_paths(plan, entry)
        goal = max((n for n, (_, w) in ways.items() if w == 1), key=lambda n: (ways[n][0], n))
        path = plan.path(entry, goal)
        asked.append({
            "question": {"method": entry, "question": f"How does it come to {goal}?"},
            "path": [part for name in path for part in code[name]],
            "names": [name.rpartition(".")[2] for name in plan.reach(entry)],
            "sources": sorted({_file(name.rpartition(".")[0]) for name in path}),
        })  # fmt: skip
    return asked


def _file(cls: str) -> str:
    return cls.replace(".", "/") + ".java"


def _codes(plan: Plan, rng: random.Random) -> dict[str, list[str]]:
    """Give what the plan writes for each method, in parts where a comment stands between.

    So a context holds a method in full with its comments and without.
    """
    found = {}
    for name, calls in plan.methods.items():
        parts: list[list[str]] = [[]]
        for line in _method(name, name.rpartition(".")[0], calls, rng):
            if line.strip().startswith(("/*", "*", "//")):
                parts.append([])
            else:
                parts[-1].append(line)
        texts = ("\n".join(part) for part in parts)
        found[name] = [text for text in texts if text.strip()]
    return found


HOWS = ("field", "parameter", "local", "lambda", "anonymous", "reference", "chain")


def legacy_tree(folder: Path, seed: int, width: int = 6, methods: int = 6) -> Path:
    """Write the planned tree into a folder; give the folder."""
    plan = legacy_plan(seed, width, methods)
    rng = random.Random(f"text:{seed}")
    classes: dict[str, list[str]] = {}
    for name in plan.methods:
        classes.setdefault(name.rpartition(".")[0], []).append(name)
    for cls, names in classes.items():
        path = folder / _file(cls)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_source(cls, names, plan, rng), "utf-8")
    return folder


def _source(cls: str, names: list[str], plan: Plan, rng: random.Random) -> str:
    package, _, simple = cls.rpartition(".")
    used = sorted({c.callee.rpartition(".")[0] for n in names for c in plan.methods[n]} - {cls})
    lines = [f"package {package};", "", "import java.util.function.*;", ""]
    lines += [f"import {other};" for other in used]
    lines += ["", *_javadoc(rng, 12, ""), f"public class {simple} {{"]
    for other in used:
        lines.append(
            f"    private final {_simple(other)} {_field(other)} = new {_simple(other)}();"
        )
    lines += ["    private int audits;", ""]
    for other in used:
        lines += [
            f"    private {_simple(other)} its{_simple(other)}() {{",
            f"        return {_field(other)};",
            "    }",
            "",
        ]
    for name in names:
        lines += _method(name, cls, plan.methods[name], rng)
    return "\n".join([*lines, "}", ""])


def _simple(cls: str) -> str:
    return cls.rpartition(".")[2]


def _field(cls: str) -> str:
    simple = _simple(cls)
    return simple[0].lower() + simple[1:]


def _javadoc(rng: random.Random, length: int, pad: str) -> list[str]:
    text = [" ".join(rng.choices(WORDS, k=14)).capitalize() + "." for _ in range(length)]
    return [f"{pad}/**", *(f"{pad} * {line}" for line in text), f"{pad} */"]


def _method(name: str, cls: str, calls: list[Call], rng: random.Random) -> list[str]:
    tail = name.rpartition(".")[2].partition("/")[0]
    lines = _javadoc(rng, rng.randint(18, 38), "    ")
    lines.append(f"    public long {tail}(long amount, String reason) {{")
    lines += [
        f"        // {' '.join(rng.choices(WORDS, k=9))}",
        "        long result = amount;",
        "        audits++;",
    ]
    for number, call in enumerate(calls):
        lines += _call(call, cls, number)
    lines += [
        "        if (result < 0) {",
        f'            throw new IllegalStateException("{tail}: " + reason);',
        "        }",
        "        return result;",
        "    }",
        "",
    ]
    return lines


def _call(call: Call, cls: str, number: int) -> list[str]:
    owner, _, tail = call.callee.rpartition(".")
    method = tail.partition("/")[0]
    kind, it = _simple(owner), _field(owner)
    if call.how == "this" or owner == cls:
        return [f"        result += amount > 9 ? 0 : {method}(amount + 1, reason);"]
    if call.how == "local":
        return [f"        {kind} local{number} = {it};",
                f"        result += local{number}.{method}(result, reason);"]  # fmt: skip
    if call.how == "parameter":
        return [f"        ToLongFunction<{kind}> by{number} = (p) -> p.{method}(amount, reason);",
                f"        result += by{number}.applyAsLong({it});"]  # fmt: skip
    if call.how == "lambda":
        return [f"        LongSupplier later{number} = () -> {it}.{method}(amount, reason);",
                f"        result += later{number}.getAsLong();"]  # fmt: skip
    if call.how == "reference":
        return [f"        BiFunction<Long, String, Long> ref{number} = {it}::{method};",
                f"        result += ref{number}.apply(amount, reason);"]  # fmt: skip
    if call.how == "chain":
        return [f"        result += its{kind}().{method}(amount, reason);"]
    if call.how == "anonymous":
        # what an anonymous class does is its own; the call is made outside of it too
        return [f"        final {kind} kept{number} = {it};",
                f"        Object held{number} = new Object() {{",
                "            @Override",
                "            public String toString() {",
                f"                return String.valueOf(kept{number});",
                "            }",
                "        };",
                f"        result += kept{number}.{method}(held{number}.hashCode(), reason);"]  # fmt: skip
    return [f"        result += {it}.{method}(amount, reason);"]


def shared_trees(folder: Path) -> list[Path]:
    """Unpack the trees of the folder named by ``MLGATES_DATA``; none where it is not set."""
    root = os.environ.get("MLGATES_DATA")
    if not root:
        return []
    archives = sorted(Path(root, "codebuddy_graph").glob("*.tar.xz"))
    if not archives:
        raise FileNotFoundError(
            f"{root}/codebuddy_graph holds no *.tar.xz (MLGATES_DATA points there)"
        )
    found = []
    for archive in archives:
        target = folder / archive.name.removesuffix("-main.tar.xz")
        if not target.is_dir():
            with tarfile.open(archive) as opened:
                opened.extractall(target, filter="data")
        found.append(target)
    return found
