"""The verdict on a gap between two groups beside modeltest's and bdp-model-gate's, on the same draws.

``python benchmarks/fairness_rivals.py [--draws 100]``, where ``modeltest`` and ``bdp-model-gate[structured]``
are installed (in an environment of their own: they pin what they need). Rows and limit are those of
``fairness_errors.py``: 15 % in the smaller group, limit 0.10. bdp's interval is two-sided at 95 %, ours
one-sided at 5 %; modeltest compares plain figures, here without its ratio. CPU milliseconds of one check.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
from bdp_model_gate.config import FairnessConfig
from bdp_model_gate.core.context import StructuredGateContext
from bdp_model_gate.structured.fairness import DisparateImpactCheck
from fairness_errors import GATES, LIMIT, MINORITY, RATE, measured
from modeltest.scenarios.fairness import StatisticalParityTest

Draw = tuple[np.ndarray, np.ndarray]


def ours(draw: Draw) -> str:
    selected, group = draw
    counts = [(int(selected[group == g].sum()), int((group == g).sum())) for g in ("a", "b")]
    return GATES["gap"].decide(measured((counts[0], counts[1]))).outcome.value


def modeltest(draw: Draw) -> str:
    selected, group = draw
    seen = SimpleNamespace(
        predict=lambda: selected, y_val=selected, X_val=pd.DataFrame({"group": group})
    )
    try:
        StatisticalParityTest("group", max_diff=LIMIT, min_ratio=0.0).test(seen)
    except AssertionError:
        return "fail"
    return "pass"


def bdp(draw: Draw) -> str:
    selected, group = draw
    context = StructuredGateContext(
        model=None,
        X=pd.DataFrame({"x": np.arange(len(selected))}),
        y_true=selected,
        y_pred=selected,
        protected_df=pd.DataFrame({"group": group}),
    )
    (found,) = DisparateImpactCheck(FairnessConfig(disparity_threshold=LIMIT)).run(context)
    return {"OK": "pass", "DISPARITY_RISK": "fail"}.get(found.flag, found.flag.lower())


TOOLS: dict[str, Callable[[Draw], str]] = {"ours": ours, "modeltest": modeltest, "bdp": bdp}


def main() -> None:
    """Print a line for each size, gap and tool."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=100)
    draws = parser.parse_args().draws
    for n in (200, 1000, 5000):
        for gap in (0.0, LIMIT, 0.2):
            rng = np.random.default_rng(n + round(1000 * gap))
            few = round(n * MINORITY)
            group = np.repeat(["a", "b"], [few, n - few])
            found: dict[str, Counter[str]] = {tool: Counter() for tool in TOOLS}
            spent = dict.fromkeys(TOOLS, 0.0)
            for _ in range(draws):
                selected = (rng.random(n) < np.where(group == "a", RATE - gap, RATE)).astype(int)
                for tool, judge in TOOLS.items():
                    begin = time.process_time()
                    found[tool][judge((selected, group))] += 1
                    spent[tool] += time.process_time() - begin
            for tool, counts in found.items():
                told = ", ".join(
                    f"{word} {100 * k / draws:.0f} %" for word, k in counts.most_common()
                )
                print(
                    f"n {n:5} gap {gap:.2f} {tool:10} {1000 * spent[tool] / draws:7.2f} ms  {told}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
