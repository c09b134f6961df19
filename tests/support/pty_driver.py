"""Runs a program on a new pseudo-terminal and plays the person in front of it.

Reads a JSON object: command, redirect (descriptors of the program that are
/dev/null instead of the terminal), steps. A step is ["expect", text], ["send",
text] or ["signal", name]. Writes a JSON object: output (what the terminal
showed), status (as a shell gives it), echo (whether the terminal echoed after
each "expect"), restored (whether its modes are the same at the end).
"""
import fcntl
import json
import os
import select
import signal
import sys
import termios
import time

TIMEOUT_S = 20
ECHO_FIELD = 3


def start(request):
    """The second descriptor keeps the terminal alive, to look at its modes."""
    terminal, keeper = os.openpty()
    # The program may have changed them when fork returns.
    before = termios.tcgetattr(keeper)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(keeper, termios.TIOCSCTTY, 0)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            is_redirected = descriptor in request.get("redirect", [])
            os.dup2(null if is_redirected else keeper, descriptor)
        os.close(terminal)
        os.execvp(request["command"][0], request["command"])
    return pid, terminal, keeper, before


def read_until(terminal, text, deadline):
    shown = ""
    while text not in shown:
        if time.monotonic() > deadline:
            raise SystemExit(f"timeout waiting for {text!r}: {shown!r}")
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 4096).decode()
    return shown


def main():
    request = json.load(sys.stdin)
    pid, terminal, keeper, before = start(request)
    deadline = time.monotonic() + TIMEOUT_S
    shown, echo = "", []
    for kind, value in request["steps"]:
        if kind == "expect":
            shown += read_until(terminal, value, deadline)
            modes = termios.tcgetattr(keeper)
            echo.append(bool(modes[ECHO_FIELD] & termios.ECHO))
        elif kind == "send":
            os.write(terminal, value.encode())
        else:
            os.kill(pid, getattr(signal, value))
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            raise SystemExit(f"timeout waiting for the end: {shown!r}")
        ready, _, _ = select.select([terminal], [], [], 0.05)
        if ready:
            shown += os.read(terminal, 4096).decode()
    after = termios.tcgetattr(keeper)
    while select.select([terminal], [], [], 0)[0]:
        shown += os.read(terminal, 4096).decode()
    code = os.waitstatus_to_exitcode(status)
    json.dump(
        {
            "output": shown,
            "status": code if code >= 0 else 128 - code,
            "echo": echo,
            "restored": before == after,
        },
        sys.stdout,
    )


main()
