"""Edges that were worked out by hand, and trees that are broken, old, deep or hostile."""

from __future__ import annotations

import pytest
from helpers import TREES

from reference_systems.codebuddy_graph.graph import Graph
from reference_systems.codebuddy_graph.indexer import update
from reference_systems.codebuddy_graph.store import Store

P = "org.example.shop"


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("features") / "index.db", create=True)
    update(store, TREES / "features")
    return list(Graph(store).edges())


BY_HAND = [
    # an overload that calls the fuller one, not itself
    ("Overloads.compute/1", "Overloads.compute/2", "static"),
    ("Overloads.compute/2", "Overloads.compute/3", "static"),
    ("Overloads.put/1", "Overloads.put/2", "virtual"),
    ("Overloads.many/2", "Overloads.many/1", "virtual"),
    # field initialisers stand in the constructors that call no other
    ("Overloads.<init>/1", "java.util.ArrayList.<init>/0", "constructor"),
    ("Overloads.<init>/0", "Overloads.<init>/1", "constructor"),
    ("Overloads.<clinit>/0", "Overloads.compute/1", "static"),
    # Object's methods are Object's, on an interface too; an array's clone() as well
    ("Shapes.name/1", "java.lang.Object.hashCode/0", "virtual"),
    ("Shapes.name/1", "java.lang.Object.getClass/0", "virtual"),
    ("Overloads.letters/0", "java.lang.Object.clone/0", "virtual"),
    ("Shapes$Tile.area/0", "Shapes$Square.area/0", "special"),
    # through a bound of a type variable, in a lambda, in a method reference
    ("Shapes.names/0", "Shapes$Shape.area/0", "lambda"),
    ("Shapes.names/0", "org.example.util.Helper.helped/1", "lambda"),
    ("Shapes.largest/2", "Shapes$Square.<init>/1", "lambda"),
    # anonymous and local classes, numbered as javac does: a call's arguments before its receiver
    ("Shapes$Inner.next/0", "Shapes$Inner$1.<init>/0", "constructor"),
    ("Shapes$Kind.<clinit>/0", "Shapes$Kind$1.<init>/1", "constructor"),
    ("Shapes.again/0", "Shapes$1Local.<init>/0", "constructor"),
    ("Shapes$1.hasNext/0", "Shapes$1$1.<init>/0", "constructor"),
    # records, their constructors and accessors
    ("Modern$Refund.<init>/1", "Modern$Refund.<init>/2", "constructor"),
    ("Modern.worth/1", "Modern$Sale.price/0", "virtual"),
    ("Modern$Pair.twin/1", "Modern$Pair.<init>/2", "constructor"),
    # before generics
    ("Old.run/0", "Old.add/1", "virtual"),
    ("Old$1.run/0", "Old.elements/0", "virtual"),
]


@pytest.mark.parametrize(("caller", "callee", "kind"), BY_HAND)
def test_by_hand(features, caller, callee, kind):
    full = [
        name if name.startswith(("java.", "org.")) else f"{P}.{name}" for name in (caller, callee)
    ]
    assert (*full, kind) in {(e.caller, e.callee, e.kind) for e in features}


def test_overrides_are_listed_apart(features):
    """What may run instead comes as lines of their own, only for the receiver's own subclasses."""
    others = {(e.caller, e.callee) for e in features if e.kind == "override"}
    assert (f"{P}.Shapes.names/0", f"{P}.Shapes$Tile.area/0") in others
    assert (f"{P}.Shapes$Tile.area/0", f"{P}.Shapes$Square.area/0") not in others
    assert not any(callee.endswith("toString/0") for _, callee in others)


def test_every_edge_has_a_line_that_names_its_callee(features):
    for edge in features:
        text = (TREES / "features" / edge.file).read_text("utf-8").splitlines()[edge.line - 1]
        name = edge.callee.rpartition(".")[2].partition("/")[0]
        wanted = "" if edge.kind == "override" or name == "<init>" else name
        assert wanted in text or text.strip().startswith((".", ")"))


