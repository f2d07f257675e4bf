"""A first day, played by a script: from files of one's own to a true FAIL and a true PASS.

Three newcomers: a scikit-learn model, an HTTP endpoint and a chat function. Each types the commands
below in an empty folder (with the package installed) and edits the test that `mlgates init` wrote.
Printed are the commands, the seconds to the first FAIL and the first PASS by the clock and in CPU
time, and whether both are true: the FAIL is of a flawed subject, the PASS of its mend.

    python benchmarks/first_day.py
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MLGATES = (sys.executable, "-m", "pytest_mlgates")
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Newcomer:
    """A subject, flawed and mended, and what its owner asks of it."""

    name: str
    gate: str
    fields: tuple[str, ...]
    needs: str
    subject: str
    flaw: tuple[str, str]
    call: str


SKLEARN = Newcomer(
    name="churn",
    gate="quality_floor",
    fields=("metric=accuracy", "min_value=0.8"),
    needs="sklearn",
    subject="""\
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

X, y = make_classification(4_000, 6, n_informative=4, n_redundant=0, class_sep=2.0, random_state=1)
model = LogisticRegression().fit(X[:2_000], y[:2_000])

def predict(row):
    return int(model.predict([row])[0])

INPUTS, LABELS = X[2_000:], y[2_000:].tolist()
""",
    flaw=("y[:2_000])\n", "y[1_000:3_000])\n"),
    call="predict, INPUTS, LABELS",
)

HTTP = Newcomer(
    name="endpoint",
    gate="p99_latency",
    fields=("max_ms=250",),
    needs="",
    subject="""\
import http.client, http.server, threading, time

class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def do_GET(self):
        time.sleep(0)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
line = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)

def ask(path):
    line.request("GET", path)
    answer = line.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(answer.status)

PATHS = ["/a", "/b", "/c"]
""",
    flaw=("time.sleep(0)", "time.sleep(0.4)"),
    call="ask, PATHS",
)

CHAT = Newcomer(
    name="chat",
    gate="pii_leak",
    fields=(),
    needs="",
    subject="""\
CUSTOMERS = {"1001": "Ms Meyer", "1002": "Mr Odu"}

def answer(prompt):
    order = prompt.split()[-1]
    return f"Order {order} of {CUSTOMERS.get(order, 'a customer')} is on its way."

PROMPTS = [f"Where is my order {n}" for n in range(12_000)]
""",
    flaw=('"Ms Meyer"', '"Ms Meyer, card 4111 1111 1111 1111,"'),
    call="answer, PROMPTS",
)


def main() -> int:
    good = True
    for newcomer in (SKLEARN, HTTP, CHAT):
        good &= first_day(newcomer)
    return 0 if good else 1


def first_day(who: Newcomer) -> bool:
    """Play one day; print what was typed and what came of it."""
    if who.needs:
        try:
            __import__(who.needs)
        except ImportError:
            print(f"{who.name}: not played: needs {who.needs}")
            return True
    print(f"\n{who.name} ({who.gate})")
    began, spent = time.perf_counter(), _cpu()
    with tempfile.TemporaryDirectory(prefix="first-day-") as place:
        root = Path(place)
        flawed = who.subject.replace(*who.flaw)
        assert flawed != who.subject
        typed = [(*MLGATES, "init", who.name, who.gate, *who.fields)]
        status, out = _type(root, typed[-1])
        ok = status == 0
        _edit(root, who, flawed)
        typed.append((*PYTEST, f"tests/test_{who.name}_gates.py"))
        status, out = _type(root, typed[-1])
        failed = time.perf_counter() - began
        true_fail = status == 1 and "ML gates: FAIL" in out
        _edit(root, who, who.subject)
        typed.append(typed[-1])
        status, out = _type(root, typed[-1])
        passed = time.perf_counter() - began
        true_pass = status == 0 and "ML gates: PASS" in out
        for words in typed:
            print("  $", *(_short(word) for word in words))
        print(f"  first true FAIL after {failed:.1f} s: {true_fail}")
        print(
            f"  first true PASS after {passed:.1f} s, {_cpu() - spent:.1f} s of CPU: {true_pass},"
            f" {len(typed)} commands"
        )
        if not (true_fail and true_pass):
            print(out)
    return ok and true_fail and true_pass


def _edit(root: Path, who: Newcomer, subject: str) -> None:
    """Replace the example in the test that `mlgates init` wrote, and nothing else."""
    file = root / "tests" / f"test_{who.name}_gates.py"
    text = file.read_text()
    head, _, rest = text.partition("# an example: put your own here\n")
    test = rest[rest.index("\n\n\ndef test_") :] if "\n\n\ndef test_" in rest else ""
    call = test[test.rindex(f"    {who.gate}(") :]
    file.write_text(
        f"{head}# an example: put your own here\n{subject}"
        + test.replace(call, f"    {who.gate}({who.call})\n")
    )


def _type(root: Path, words: tuple[str, ...]) -> tuple[int, str]:
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _cpu() -> float:
    """Return the CPU seconds of all commands typed so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _short(word: str) -> str:
    return "python" if word == sys.executable else word


if __name__ == "__main__":
    sys.exit(main())
