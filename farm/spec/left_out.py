"""What a description leaves out when it is written: `exclude_if` of its fields.

None of these runs code of Python's own. Ctrl-C raises `KeyboardInterrupt` between two steps of such
code, and pydantic, while it writes, makes of that a `PydanticSerializationError`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial

is_none: Callable[[object], bool] = partial(operator.is_, None)
is_empty: Callable[[object], bool] = operator.not_


def usual(value: object) -> Callable[[object], bool]:
    """Return what says whether a field has its usual value."""
    return partial(operator.eq, value)
