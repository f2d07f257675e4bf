"""Every edge against javac: the tests' own trees, a generated one, and real ones where they are."""

from __future__ import annotations

import pytest
from helpers import TREES, Tree

from reference_systems.codebuddy_graph import inputs
from reference_systems.codebuddy_graph.graph import Graph
from reference_systems.codebuddy_graph.indexer import update
from reference_systems.codebuddy_graph.store import Store


def score(javac, folder, tmp_path):
    store = Store(tmp_path / "index.db", create=True)
    update(store, folder)
    graph = Graph(store)
    gold = javac.gold_of(folder)
    return javac.compare([edge._asdict() for edge in graph.edges()], gold), gold, store


def same_facts(store, gold):
    """Who writes which field, what is thrown and what is declared are as javac says."""
    assert {r[:2] for r in store.rows("select method, field from field_write")} == gold.writes
    rows = set(store.rows("select method, exception, declared from thrown"))
    assert {r[:2] for r in rows if not r[2]} == gold.thrown
    assert {r[:2] for r in rows if r[2]} == gold.declared


def test_the_language_features(javac, tmp_path):
    """Overloads, fields, lambdas, generics, anonymous, local and inner classes, old and new Java."""
    found, gold, store = score(javac, TREES / "features", tmp_path)
    assert found.wrong == []
    # the arguments of ``Node<String>.Cursor`` are the one thing that is not followed
    assert found.missed == [("org.example.shop.Lambdas.depth/1", "java.lang.String.trim/0")]
    assert found.lines[0] == found.lines[1]
    assert min(total for _, total in found.kinds.values()) >= 6
    same_facts(store, gold)
    own = {r[0] for r in store.rows("select name from method where stop > start")}
    assert gold.methods <= own | {r[0] for r in store.rows("select name from method")}


def test_java_21(javac, tmp_path):
    """Record patterns, guards and patterns in a switch."""
    if javac.java(21) is None:
        pytest.skip("the JDK on the path is older than 21")
    found, _, _ = score(javac, TREES / "java21", tmp_path)
    assert (found.wrong, found.missed) == ([], [])


def test_a_generated_tree(javac, tmp_path):
    """The plan of the generated tree, javac and the graph say the same."""
    folder = inputs.legacy_tree(tmp_path / "made", seed=3, width=3, methods=4)
    found, gold, _ = score(javac, folder, tmp_path)
    assert (found.wrong, found.missed) == ([], [])
    plan = inputs.legacy_plan(3, width=3, methods=4)
    for caller, calls in plan.methods.items():
        inside = {callee for who, callee in gold.calls if who == caller and callee in plan.methods}
        assert inside == {call.callee for call in calls}


def test_the_shared_trees(javac, tmp_path):
    """commons-lang3 and commons-codec, every edge."""
    trees = inputs.shared_trees(tmp_path / "shared")
    if not trees:
        pytest.skip("MLGATES_DATA is not set")
    for folder in trees:
        (tmp_path / "index.db").unlink(missing_ok=True)
        found, gold, store = score(javac, folder, tmp_path)
        assert found.precision >= 0.99
        assert found.recall >= 0.99
        for hit, total in found.kinds.values():
            assert hit >= 0.95 * total
        same_facts(store, gold)


def test_the_oracle_is_no_mirror(javac, tmp_path):
    """An edge that is made up and one that is left out are both seen."""
    tree = Tree(tmp_path, A="class A { void a() { b(); } void b() { } }")
    edges = [edge._asdict() for edge in tree.graph.edges()]
    gold = javac.gold_of(tree.folder)
    assert javac.compare(edges, gold).recall == 1
    assert javac.compare([], gold).recall == 0
    made_up = [{**edges[0], "callee": "A.c/0"}]
    assert javac.compare(made_up, gold).wrong == [("A.a/0", "A.c/0")]
