"""Programs that are killed in the middle."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.stack import RunningStack


def kill_after(stack: RunningStack, imports: str, call: str, delays_s: Iterable[float]) -> None:
    """Run Python code, for each delay anew, and send SIGKILL so long after its imports are done."""
    code = f"{imports}\nprint('go', flush=True)\n{call}\n"
    for delay_s in delays_s:
        with subprocess.Popen(
            [sys.executable, "-c", code], env=stack.environment, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"go\n"
            time.sleep(delay_s)
            process.kill()
