"""The index follows the tree: what changed is read, what depends on it is resolved again."""

from __future__ import annotations

import pytest
from helpers import Tree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_systems.codebuddy_graph import indexer
from reference_systems.codebuddy_graph.indexer import update, update_file
from reference_systems.codebuddy_graph.store import NotAnIndex, Store

A = "class A { void a(B b) { b.b(1); } }"
B = "class B { void b(Object o) { } }"
C = "class C { void c() { c(); } }"


@pytest.fixture
def three(tmp_path):
    return Tree(tmp_path, A=A, B=B, C=C)


def test_nothing_changed(three):
    assert three.index()[:3] == (3, 0, 0)


def test_a_body_changed(three):
    """Where only a body changed, no other file is resolved again."""
    done = three.write(B="class B { void b(Object o) { o.hashCode(); } }")
    assert done[:3] == (3, 1, 1)
    assert three.callees("B.b/1") == {"java.lang.Object.hashCode/0"}


def test_an_overload_came(three):
    """The file that mentions the name is resolved again, the other one is not."""
    done = three.write(
        B="class B { void b(Object o) { } void b(int i) { } static int b(int... i) { return 1; } }"
    )
    assert done[:3] == (3, 1, 2)
    done = three.write(B="class B { void b(Object o, int... more) { } }")
    assert three.callees("A.a/1") == {"B.b/2"}


def test_a_return_type_changed(tmp_path):
    """A chain of calls in a file that names no changed class follows."""
    tree = Tree(
        tmp_path,
        A="class A { void a(B b) { b.next().go(); } }",
        B="class B { X next() { return null; } }",
        X="class X { void go() { } }",
        Y="class Y { void go() { } }",
    )
    assert ("A.a/1", "X.go/0") in tree.edges()
    tree.write(B="class B { Y next() { return null; } }")
    assert ("A.a/1", "Y.go/0") in tree.edges()


def test_a_superclass_or_a_class_came_and_went(three):
    three.write(B="class B extends Base { }", Base="class Base { void b(long n) { } }")
    assert three.callees("A.a/1") == {"Base.b/1"}
    (three.folder / "Base.java").unlink()
    done = three.index()
    assert done.files == 3
    assert three.callees("A.a/1") == {"B.b/1"}  # Base is only a name now
    assert not any("Base" in e.file for e in three.graph.edges())


def test_a_file_broke_and_was_mended(three):
    three.write(B="class B { void b(Object o) { ")
    assert [path for path, _ in three.done.skipped] == ["B.java"]
    assert three.callees("A.a/1") == set()
    three.write(B=B)
    assert three.callees("A.a/1") == {"B.b/1"}
    assert three.done.skipped == []


def test_one_file_by_its_name(three):
    done = update_file(three.store, "C.java", b"class C { void c() { d(); } void d() { } }")
    assert done.resolved == 1
    assert three.callees("C.c/0") == {"C.d/0"}


