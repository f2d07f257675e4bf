"""Expressions are worked out as Terraform itself does, where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from pytest_mlgates.gates.infra_guardrails.terraform.functions import plain
from pytest_mlgates.gates.infra_guardrails.terraform.module import Module
from pytest_mlgates.gates.infra_guardrails.terraform.syntax import read_hcl

EXPRESSIONS = [
    "2.5e3", "-1E-2 + 1", "7 / 2", "8 / 2", "7 % 3", "-3 % 2", "1 + 2 * 3 - 4 / 2", "(1 + 2) * 3", "!true || 1 < 2 && 3 >= 3",
    '1 == "1"', "true == 1", '"a" == "a"', "null == null", "1 != 2", '"a\\tb\\n\\"c\\" \\\\ \\u00e9"', '"$${x} %%{y} $5 %"',
    '"${1}"', '"${true}-${1.5}"', '"${"${2 + 3}"}"', "[1, [2, 3], { a = [4] }]", '{ if = 1, null = 4, "b-c" : 2, (true ? "k" : "l") = 3 }',
    "[10, 20, 30][1]", '{ a = { b = [1, 2] } }.a.b[1]', '{ "x y" = 5 }["x y"]', "true ? 1 : 2",
    'false ? "a" : true ? "b" : "c"', "null", 'length([1, 2, 3])', 'length({ a = 1 })', 'merge({ a = 1 }, { a = 2, b = 3 })',
    'concat([1], [2, 3])', 'element(["a", "b", "c"], 4)', 'slice(["a", "b", "c"], 1, 3)', 'lookup({ a = 1 }, "b", 9)',
    'coalesce(null, "", "c")', 'lower("AbC")', 'upper("é")', "min(3, 1, 2)", "max(3, 1, 2)", "floor(-1.5)",
    'distinct(["a", "b", "a"])', 'compact(["a", "", "b"])', 'tonumber("12")', "tostring(7)", 'sort(["b", "a"])',
    'keys({ b = 1, a = 2 })', 'values({ b = 1, a = 2 })', "flatten([[1, [2]], [3]])", 'join("-", ["a", "b"])',
    'format("%s-%d", "a", 3)', "local.x0 + 1",
]  # fmt: skip
HEREDOC = """locals {
  h1 = <<EOT
  a ${1 + 1}
    b $${c}
EOT
  h2 = <<-EOT
      a
        b ${"c"}

      d
    EOT
}
"""


@pytest.mark.skipif(shutil.which("terraform") is None, reason="needs terraform")
def test_expressions_as_terraform_has_them(tmp_path):
    """What is known is what Terraform says; not one of these is left open."""
    lines = "".join(f"  x{i} = {text}\n" for i, text in enumerate(EXPRESSIONS))
    source = f"locals {{\n{lines}}}\n{HEREDOC}"
    (tmp_path / "main.tf").write_text(source)
    names = [f"x{i}" for i in range(len(EXPRESSIONS))] + ["h1", "h2"]
    asked = f"jsonencode({{ {', '.join(f'{name} = local.{name}' for name in names)} }})"
    done = subprocess.run(
        ["terraform", "console"], input=asked, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(json.loads(done.stdout.strip().splitlines()[-1]))
    module = Module([read_hcl(source, "main.tf")])
    assert module.faults == []
    for name, text in zip(names, [*EXPRESSIONS, "h1", "h2"], strict=True):
        found = module.lookup("local", (name,))
        assert found is not None, text
        assert plain(found[0]) == said[name], text
