"""Whether a process is there: asked of processes that may end at any moment."""

import psutil


def has_ended(pid: int) -> bool:
    """Whether no process has this id, or only its exit code is left of it."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
