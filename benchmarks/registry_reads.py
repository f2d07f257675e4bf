"""What verification costs: verified reads beside plain ``boto3`` gets, and memory of large files.

``python benchmarks/registry_reads.py [--megabytes 64] [--rounds 15] [--large 5]``: throughput of a
verified get and of a plain get of the same bytes into a file, on seaweedfs, in alternating pairs;
then a file of ``--large`` GB put and got in a process of its own, in a folder and on S3, whose
largest resident set is printed.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import boto3

from reference_systems.model_registry import seaweed
from reference_systems.model_registry.registry import Registry
from reference_systems.model_registry.s3_address import Address

LARGE = """
import sys, time
from pathlib import Path
from reference_systems.model_registry.registry import Registry

def peak():
    # not getrusage: its maximum is taken over from the process that started this one
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

place, file, target, act = sys.argv[1:5]
registry = Registry.open(place)
began = time.monotonic()
if act == "put":
    with open(file, "rb") as stream:
        print(registry.put(stream, "large").stored.digest, end=" ")
else:
    print(registry.get(sys.argv[5], Path(target)), end=" ")
print(f"{peak():.1f} {time.monotonic() - began:.1f}")
"""


def plain(client, bucket: str, key: str, target: Path) -> None:
    with target.open("wb") as file:
        for block in client.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(1 << 20):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())


def reads(endpoint: str, megabytes: int, rounds: int, scratch: Path) -> None:
    address = Address("reads", "", endpoint)
    registry = Registry.open(str(address), grace=timedelta(0))
    client = boto3.client("s3", endpoint_url=endpoint)  # as it is without a setting of ours
    data = os.urandom(megabytes << 20)
    digest = registry.put(io.BytesIO(data), "model").stored.digest
    key = registry.store.key(digest)
    took: dict[str, list[float]] = {"verified": [], "plain": []}
    for number in range(rounds):
        for name in sorted(took, reverse=bool(number % 2)):
            (scratch / "out").unlink(missing_ok=True)
            began = time.perf_counter()
            if name == "verified":
                registry.get(digest, scratch / "out")
            else:
                plain(client, address.bucket, key, scratch / "out")
            took[name].append(time.perf_counter() - began)
    ratios = [p / v for p, v in zip(took["plain"], took["verified"], strict=True)]
    for name, seconds in took.items():
        print(f"{name}: {megabytes} MB, median {megabytes / statistics.median(seconds):.0f} MB/s")
    low, high = min(ratios), max(ratios)
    print(
        f"verified at {statistics.median(ratios):.2f} times the plain rate, median of {rounds} pairs "
        f"(from {low:.2f} to {high:.2f})",
        flush=True,
    )


def large(place: str, gigabytes: int, scratch: Path) -> None:
    source, target = scratch / "source", scratch / "target"
    if not source.exists():
        with source.open("wb") as file:
            for _ in range(gigabytes * 64):
                file.write(os.urandom(16 << 20))
    words = [sys.executable, "-c", LARGE, place, str(source), str(target)]
    put = subprocess.run([*words, "put"], check=True, capture_output=True, text=True).stdout.split()
    get = subprocess.run(
        [*words, "get", put[0]], check=True, capture_output=True, text=True
    ).stdout.split()
    same = subprocess.run(["cmp", str(source), str(target)], check=False).returncode == 0
    where = "S3" if place.startswith("http") else "folder"
    print(
        f"{where}: {int(get[0]):,} bytes, put {put[1]} MB resident at most, {put[2]} s; "
        f"get {get[1]} MB, {get[2]} s; {'the same bytes' if same else 'OTHER BYTES'}",
        flush=True,
    )
    target.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--large", type=int, default=5, help="gigabytes; 0 leaves it out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        with seaweed.running(scratch / "weed") as server:
            os.environ.update(server.environment)
            for megabytes in (1, options.megabytes):
                reads(server.endpoint, megabytes, options.rounds, scratch)
            if options.large:
                large(f"{server.endpoint}/large", options.large, scratch)
        if options.large:
            large(str(scratch / "registry"), options.large, scratch)


if __name__ == "__main__":
    main()
