"""Keeps the local account's processes together: when one goes, all go.

Two processes run this file. `watch` is the supervisor: it owns the standard input that Plumb holds, starts the
emulator in a process group of its own and outlives it for as long as it takes to end that group. `serve` is the
emulator: it watches a pipe of the supervisor. So the death of any of the three ends the others, and with them
the functions' own processes, which the emulator itself leaves behind.

Plumb writes one byte to detach: from then on the end of the pipe no longer means anything.
"""

import os
import signal
import subprocess
import sys
import threading
import time

GRACE_SECONDS = 5.0


def marked(mark):
    """Processes that inherited our mark, wherever they put themselves (Linux; elsewhere the group must do)."""
    found = []
    for entry in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                with open(f"/proc/{entry}/environ", "rb") as environ:
                    if mark in environ.read().split(b"\0"):
                        found.append(int(entry))
            except OSError:
                pass
    return found


def kill(function, target, number):
    try:
        function(target, number)
    except (ProcessLookupError, PermissionError):
        pass


def watch(identity):
    os.setsid()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    lifeline, held = os.pipe()
    emulator = subprocess.Popen(
        [sys.executable, "-I", os.path.abspath(__file__), "serve", identity, str(lifeline)],
        stdin=subprocess.DEVNULL, pass_fds=(lifeline,),
    )
    os.close(lifeline)

    def follow_plumb():
        if not os.read(0, 1):
            stop.set()

    def follow_emulator():
        emulator.wait()
        stop.set()

    for follow in (follow_plumb, follow_emulator):
        threading.Thread(target=follow, daemon=True).start()
    stop.wait()
    kill(os.killpg, emulator.pid, signal.SIGTERM)
    try:
        emulator.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    # The leader may be gone; its group still is one while a function's process runs.
    kill(os.killpg, emulator.pid, signal.SIGKILL)
    for _ in range(50):
        left = marked(b"PLUMB_LOCAL_ID=" + identity.encode())
        for pid in left:
            kill(os.kill, pid, signal.SIGKILL)
        if not left:
            break
        time.sleep(0.02)
    os.close(held)
    code = emulator.wait()
    # Not sys.exit: a thread may still sit in a read of Plumb's pipe.
    os._exit(code if code >= 0 else 128 - code)


def serve(lifeline):
    os.setpgid(0, 0)

    def follow_supervisor():
        os.read(lifeline, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    os.set_inheritable(lifeline, False)
    threading.Thread(target=follow_supervisor, daemon=True).start()
    from ministack.app import main

    sys.argv = ["ministack"]
    main()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[3]))
    else:
        watch(sys.argv[2])
