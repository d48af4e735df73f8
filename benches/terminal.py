"""A program in a pseudo terminal of 120 by 40 cells, and when it said what."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

# What moves, colours and asks; what is left is what a person sees.
ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78cDEHM])")


class Terminal:
    """Starts a program; the clock runs from just before the fork."""

    def __init__(self, argv, env, cwd=None):
        self.began = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
                if cwd:
                    os.chdir(cwd)
                os.execve(argv[0], argv, env)
            finally:
                os._exit(127)
        self.seen = b""

    def read(self, wait):
        """The next piece of output, or nothing after so many seconds; b"" at its end."""
        if not select.select([self.fd], [], [], wait)[0]:
            return None
        try:
            piece = os.read(self.fd, 1 << 16)
        except OSError:
            piece = b""
        # Whoever asks where the cursor is, or what terminal this is, waits for the answer.
        if b"\x1b[6n" in piece:
            os.write(self.fd, b"\x1b[1;1R")
        if b"\x1b[c" in piece:
            os.write(self.fd, b"\x1b[?62;c")
        self.seen += piece
        return piece

    def until(self, found, wait=30.0):
        """Seconds from the start until `found(text so far)` holds."""
        end = time.perf_counter() + wait
        while time.perf_counter() < end:
            piece = self.read(end - time.perf_counter())
            at = time.perf_counter()
            if found(self.text()):
                return at - self.began
            if piece == b"":
                status = os.waitpid(self.pid, 0)[1]
                raise SystemExit(f"{self.text()[-2000:]!r}\nended with {os.waitstatus_to_exitcode(status)}")
        raise SystemExit(f"{self.text()[-2000:]!r}\nnever showed what was waited for")

    def text(self):
        return ESCAPES.sub(b" ", self.seen)

    def forget(self):
        self.seen = b""

    def press(self, keys):
        os.write(self.fd, keys)

    def settle(self, quiet=0.5, most=60.0):
        """Reads until nothing has come for so long."""
        end = time.perf_counter() + most
        while time.perf_counter() < end and self.read(quiet):
            pass

    def ticks(self):
        """Processor time used so far, in clock ticks: utime and stime."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def end(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def is_drawn(text):
    """Whether anything at all is to be seen."""
    return bool(text.strip())
