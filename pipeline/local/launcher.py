"""The process between a stack and one of its programs: it sees to it that no program outlives its stack.

Run as ``python -I -S launcher.py GRACE_SECONDS COMMAND…``. It starts COMMAND, writes its pid on standard
output, and ends it when standard input closes or the parent is gone, however that happened: an open pipe is the
portable sign of a living parent. On Linux the kernel also kills COMMAND when the launcher itself is killed.
The exit code is that of COMMAND, 128 + signal when a signal ended it.

The launcher imports nothing of the project and little of the library, so that it starts in 30 ms and stays small.
"""

import contextlib
import functools
import os
import select
import signal
import subprocess
import sys

LOOK_SECONDS = 1.0
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def _die_with(launcher: int) -> None:
    """In the child, before exec: ask Linux for SIGKILL when the launcher dies."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # noqa: PLC0415  in the forked child only, on Linux only

    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != launcher:  # it died between fork and prctl
        os._exit(1)


def _end(child: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """SIGTERM, a time of grace, SIGKILL for the whole group."""
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    try:
        child.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _watch(child: subprocess.Popen[bytes], parent: int, wake: int) -> bool:
    """Block until the child has ended (True) or it should end (False)."""
    while child.poll() is None:
        readable, _, _ = select.select([sys.stdin.fileno(), wake], [], [], LOOK_SECONDS)
        if wake in readable and set(os.read(wake, 64)) & {signal.SIGTERM, signal.SIGINT}:
            return False
        if sys.stdin.fileno() in readable and not os.read(sys.stdin.fileno(), 64):
            return False
        if os.getppid() != parent:
            return False
    return True


def main() -> int:
    """Start the command of the arguments, watch it and the parent, return the exit code."""
    parent = os.getppid()
    grace_seconds, command = float(sys.argv[1]), sys.argv[2:]
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    try:
        child = subprocess.Popen(  # noqa: S603  the command comes from our own code
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            preexec_fn=functools.partial(_die_with, os.getpid()),  # noqa: PLW1509  there is one thread
            start_new_session=True,
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be started: {error.strerror}\n")
        return 127
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{child.pid}\n".encode())
    if not _watch(child, parent, wake):
        _end(child, grace_seconds)
    code = child.wait()
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main())
