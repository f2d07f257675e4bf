"""Sixty-odd mistakes that people make: each message names the place in their file, and the way out."""

from __future__ import annotations

import pytest

from pytest_mlgates.cli import main
from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.load import load_config

HEAD = "version: 1\nsystem: demo\nowner: me\ngates:\n"

#: what stands under `gates:` from line 5 on; where the mistake is, and what helps
CONFIGS = {
    "a unit of another size": ("  p99_latency: {max_s: 0.012}", "5:17", "It is in ms: max_ms: 12 for what you wrote"),
    "minutes for a limit in ms": ("  p99_latency: {max_min: 2}", "5:17", "max_ms: 120000 for what you wrote"),
    "a text for a number": ("  p99_latency: {max_ms: fast}", "5:25", "expected a number (ms), got the string 'fast'"),
    "a number with its unit": ("  p99_latency: {max_ms: 12ms}", "5:25", "expected a number (ms)"),
    "a percentage for a share": ("  slice_coverage: {min_share: 5}", "5:31", "5 % is 0.05"),
    "a percentage for another share": ("  shadow_divergence: {max_rate: 2.5}", "5:33", "2.5 % is 0.025"),
    "a field of another gate": ("  p99_latency: {max_ms: 12, max_gap: 1}", "5:29", "is not a field of p99_latency"),
    "a misspelt field": ("  slice_coverage: {min_shrae: 0.1}", "5:20", "did you mean 'min_share'?"),
    "a misspelt gate": ("  p99_latencies: {max_ms: 12}", "5:3", "did you mean 'p99_latency'?"),
    "an entry without its gate": ("  bid-speed: {max_ms: 12}", "5:3", "gate"),
    "a field that must be there": ("  p99_latency: {}", "5:", "needs max_ms"),
    "nothing under gates": ("", "4:", "gates"),
    "a list of gates": ("  - p99_latency: {max_ms: 12}", "5:3", "expected at least one gate, as in `p99_latency: {max_ms: 12}`"),
    "a negative limit": ("  p99_latency: {max_ms: -1}", "5:25", "greater than 0"),
    "a boolean": ("  p99_latency: {max_ms: true}", "5:25", "got the boolean True"),
    "not a number": ("  p99_latency: {max_ms: .nan}", "5:25", ""),
    "a key twice": ("  p99_latency: {max_ms: 12}\n  p99_latency: {max_ms: 9}", "6:3", ""),
    "a tab": ("\tp99_latency: {max_ms: 12}", "5:1", ""),
    "an open bracket": ("  p99_latency: {max_ms: 12", "", "demo.yaml"),
    "an unknown key at the top": ("  p99_latency: {max_ms: 12}\nprofile: {}", "6:1", "did you mean 'profiles'?"),
    "an unknown rule in a profile": ("  p99_latency: {max_ms: 12}\nprofiles:\n  ci: {inconclusiv: warn}", "7:8", "did you mean 'inconclusive'?"),
    "an unknown word in a profile": ("  p99_latency: {max_ms: 12}\nprofiles:\n  ci: {inconclusive: ok}", "7:22", "warn"),
    "a waiver of one's own": ("  p99_latency: {max_ms: 12}\nwaivers:\n  - {gate: p99_latency, reason: r, approved_by: me, expires: 2030-01-01}", "7:", "someone else approves"),
    "a waiver without an end": ("  p99_latency: {max_ms: 12}\nwaivers:\n  - {gate: p99_latency, reason: r, approved_by: you}", "7:", "expires"),
    "a waiver of nothing": ("  p99_latency: {max_ms: 12}\nwaivers:\n  - {gate: p99, reason: r, approved_by: you, expires: 2030-01-01}", "7:", "p99"),
    "a day that is none": ("  p99_latency: {max_ms: 12}\nwaivers:\n  - {gate: p99_latency, reason: r, approved_by: you, expires: 2030-02-30}", "7:", "expected a date such as 2026-12-31"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", CONFIGS)
def test_in_a_config(tmp_path, mistake):
    text, place, way_out = CONFIGS[mistake]
    file = tmp_path / "demo.yaml"
    file.write_text(f"{HEAD}{text}\n")
    with pytest.raises(ConfigError) as told:
        load_config(file, "gate_configs/demo.yaml")
    lines = str(told.value).splitlines()
    assert any(line.startswith(f"gate_configs/demo.yaml:{place}") for line in lines), lines
    assert way_out in str(told.value)
    assert len(lines) <= 2


#: a module after its first five lines; what the message holds beside its place
MODULES = {
    "no system": ('pytestmark = []\ndef test_it(slice_coverage): pass', "add pytestmark = pytest.mark.system"),
    "a misspelt system": ('@pytest.mark.system("dmo")\ndef test_it(slice_coverage): pass', "did you mean 'demo'? (looked in {root}/gate_configs)"),
    "a system without quotes": ('@pytest.mark.system(1)\ndef test_it(slice_coverage): pass', 'write @pytest.mark.system("name") with one name'),
    "an entry that is not there": ('@pytest.mark.slice_coverage("othr")\ndef test_it(slice_coverage): pass', "did you mean 'other'?"),
    "the entry of another gate": ('@pytest.mark.pii_leak("other")\ndef test_it(pii_leak): pass', "is for the gate 'slice_coverage', not 'pii_leak'"),
    "a looser limit": ("@pytest.mark.slice_coverage(min_share=0.01)\ndef test_it(slice_coverage): pass", "may only tighten a limit"),
    "a field in a marker": ("@pytest.mark.slice_coverage(min_shar=0.2)\ndef test_it(slice_coverage): pass", "did you mean 'min_share'?"),
    "a unit in a marker": ("@pytest.mark.p99_latency(max_s=0.5)\ndef test_it(p99_latency): pass", "It is in ms: max_ms: 500"),
    "a marker and no fixture": ("@pytest.mark.slice_coverage(min_share=0.2)\ndef test_it(): pass", "does not ask for the fixture 'slice_coverage'"),
    "known_bad and no gate": ("@pytest.mark.known_bad\ndef test_it(): pass", "asks for no gate"),
    "known_bad by another policy": ("@pytest.mark.known_bad\n@pytest.mark.slice_coverage(min_share=0.2)\ndef test_it(slice_coverage): pass", "judged by the configured policy"),
    "a number for an entry": ("@pytest.mark.slice_coverage(0.2)\ndef test_it(slice_coverage): pass", "takes one entry's name and fields to tighten"),
}  # fmt: skip


def test_in_markers(guest):
    """One run tells all of them, before any test ran."""
    guest.config(GUEST)
    for n, (text, _) in enumerate(MODULES.values()):
        guest.tests(text, name=f"test_{n}")
    result = guest.run()
    assert result.ret == 4
    lines = result.stderr.str().splitlines()
    for n, (mistake, (_, way_out)) in enumerate(MODULES.items()):
        (line,) = (line for line in lines if f"test_{n}.py:" in line)
        where = line.removeprefix("ERROR: ").removeprefix(f"test_{n}.py:").split(":")
        assert int(where[0]) >= 7, mistake
        assert way_out.format(root=guest.path) in line, mistake


GUEST = """
version: 1
system: demo
owner: me
gates:
  slice_coverage: {min_share: 0.1}
  other: {gate: slice_coverage, min_share: 0.1}
  p99_latency: {max_ms: 1000}
  pii_leak: {}
  name_invariance: {max_gap: 0.01}
  shadow_divergence: {max_rate: 0.05}
"""

#: the body of a test, and what the reason of its ERROR holds
CALLS = {
    "the wrong number of arguments": ("slice_coverage(GOOD)", "slice_coverage was called with the wrong arguments: missing a required argument: 'slice_of'"),
    "a misspelt argument": ("slice_coverage(GOOD, slice='k')", "wrong arguments"),
    "a column that is not there": ("slice_coverage(GOOD, 'region')", "region"),
    "no rows": ("slice_coverage([], 'k')", ""),
    "a file that is not there": ("slice_coverage('train.csv', 'k')", "train.csv"),
    "an error in the model": ("p99_latency(broken, [1.5])", "ValueError was raised at {test}:9 in broken (call 1; given x: a float)"),
    "an error in a library": ("import json\n    p99_latency(json.loads, ['{'])", "JSONDecodeError was raised at {test}:19 in test_it, inside decoder.py:"),
    "an HTTP error": ("p99_latency(unavailable, ['a'])", "Refused (HTTP 503) was raised at {test}:15 in unavailable"),
    "no inputs": ("p99_latency(len, [])", "input"),
    "an exhausted generator": ("g = iter([]); p99_latency(len, g)", "input"),
    "the reply and not its text": ("pii_leak(lambda p: {'text': 'hi'}, ['a'] * 50)", "return the text of the reply"),
    "a forgotten await": ("import asyncio\n    async def go(): pii_leak(reply, ['a'])\n    asyncio.run(go())", "write `await gate.aio(...)`"),
    "a template without a name": ("name_invariance(lambda t: 0.5, ['no name here'])", "{{NAME}}"),
    "a score that is no number": ("name_invariance(lambda t: 'high', ['{{NAME}} wrote'])", "score"),
    "a DataFrame's dict": ("shadow_divergence(len, len, {{'a': [1], 'b': [2]}})", ""),
    "never called": ("pass", "the test asked for this gate and never called it"),
    "an import that fails": ("import my_package", "the test ended before it called this gate: ModuleNotFoundError was raised at {test}:18 in test_it"),
}  # fmt: skip

HELPERS = """
def broken(x):
    raise ValueError("no such feature")
class Refused(Exception):
    code = 503
def unavailable(x):
    # a client's own class, as any HTTP library has one
    error = Refused("try later")
    raise error
async def reply(p): return "hi"
"""


def test_in_calls(guest):
    guest.config(GUEST)
    gates = ("p99_latency", "pii_leak", "name_invariance", "shadow_divergence")
    for n, (body, _) in enumerate(CALLS.values()):
        gate = next((gate for gate in gates if f"{gate}(" in body), "slice_coverage")
        lines = body.replace("{{", "{").replace("}}", "}")
        guest.tests(f"{HELPERS}def test_it({gate}):\n    {lines}\n", name=f"test_{n:02}")
    assert guest.run("--tb=no").ret == 1
    pieces = {e["test"]: e["verdict"] for e in guest.report()["evidence"]}
    for n, (mistake, (_, said)) in enumerate(CALLS.items()):
        verdict = pieces[f"test_{n:02}.py::test_it"]
        assert verdict["outcome"] in ("error", "inconclusive"), mistake
        assert said.format(test=f"test_{n:02}.py") in verdict["reason"], (mistake, verdict)


#: words of the command line, and what the one line says
COMMANDS = {
    "an unknown command": (["lst"], "list"),
    "a misspelt gate": (["schema", "p99_latncy"], "did you mean 'p99_latency'?"),
    "a config that is not there": (["check", "nowhere"], "nowhere: there is no such config file or folder"),
    "a field without a value": (["init", "bot", "p99_latency", "max_ms"], "write FIELD=VALUE, such as max_ms=12"),
    "a field of another unit": (["init", "bot", "p99_latency", "max_s=0.1"], "max_ms: 100 for what you wrote"),
    "a name with a blank": (["init", "my bot", "p99_latency", "max_ms=1"], "letters, digits and underscores"),
    "a profile that is not there": (["plan", "gate_configs", "--profile", "release"], "did you mean"),
    "a report that is not there": (["report", "nowhere"], "nowhere"),
    "several reports and no place": (["report", "a", "b"], "say where with --out DIR"),
    "no seeds": (["prove", ".", "--seeds", "0"], "at least one seed"),
    "a key that is not there": (["sign", "report", "--key", "no.pem"], "no.pem"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", COMMANDS)
def test_on_the_command_line(guest, mistake, capsys, monkeypatch):
    words, way_out = COMMANDS[mistake]
    monkeypatch.chdir(guest.path)
    guest.config(GUEST + "profiles:\n  releases: {complete: true}\n")
    try:
        status = main(words)
    except SystemExit as stop:
        status = stop.code
    err = capsys.readouterr().err
    assert status == 4
    assert way_out in err
    assert "Traceback" not in err


def test_there_are_sixty():
    assert sum(map(len, (CONFIGS, MODULES, CALLS, COMMANDS))) >= 60
