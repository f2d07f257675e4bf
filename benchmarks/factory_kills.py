"""Kill the uplink fifty times at random: is any queued picture lost, or counted twice?

``python benchmarks/factory_kills.py [--kills 50] [--pictures 300] [--seed 1]``: a process empties a
durable queue through the link, whose calls fail at random besides; it is killed (SIGKILL) after a
random number of arrivals and started again. Pictures are counted by digest in the queue, in the
depot, and as often as they were offered to it.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from reference_systems.factory_edge_qc import traffic
from reference_systems.parts.upload_queue import Budget, UploadQueue
from reference_systems.parts.uploader import example_clips

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.kills, options.pictures = 8, 60
    rng, kills = random.Random(options.seed), 0
    with tempfile.TemporaryDirectory() as folder, traffic.plant() as (depot, link):
        path = Path(folder, "queue.db")
        words = [sys.executable, "-m", "reference_systems.parts.uploader", str(path)]
        words += [f"http://127.0.0.1:{link.port('edge')}", "--clips", str(options.pictures)]
        process = None
        for run in range(options.kills + 1):
            process = subprocess.Popen([*words, "--seed", str(run)], cwd=ROOT)
            most = options.pictures // max(options.kills, 1)
            target = len(depot.offered) + rng.randint(1, max(most, 1))
            until = time.monotonic() + 120
            while process.poll() is None and time.monotonic() < until:
                if run < options.kills and len(depot.offered) >= target:
                    time.sleep(rng.uniform(0, 0.02))
                    process.kill()
                    kills += process.wait() != 0
                    break
                time.sleep(0.001)
            else:
                break
        if process is not None and process.poll() is None:
            process.wait(300)
        kept, offered = depot.clips(), list(depot.offered)
        queue = UploadQueue(path, Budget(1))
        receipts = queue.receipts()
        queue.close()
    wanted = {hashlib.sha256(clip).hexdigest() for clip in example_clips(options.pictures)}
    print("| killed | pictures queued | kept | lost | counted twice | bytes sent again for |")
    print("|---|---|---|---|---|---|")
    twice = len(receipts) - len(set(receipts))
    again = len(offered) - len(set(offered))
    print(
        f"| {kills} | {len(wanted)} | {len(kept)} | {len(wanted - set(kept) | wanted - set(receipts))}"
        f" | {twice + len(set(kept) - wanted)} | {again} |"
    )


if __name__ == "__main__":
    main()
