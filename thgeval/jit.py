"""The one way thgeval compiles a loop.

Every kernel releases the GIL, so that clips and chunks of frames run on threads, and is cached on disk, so that only
the first run after an install pays for compilation. A kernel never starts threads of its own: results then can't
depend on how many there are.

``fastmath=True`` lets the compiler reorder sums and fuse multiply-adds. It is allowed only where an oracle test bounds
the difference, and never drops the rules for NaN and infinity.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import event

from thgeval.compilation import compiling

Loop = TypeVar("Loop", bound=Callable[..., Any])

COMPILES = "numba:compile"


class _Teller(event.Listener):
    """Tells of what is compiled now; what lies on disk is only read, and no event."""

    def on_start(self, event: Any) -> None:
        compiling(begins=True)

    def on_end(self, event: Any) -> None:
        compiling(begins=False)


event.register(COMPILES, _Teller())  # type: ignore[no-untyped-call]

_REORDER = {"reassoc", "contract", "arcp", "nsz"}


def jit(*, fastmath: bool = False, inline: bool = False) -> Callable[[Loop], Loop]:
    """Compile a plain loop over arrays; the compiled function keeps the type of the Python one."""

    def compiled(loop: Loop) -> Loop:
        return cast(
            "Loop",
            numba.njit(
                nogil=True,
                cache=True,
                error_model="numpy",
                fastmath=_REORDER if fastmath else False,
                inline="always" if inline else "never",
            )(loop),
        )

    return compiled
