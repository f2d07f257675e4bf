"""Manifests drawn at random, sound and broken, judged by infra_guardrails and by what people write.

Each broken one has one fault of the class that the row names; each undecidable one has an
expression in its place. Beside the gate: a search for both words in the text (grep), and the two
keys read where a job has them (``spec`` in YAML, the first ``spec`` block by python-hcl2).

With ``--speed``: CPU time of the gate on many resources of Terraform, beside parsing alone by
tree-sitter-hcl, and by python-hcl2 (on an eighth of them).

Run: python benchmarks/infra_rules.py [--quick] [--speed]
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from pytest_mlgates.gates.infra_guardrails import InfraGuardrails

GATE = InfraGuardrails(rules=("job_ttl", "job_deadline"))
RUNS = 300
TTL, END = "ttlSecondsAfterFinished", "activeDeadlineSeconds"

Draw = random.Random


def job(draw: Draw, ttl: str | None, **also: str) -> str:
    """Return a Job in YAML; ``also`` adds text at a place."""
    lines = [f"  {END}: {draw.randint(60, 86_400)}", f"  parallelism: {draw.randint(1, 8)}"]
    lines += [f"  {TTL}: {ttl}"] if ttl is not None else []
    lines += [f"  {also['spec']}"] if "spec" in also else []
    draw.shuffle(lines)
    pod = f"\n      {also['pod']}" if "pod" in also else ""
    name = f"job-{draw.randint(0, 999)}"
    return (
        f"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\n{also.get('metadata', '')}"
        f"spec:\n{chr(10).join(lines)}\n  template:\n    spec:{pod}\n      restartPolicy: Never\n"
        f"      containers: [{{name: a, image: b}}]\n{also.get('end', '')}"
    )


def cron(draw: Draw, ttl: str | None, where: str = "job") -> str:
    """Return a CronJob in YAML, with its TTL on the template of its jobs, or a level too high."""
    inner = "".join(
        "      " + line[2:] + "\n"
        for line in job(draw, ttl if where == "job" else None).splitlines()[5:]
    )
    outer = f"  {TTL}: {ttl}\n" if where != "job" else ""
    return (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec:\n"
        f"  schedule: '0 {draw.randint(0, 23)} * * *'\n{outer}  jobTemplate:\n    spec:\n{inner}"
    )


def hcl(draw: Draw, ttl: str | None, head: str = "", pod: str = "") -> str:
    """Return a kubernetes_job in HCL."""
    line = f"    ttl_seconds_after_finished = {ttl}\n" if ttl is not None else ""
    return (
        f'{head}resource "kubernetes_job" "j{draw.randint(0, 99)}" {{\n  spec {{\n{line}'
        f"    active_deadline_seconds = {draw.randint(60, 86_400)}\n    template {{\n      spec {{\n"
        f'{pod}        restart_policy = "Never"\n      }}\n    }}\n  }}\n}}\n'
    )


def seconds(draw: Draw) -> str:
    return str(draw.randint(60, 86_400))


SOUND: dict[str, Callable[[Draw], str]] = {
    "YAML, plain": lambda d: job(d, seconds(d)),
    "YAML, from an anchor": lambda d: job(
        d, "*t", metadata=f"  annotations: {{x: &t {seconds(d)}}}\n"
    ),
    "YAML, a CronJob": lambda d: cron(d, seconds(d)),
    "YAML, a Deployment beside it": lambda d: (
        job(d, seconds(d)) + "---\napiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 3}\n"
    ),
    "HCL, plain": lambda d: hcl(d, seconds(d)),
    "HCL, arithmetic": lambda d: hcl(d, f"{d.randint(1, 24)} * 60 * 60"),
    "HCL, a local": lambda d: hcl(d, "local.ttl", f"locals {{\n  ttl = {seconds(d)}\n}}\n"),
    "HCL, a default": lambda d: hcl(d, "var.t", f'variable "t" {{\n  default = {seconds(d)}\n}}\n'),
}
BROKEN: dict[str, Callable[[Draw], str]] = {
    "YAML, left out": lambda d: job(d, None),
    "YAML, in a comment": lambda d: job(d, None, end=f"# {TTL}: {seconds(d)}\n"),
    "YAML, on the pod": lambda d: job(d, None, pod=f"{TTL}: {seconds(d)}"),
    "YAML, in the metadata": lambda d: job(d, None, metadata=f"  {TTL}: {seconds(d)}\n"),
    "YAML, beside the spec": lambda d: job(d, None, end=f"{TTL}: {seconds(d)}\n"),
    "YAML, misspelled": lambda d: job(d, None, spec=f"{TTL}s: {seconds(d)}"),
    "YAML, a text": lambda d: job(d, f'"{seconds(d)}"'),
    "YAML, null or 0 or negative": lambda d: job(d, d.choice(["null", "~", "0", "-60"])),
    "YAML, a year": lambda d: job(d, "31536000"),
    "YAML, the second of two": lambda d: job(d, seconds(d)) + "---\n" + job(d, None),
    "YAML, a CronJob, a level too high": lambda d: cron(d, seconds(d), "outer"),
    "HCL, left out": lambda d: hcl(d, None),
    "HCL, in a comment": lambda d: hcl(d, None, f"# ttl_seconds_after_finished = {seconds(d)}\n"),
    "HCL, on the pod": lambda d: hcl(
        d, None, pod=f"        ttl_seconds_after_finished = {seconds(d)}\n"
    ),
    "HCL, null by a default": lambda d: hcl(d, "var.t", 'variable "t" {\n  default = null\n}\n'),
    "HCL, 0 by a local": lambda d: hcl(d, "local.t", "locals {\n  t = 3600 * 0\n}\n"),
}
OPEN: dict[str, Callable[[Draw], str]] = {
    "YAML, a template in quotes": lambda d: job(d, '"{{ .Values.ttl }}"'),
    "YAML, a template": lambda d: job(d, "{{ .Values.ttl }}"),
    "HCL, a variable": lambda d: hcl(d, "var.t", 'variable "t" {}\n'),
    "HCL, a condition": lambda d: hcl(d, "var.prod ? 3600 : null"),
}  # fmt: skip


def by_gate(file: Path) -> str:
    return GATE.run(file).outcome.value


def by_words(file: Path) -> str:
    text = file.read_text()
    both = re.search("ttl_?seconds", text, re.IGNORECASE) and re.search(
        "active_?deadline", text, re.IGNORECASE
    )
    return "pass" if both else "fail"


def by_keys(file: Path) -> str:
    try:
        if file.suffix == ".tf":
            import hcl2

            body = hcl2.loads(file.read_text())["resource"][0]['"kubernetes_job"']
            spec = next(iter(body.values()))["spec"][0]
            names = ("ttl_seconds_after_finished", "active_deadline_seconds")
        else:
            spec = next(yaml.safe_load_all(file.read_text()))["spec"]
            names = (TTL, END)
        return "pass" if all(name in spec for name in names) else "fail"
    except Exception:  # noqa: BLE001  (what a script of ten lines does)
        return "error"


def pools(count: int) -> str:
    """Return clusters and the GPU pools in them, all sound."""
    pair = (
        'resource "google_container_cluster" "c{0}" {{\n  name = "c{0}"\n  location = "us-central1-a"\n'
        '  remove_default_node_pool = true\n}}\nresource "google_container_node_pool" "p{0}" {{\n'
        '  cluster = google_container_cluster.c{0}.name\n  node_config {{\n    machine_type = "a2-highgpu-1g"\n'
        "    resource_labels = {{ owner = var.owner }}\n  }}\n}}\n"
    )
    return 'variable "owner" {\n  default = "ml"\n}\n' + "".join(
        map(pair.format, range(count // 2))
    )


def cpu(act: Callable[[], object]) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun


def speed(most: int) -> None:
    import hcl2
    import tree_sitter
    import tree_sitter_hcl

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))
    gate = InfraGuardrails(rules=("one_zone", "owner_label"))
    print(
        "| resources | infra_guardrails, CPU s | tree-sitter-hcl, parsing alone | python-hcl2, parsing alone |"
    )
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for count in (most // 8, most // 4, most // 2, most):
            text = pools(count)
            Path(folder, "main.tf").write_text(text)
            whole = cpu(lambda: gate.run(folder))
            alone = cpu(lambda text=text: parser.parse(text.encode()))
            slow = f"{cpu(lambda text=text: hcl2.loads(text)):.1f}" if count == most // 8 else "-"
            print(f"| {count:,} | {whole:.2f} | {alone:.2f} | {slow} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the manifests")
    parser.add_argument("--speed", action="store_true", help="CPU time in place of verdicts")
    options = parser.parse_args()
    if options.speed:
        speed(4_000 if options.quick else 16_000)
        return
    runs = RUNS // 10 if options.quick else RUNS
    judges = {"infra_guardrails": by_gate, "words in the text": by_words, "keys of spec": by_keys}
    print(f"{runs} manifests a row; wrong verdicts (for an undecidable one: PASS or FAIL)")
    print(f"| manifest | right is | {' | '.join(judges)} |\n|---|---|{'---|' * len(judges)}")
    spent, totals = 0.0, dict.fromkeys(judges, 0)
    count = 0
    kinds = (
        ("PASS", {"pass"}, SOUND),
        ("FAIL", {"fail", "error"}, BROKEN),
        ("neither", {"inconclusive", "error"}, OPEN),
    )
    with tempfile.TemporaryDirectory() as folder:
        for right, fine, classes in kinds:
            for name, make in classes.items():
                draw, wrong = Draw(name), dict.fromkeys(judges, 0)
                for _ in range(runs):
                    file = Path(folder, "m.tf" if name.startswith("HCL") else "m.yaml")
                    file.write_text(make(draw))
                    count += 1
                    for label, judge in judges.items():
                        begun = time.perf_counter()
                        wrong[label] += judge(file) not in fine
                        spent += (time.perf_counter() - begun) if label == "infra_guardrails" else 0
                print(
                    f"| {name} | {right} | {' | '.join(str(w) for w in wrong.values())} |",
                    flush=True,
                )
                totals = {label: totals[label] + wrong[label] for label in judges}
    print(f"| **all {count:,}** | | {' | '.join(f'**{t:,}**' for t in totals.values())} |")
    print(f"{spent / count * 1e3:.1f} ms a manifest by the gate")


if __name__ == "__main__":
    main()
