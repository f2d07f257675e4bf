"""The commands: serve, load, score, learn, update, compare.

JSON Lines on standard output, words on standard error; exit 0 done, 1 refused or failed, 2 usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from reference_systems.finalgo_fraud.store import DELAY_MS
from reference_systems.parts.commands import Parser
from reference_systems.parts.side_by_side import rows_of

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 1
    except (OSError, ValueError, RuntimeError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)  # noqa: T201
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="finalgo_fraud", description=(__doc__ or "").strip())
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)

    def command(name: str, what: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=what, description=what)

    one = command("serve", "answer transactions on 127.0.0.1, a JSON line each, in any order")
    one.add_argument("--port", type=_port, required=True, help="0 takes a free one and says which")
    _scoring(one)
    one.set_defaults(run=_serve)
    one = command("score", "score transactions from standard input, in their order")
    _scoring(one)
    one.set_defaults(run=_score)
    one = command("learn", "take labels ({id, fraud}) of scored transactions and learn them")
    _state(one)
    _kafka(one)
    one.set_defaults(run=_learn)
    one = command("update", "learn what comes through a Kafka broker, until interrupted")
    _state(one)
    _kafka(one)
    one.set_defaults(run=_update)
    one = command("load", "offer transactions at a rate, open loop, and print one line of figures")
    one.add_argument("--to", type=_address, required=True, help="HOST:PORT of the server")
    one.add_argument("--rate", type=_positive, required=True, help="transactions a second")
    one.add_argument("--connections", type=_at_least(1), default=64)
    one.add_argument("--seconds", type=_positive, default=10.0)
    one.add_argument("--cards", type=_at_least(1), default=1_000_000, help="cards that pay")
    one.add_argument("--seed", type=_at_least(0), default=1)
    one.add_argument("--grace", type=_positive, default=3.0,
                     help="seconds that answers are waited for after the last transaction")  # fmt: skip
    one.set_defaults(run=_load)
    one = command("compare", "print incident and fix side by side, measured here")
    one.add_argument("--rates", type=_rates, default=[100.0, 2000.0, 20000.0],
                     help="transactions a second, with commas (%(default)s)")  # fmt: skip
    one.add_argument("--connections", type=_at_least(1), default=64)
    one.add_argument("--seconds", type=_positive, default=5.0)
    one.add_argument("--seed", type=_at_least(0), default=1)
    one.set_defaults(run=_compare)
    return parser


def _scoring(parser: argparse.ArgumentParser) -> None:
    _state(parser)
    parser.add_argument("--build", choices=("fixed", "incident"), default="fixed")
    parser.add_argument("--store", type=_address, help="HOST:PORT of a Valkey or Redis; "
                        "without it one is started for this run")  # fmt: skip
    parser.add_argument("--delay-ms", type=_positive, default=DELAY_MS,
                        help="what the way to the store takes, there and back (%(default)s)")  # fmt: skip
    parser.add_argument("--cards", type=_at_least(4096), default=500_000,
                        help="cards that the local table holds (%(default)s)")  # fmt: skip
    parser.add_argument("--remember", type=_at_least(1), default=1 << 22,
                        help="decisions that labels can still be joined to (%(default)s)")  # fmt: skip


def _state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", type=Path, help="folder of models, decisions and labels "
                        "(default: finalgo_fraud in MLGATES_CACHE or the user's cache)")  # fmt: skip


def _kafka(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kafka", default=os.environ.get("MLGATES_KAFKA") or None,
                        help="HOST:PORT of a broker (default: MLGATES_KAFKA; without one, the "
                        "mock cluster inside the client, which keeps nothing)")  # fmt: skip


def _folder(options: argparse.Namespace) -> Path:
    if options.state:
        return Path(options.state)
    named = os.environ.get("MLGATES_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return (Path(named) if named else Path(home, "pytest-mlgates")) / "finalgo_fraud"


def _serve(options: argparse.Namespace) -> None:
    from reference_systems.finalgo_fraud.serving import serve
    from reference_systems.finalgo_fraud.state import State

    serve(State(_folder(options)), options.build, options.port, store_at=options.store,
          delay_ms=options.delay_ms, capacity=options.cards, remember=options.remember)  # fmt: skip


def _score(options: argparse.Namespace) -> None:
    from reference_systems.finalgo_fraud import rate, serving, store
    from reference_systems.finalgo_fraud.state import State

    state = State(_folder(options))
    with (
        store.started(options.delay_ms, options.store) as running,
        serving.engine(state, options.build, ("127.0.0.1", running.port),
                       capacity=options.cards, remember=options.remember,
                       give_up_s=2.0) as engine,
    ):  # fmt: skip
        rate.score(engine, sys.stdin.buffer)


def _learn(options: argparse.Namespace) -> int:
    from reference_systems.finalgo_fraud import teach
    from reference_systems.finalgo_fraud.state import State

    return teach.learn(State(_folder(options)), sys.stdin.buffer, options.kafka)


def _update(options: argparse.Namespace) -> None:
    from reference_systems.finalgo_fraud import teach
    from reference_systems.finalgo_fraud.state import State

    if options.kafka is None:
        raise ValueError("update needs a broker: name one by --kafka or MLGATES_KAFKA")
    teach.update(State(_folder(options)), options.kafka)


def _load(options: argparse.Namespace) -> None:
    from reference_systems.finalgo_fraud.load import load

    told, _ = load(options.to, options.rate, options.connections, options.seconds,
                   seed=options.seed, cards=options.cards, grace_s=options.grace)  # fmt: skip
    print(json.dumps(told), flush=True)  # noqa: T201


def _compare(options: argparse.Namespace) -> None:
    from reference_systems.finalgo_fraud.compare import compare

    def tell(_arguments: list[str]) -> None:
        compare(options.rates, options.seconds, options.connections, options.seed)

    for row in rows_of(tell, ()):
        print(json.dumps(row), flush=True)  # noqa: T201


def _rates(text: str) -> list[float]:
    return [_positive(part) for part in text.split(",")]


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"a port lies between 0 and 65535, not {text}")
    return port


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a number of at least 0")
    return value


def _at_least(least: int):
    def read(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is below {least}")
        return value

    return read
