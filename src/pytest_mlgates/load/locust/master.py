"""The master: brings workers together and passes orders and reports on, a line of JSON each.

    python -m pytest_mlgates.load.locust.master HOST PORT --workers N --users K

prints its port, then a line when all workers are there with their users; ends with its input.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

if __name__ == "__main__":
    # patches this process, so that it must come before what opens sockets, and never elsewhere
    import locust

from pytest_mlgates.load.locust.orders import ORDER, REPORT

__all__ = ["main"]

_LOOK_S = 0.05


def say(**words: Any) -> None:
    """Write a line for the process that started this one."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _gather(runner: Any, workers: int, users: int) -> None:
    """Wait for the workers, and until each has its users."""
    import gevent

    told = -1
    while (there := len(runner.clients.ready)) < workers:
        if there != told:
            told = there
            say(joined=there)
        gevent.sleep(_LOOK_S)
    runner.start(users, spawn_rate=users, wait=True)
    while runner.user_count < users:
        gevent.sleep(_LOOK_S)
    say(ready=workers)


def _watch(runner: Any, workers: int) -> None:
    """Say where a worker is gone, or another one came."""
    import gevent

    while runner.worker_count == workers:
        gevent.sleep(_LOOK_S)
    say(changed=runner.worker_count)


def main() -> None:
    """Pass orders on until the input ends."""
    parser = argparse.ArgumentParser(prog="master", description=__doc__.partition("\n")[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--users", type=int, required=True)
    options = parser.parse_args()
    import gevent
    from gevent.fileobject import FileObject

    user = type("Sender", (locust.User,), {"tasks": [gevent.sleep]})
    runner = locust.env.Environment(user_classes=[user]).create_master_runner(
        options.host, options.port
    )
    runner.register_message(REPORT, lambda msg, **_: say(report=msg.data))
    say(port=runner.server.port)
    gathering = gevent.spawn(_gather, runner, options.workers, options.users)
    lines = FileObject(sys.stdin.buffer, "rb", close=False)
    watching = None
    for line in lines:
        watching = watching or gevent.spawn(_watch, runner, options.workers)
        for client, order in zip(sorted(runner.clients), json.loads(line), strict=True):
            runner.send_message(ORDER, order, client)
    gathering.kill()
    if watching is not None:
        watching.kill()
    runner.quit()


if __name__ == "__main__":
    main()
