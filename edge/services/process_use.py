"""What a process of this machine has used, from Linux's /proc (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")
# Fields of /proc/<pid>/stat after the command's closing bracket.
_USER_TICKS, _SYSTEM_TICKS = 11, 12


def peak_bytes(pid: int | None) -> int | None:
    """Return the most memory that a process has held, None where unknown."""
    try:
        text = (_PROC / str(pid) / "status").read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    return None


def processor_s(pid: int | None) -> float | None:
    """Return the processor time of a process in seconds, None where unknown."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    ticks = int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])
    return ticks / os.sysconf("SC_CLK_TCK")
