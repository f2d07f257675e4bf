"""Whatever is in a file: nodes with their lines, or one clear line; never a crash, never for ever."""

from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.infra_guardrails import InfraGuardrails
from pytest_mlgates.gates.infra_guardrails.terraform.evaluate import Scope, evaluate
from pytest_mlgates.gates.infra_guardrails.terraform.module import Module
from pytest_mlgates.gates.infra_guardrails.terraform.syntax import parse_expression, read_hcl
from pytest_mlgates.reading.node import Node, Unknown, Unreadable, from_plain, walk
from pytest_mlgates.reading.yaml import read_documents
from tests.gate_cases.infra_guardrails import JOB, POOL, run


def plain(node):
    value = node.value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


YAML = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text("ab: {}[]#&*!|>'\"\n", max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc {}:#", max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(value=YAML, flow=st.booleans())
def test_what_was_written_is_read(value, flow):
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    assert [plain(doc) for doc in read_documents(text, "a.yaml")] == [value]


def test_lines():
    (doc,) = read_documents("a: 1\nb:\n  c: [x,\n    y]\n  d: |\n    text\n  e: {f: 2}\n", "a.yaml")
    found = {key: node.line for key, node in walk(doc) if key}
    assert found == {"a": 1, "b": 2, "c": 4, "d": 5, "e": 7, "f": 7}
    assert doc.get("b", "e", "f").place == "a.yaml:7"


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize(("name", "text"), [("a.yaml", JOB), ("a.tf", POOL)])
def test_a_damaged_file_is_no_crash(name, text, data):
    """Cut out, doubled, or with odd characters put in: a verdict, and never for a broken gate."""
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    put = data.draw(st.text("{}[]\"'$%:=\n\t #<>*&!|-x1\x00é", max_size=6))
    evidence = run({name: (text[:start] + put + text[end:]).encode("utf-8", "replace")})
    assert "could not measure" not in evidence.verdict.reason


@settings(deadline=None, max_examples=80)
@given(number=st.integers(-9, 9), other=st.integers(1, 9), sign=st.sampled_from("+-*%"))
def test_arithmetic(number, other, sign):
    expr = parse_expression(f"({number}) {sign} {other}", "a.tf")
    wanted = {
        "+": number + other,
        "-": number - other,
        "*": number * other,
        "%": math.fmod(number, other),
    }
    assert evaluate(expr, Scope(Module([]))).value == wanted[sign]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("!true", False),
        ("1 == 1.0 && 2 > 1", True),
        ("false || false", False),
        ('"a${1 + 1}b"', "a2b"),
        ('"$${x}"', "${x}"),
        (r'"tab\t\"quoted\""', 'tab\t"quoted"'),
        ("-3", -3),
        ("7 / 2", 3.5),
        ("8 / 2", 4),
        ('lower("Ab")', "ab"),
        ("length([1, 2])", 2),
        ('lookup({ a = 1 }, "b", 5)', 5),
        ('{ "a" = 1, b : 2 }["a"]', 1),
        ("floor(3.7)", 3),
        ('tonumber("12")', 12),
        ("element([1, 2, 3], 4)", 2),
    ],
)
def test_expressions(source, value):
    assert evaluate(parse_expression(source, "a.tf"), Scope(Module([]))).value == value


@pytest.mark.parametrize(
    "source",
    ["var.x", "[for a in [1] : a]", "x[*].id", "f(1)", '"${var.x}-a"', "1 + true", "[1][5]",
     "data.a.b.c", "path.module", 'merge({}, var.x)["a"]', "true ? var.x : 1", "min(var.x, 2)",
     "concat([1], var.x)", "coalesce(null, null)", "slice([1], 0, 9)[3]", '"%{ if true }a%{ endif }"'],
)  # fmt: skip
def test_what_only_terraform_knows(source):
    found = evaluate(parse_expression(source, "a.tf"), Scope(Module([]))).value
    assert isinstance(found, Unknown)
    assert found.expression == source