def test_encodings(tree):
    """Latin-1, UTF-16, a byte order mark and old line ends are read; zero bytes are not."""
    tree.write(
        Latin="class Latin { void \xe9t\xe9() { \xe9t\xe9(); } }".encode("latin-1"),
        Wide="class Wide { void a() { a(); } }".encode("utf-16"),
        Bom=b"\xef\xbb\xbfclass Bom {\r void a() {\r\n a(); } }",
        Zero=b"class Zero { \0 }",
    )
    assert tree.edges() == {
        ("Latin.\xe9t\xe9/0", "Latin.\xe9t\xe9/0"),
        ("Wide.a/0", "Wide.a/0"),
        ("Bom.a/0", "Bom.a/0"),
    }
    assert {e.line for e in tree.graph.edges() if e.file == "Bom.java"} == {3}
    assert [path for path, _ in tree.done.skipped] == ["Zero.java"]


def test_broken_files_are_listed_and_the_rest_goes_on(tree):
    done = tree.write(
        Good="class Good { void a() { new Broken().fine(); } }",
        Broken="class Broken {\n void bad() { int x = ; }\n void fine() { good(); }\n void good() { }\n}",
        Cut="class Cut {\n void a() { b(); }\n void b() {",
        Prose="this is no Java at all",
        Empty="",
    )
    assert done.files == 5
    assert dict(done.skipped) == {
        "Broken.java": "line 2: the member around it is left out, the rest is read",
        "Cut.java": "line 3: is not Java from here on: skipped",
        "Prose.java": "line 1: is not Java from here on: skipped",
    }
    assert ("Broken.fine/0", "Broken.good/0") in tree.edges()
    assert ("Good.a/0", "Broken.fine/0") in tree.edges()


def test_enum_as_a_name(tree):
    """Java 1.4 code has variables named ``enum``."""
    tree.write(
        Old="import java.util.*; class Old { void f(Vector v) { Enumeration enum = v.elements();"
        " while (enum.hasMoreElements()) enum.nextElement(); } }"
    )
    assert tree.done.skipped == []
    assert ("Old.f/1", "java.util.Enumeration.nextElement/0") in tree.edges()


def test_circles(tree):
    """Classes that inherit from each other, methods that call each other, bounds of themselves."""
    tree.write(
        A="class A extends B { void a() { b(); } class I extends J { } class J extends I { } }",
        B="class B extends A { void b() { a(); unknown(); } }",
        C="class C<T extends C<T>> { T me() { return me().me(); } }",
    )
    assert {("A.a/0", "B.b/0"), ("B.b/0", "A.a/0"), ("C.me/0", "C.me/0")} == tree.edges()
    reached = tree.graph.reach(["A.a/0"])
    assert set(reached) == {"A.a/0", "B.b/0"}


def test_generated_code(tree):
    """50,000 lines in a file, sums of 10,000 terms, calls chained and nested thousands deep."""
    methods = "".join(
        f"int m{i}() {{\n\n\n return m{(i + 1) % 12500}();\n }}" for i in range(12500)
    )
    tree.write(
        Long=f"class Long1 {{ {methods} }}",
        Sum='class Sum { String s() { return "a"' + ' + "b".trim()' * 10000 + "; } }",
        Chain="class Chain { void c(StringBuilder b) { b" + ".append(1)" * 4000 + "; } }",
        Nest="class Nest { int n(int a) { return " + "n(" * 2000 + "1" + ")" * 2000 + "; } }",
    )
    assert tree.done.skipped == []
    assert len(tree.edges()) == 12500 + 3


def test_folders_deeper_than_others_look(tree):
    name = "__".join(["d"] * 40) + "__Z"
    tree.write(**{name: "package q; class Z { void z() { z(); } }"})
    assert tree.edges() == {("q.Z.z/0", "q.Z.z/0")}


def test_a_class_in_two_files(tree):
    """Each file's calls are resolved in its own class."""
    tree.write(
        one__D="package d; class D { void a() { b(); } void b() { } }",
        two__D="package d; class D { void a() { c(); } void c() { } }",
    )
    assert tree.edges() == {("d.D.a/0", "d.D.b/0"), ("d.D.a/0", "d.D.c/0")}


def test_what_is_not_known_is_kept_as_such(tree):
    """A library that is not here: what it declares is named, what it returns is not guessed."""
    tree.write(
        A="import org.lib.Thing; class A { void a(Thing t) { t.go(1); t.go(2).on(); new Thing().x(); } }"
    )
    lib = {f"org.lib.Thing.{tail}" for tail in ("go/1", "<init>/0", "x/0")}
    assert tree.callees("A.a/1") == lib
    assert list(tree.store.rows("select method, name from unresolved")) == [("A.a/1", "on/0")]