def test_a_failed_update_changes_nothing(three, monkeypatch):
    before = three.edges()
    (three.folder / "C.java").write_text("class C { void other() { other(); } }")
    monkeypatch.setattr(
        "reference_systems.codebuddy_graph.indexer._method_rows", lambda found: 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        update(three.store, three.folder)
    assert three.edges() == before


MEMBERS = [
    "void f(int a) { g(a); }",
    "void f(Object a) { g(1, 2); h.k(); }",
    "int g(int a) { return new Object() { int g(int b) { return f2(); } int f2() { return 1; } }.g(a); }",
    "static int g(int... a) { Runnable r = () -> g(1); r.run(); return 2; }",
    "H h = new H();",
    "class H { void k() { f(1); } }",
    "int n = g(2);",
    "// a comment\n\n",
    "<T> T id(T t) { return id(t); }",
]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    edits=st.lists(
        st.tuples(
            st.sampled_from("AB"), st.lists(st.sampled_from(MEMBERS), max_size=7, unique=True)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_edits_one_by_one_give_what_a_fresh_index_gives(edits, tmp_path_factory):
    """After any edits the index holds the same rows as one made from nothing."""
    folder = tmp_path_factory.mktemp("edits")
    tree = Tree(
        folder,
        A="class A { }",
        B="class B extends A { }",
        C="class C { void c(B b) { b.f(1); b.g(2); b.id(b).h.k(); } }",
    )
    for name, members in edits:
        above = "extends A " if name == "B" else ""
        tree.write(**{name: f"class {name} {above}{{\n" + "\n".join(members) + "\n}\n"})
    same_as_fresh(tree, folder)
    tree.store.close()


ROWS = (
    ("call", "caller, callee, line, kind, receiver"),
    ("method", "name, line, start, stop"),
    ("field_write", "method, field, line"),
    ("thrown", "method, exception, line, declared"),
    ("class", "name, ancestor"),
    ("override", "method, class, tail"),
    ("unresolved", "method, name, line"),
)

BODIES = [
    "return g(1);",
    "int x = 1;\n\n  return g(x, 2);",
    "// g(1)\n return 0;",
    "Runnable r = new Runnable() { public void run() { g(3); } }; r.run(); return 1;",
    "Runnable r = () -> g(4);\n r.run();\n return 1;",
    'count = g(5); throw new IllegalStateException("x");',
    "class In { int k() { return g(6); } } return new In().k();",
    "return unknown();",
]
WIDE = """class A {{
 int count = g(7);
 int a() {{ {0} }}

 int b()
 {{
 {1}
 }}
 int g(int... n) {{ return 1; }}
 Object last = new Object() {{ int z() {{ return g(8); }} }};
 {2}
}}
class Z {{ int q() {{ {1} }} int g(int a) {{ return a; }} int count; }}"""
NARROW = "class A {{ int count; int a() {{ {0} }} int b() {{ {1} }} {2} int g(int... n) {{ return 1; }} }}"
SHAPES = [WIDE, NARROW]
BETWEEN = [
    "", "// a\n", "/** two\n lines */", "\n\n\n", "int more;", "{ g(9); }", "static { Z.class.getName(); }",
    "/* a */ { g(9); } /* b */", "/* a b */", "// a\n { g(9); }\n // b\n", "// a { g(9); }\n",
]  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    shape=st.sampled_from(SHAPES),
    edits=st.lists(
        st.tuples(st.sampled_from(BODIES), st.sampled_from(BODIES), st.sampled_from(BETWEEN)),
        min_size=2,
        max_size=5,
    ),
)
def test_edits_of_bodies_give_what_a_fresh_index_gives(shape, edits, tmp_path_factory):
    """An edit that is taken in by itself leaves the rows that reading the whole file leaves."""
    folder = tmp_path_factory.mktemp("bodies")
    tree = Tree(folder)
    for parts in edits:
        tree.write(A=shape.format(*parts))
        same_as_fresh(tree, folder)
    tree.store.close()


def same_as_fresh(tree, folder):
    (folder / "fresh.db").unlink(missing_ok=True)
    fresh = Store(folder / "fresh.db", create=True)
    update(fresh, tree.folder)
    for table, columns in ROWS:
        query = f"select path, {columns} from {table} join file on id = file"
        assert sorted(tree.store.rows(query)) == sorted(fresh.rows(query)), table
    query = "select path, digest, skeleton, note from file"
    assert sorted(tree.store.rows(query)) == sorted(fresh.rows(query))
    for row in fresh.files():
        mine = next(r.id for r in tree.store.files() if r.path == row.path)
        assert tree.store.source(mine) == fresh.source(row.id)
    fresh.close()


LONG = "class L {\n void a() {\n b();\n }\n void b() {\n a();\n }\n}\n"


@pytest.mark.parametrize(
    ("old", "new", "quick"),
    [
        ("b();\n", "b();\n\n a();\n", True),
        (" void b", "\n // said\n void b", True),
        ("a();", "new Object() { };", False),  # a class: others may get other numbers
        ("void b", "int b", False),  # declares something else
        ("b();\n }\n void b() {\n", "", False),  # more than one method
        ("class L", "class L ", False),
        (" void b", "{ a(); } void b", False),  # an initialiser
    ],
)
def test_when_a_file_is_not_read_as_a_whole(tmp_path, monkeypatch, old, new, quick):
    """The quick way is taken where it can be, and only there; the rows are the same."""
    tree = Tree(tmp_path, L=LONG)
    whole = []
    number = indexer.number_classes
    monkeypatch.setattr(indexer, "number_classes", lambda root: whole.append(1) or number(root))
    update_file(tree.store, "L.java", LONG.replace(old, new, 1).encode())
    assert (not whole) == quick
    (tree.folder / "L.java").write_text(LONG.replace(old, new, 1))
    assert tree.index().read == 0
    same_as_fresh(tree, tmp_path)


def test_what_is_no_index(tmp_path):
    with pytest.raises(NotAnIndex, match="is not a file: make it"):
        Store(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("no database, but long enough to be taken for one " * 20)
    with pytest.raises(NotAnIndex, match="can't be read as an index"):
        Store(tmp_path / "text.db")
    import sqlite3

    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("create table t (x)")
    other.close()
    with pytest.raises(NotAnIndex, match="is a database, but not an index"):
        Store(tmp_path / "other.db", create=True)