BOMBS = {
    "strings": ('"xxxxxxxxxx"', '"${%s}${%s}${%s}${%s}"'),
    "lists": ("[1, 2]", "concat(%s, %s, %s, %s)"),
    "numbers": ("99999999", "%s * %s * %s * %s"),
    "objects": ("[{ x = 1 }]", "[{ x = %s }, { x = %s }, { x = %s }, { x = %s }]"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_locals_that_double_each_time(bomb):
    first, step = BOMBS[bomb]
    lines = [f"a0 = {first}"]
    lines += [f"a{i} = {step % ((f'local.a{i - 1}',) * 4)}" for i in range(1, 40)]
    body = "ttl_seconds_after_finished = local.a39"
    text = (
        "locals {\n" + "\n".join(lines) + "\n}\n"
        f'resource "kubernetes_job" "a" {{\n x = local.a39 == 1\n spec {{\n {body}\n }}\n}}\n'
    )
    assert run({"a.tf": text}).outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE)


def test_blocks_without_end():
    content = "content {}"
    for _ in range(4):
        content = f'content {{\n dynamic "x" {{\n for_each = local.l\n {content}\n }}\n}}'
    text = f'dynamic "x" {{\n for_each = local.l\n {content}\n }}'
    numbers = ", ".join(map(str, range(190)))
    head = f"locals {{\n l = [{numbers}]\n}}\n"
    evidence = run({"a.tf": f'{head}resource "kubernetes_job" "a" {{\n {text}\n}}\n'})
    assert evidence.outcome == Outcome.ERROR
    assert "more than 200,000 blocks" in evidence.verdict.reason


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = 1\na = 2\n", "a.tf:2: a appears twice (first on line 1)"),
        ("a = {\n", "is not Terraform"),
        ("\n\nx = = 1\n", "a.tf:3: is not Terraform"),
        ("a {\n" * 2000 + "}\n" * 2000, "nested too deep"),
        ('resource "a" {\n}\n', "a resource needs a type and a name"),
    ],
)
def test_broken_terraform_names_its_line(text, says):
    try:
        faults = Module([read_hcl(text, "a.tf")]).faults
    except Unreadable as error:
        faults = [str(error)]
    assert says in faults[0]


def test_nothing_of_a_broken_file_is_quoted():
    for name, text in (("a.tf", 'password = = "hunter2"'), ("a.yaml", 'a: "hunter2\nb: [')):
        evidence = run({name: text})
        assert evidence.outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE)
        assert "hunter2" not in evidence.to_json()


def test_other_files_of_a_chart_are_no_manifests():
    files = {"Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n", "job.yaml": JOB}
    assert run(files).outcome == Outcome.PASS


def test_a_list_names_the_kind_of_its_items():
    spec = "\n".join("  " + line for line in JOB.splitlines()[2:])
    text = f"apiVersion: batch/v1\nkind: JobList\nitems:\n-{spec[1:]}\n"
    assert run({"a.yaml": text}).outcome == Outcome.PASS
    assert run({"a.yaml": text.replace("ttlSecondsAfterFinished", "x")}).outcome == Outcome.FAIL


def test_a_kustomization_that_patches_is_not_read_as_it_stands():
    head = (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [job.yaml]\n"
    )
    files = {"kustomization.yaml": head, "job.yaml": JOB}
    assert run(files).outcome == Outcome.PASS
    files["kustomization.yaml"] = head + "patches: [{path: less.yaml}]\n"
    evidence = run(files)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "kustomize build" in evidence.verdict.reason


@pytest.mark.parametrize("name", ["job.yaml.tpl", "main.tf.j2", "b.yml.gotmpl"])
def test_a_template_beside_the_manifests_is_not_passed_over(name):
    evidence = run({"job.yaml": JOB, name: "x", "_helpers.tpl": "y"})
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert f"{name}: is a template" in evidence.findings[0]


def test_a_template_of_terraform_is_not_decided():
    text = JOB.replace(
        "  labels: {owner: nlp}\n", "  labels:\n    a: b\n    ${indent(4, labels)}\n"
    )
    evidence = run({"values.yaml": text})
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "values.yaml:8: ${indent(4, labels)} is a template" in evidence.findings[0]


def test_plain_values():
    assert from_plain({"a": [1, None]}, "x").get("a").items[0].value == 1
    deep: list = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(Unreadable, match="nested deeper"):
        from_plain(deep, "x")
    loop: list = []
    loop.append(loop)
    assert InfraGuardrails().run([{"kind": loop}]).outcome == Outcome.ERROR
    assert InfraGuardrails().run([{(1, 2): 3}]).outcome == Outcome.ERROR
    assert (
        InfraGuardrails().run(json.loads(json.dumps({"apiVersion": "v1"}))).outcome != Outcome.PASS
    )


def test_an_alias_is_the_same_node_again():
    (doc,) = read_documents("a: &x {b: 1}\nc: *x\n", "a.yaml")
    assert doc.get("a").value is doc.get("c").value
    assert [key for key, _ in walk(doc)].count("b") == 1
    assert doc.get("c").line == 2
    assert Node([]).get("a") is None
