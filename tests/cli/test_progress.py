"""Log lines and the live line on one terminal."""

import os
import pty
import subprocess
import sys

TALK = """
import logging, time
from whosays.cli.faults import reporting
from whosays.cli.progress import stages
@reporting
def work():
    with stages() as say:
        say("labelling [bold]")
        time.sleep(0.3)
        logging.getLogger("whosays").info("a log line " + "that is long " * 12 + "[end]")
        time.sleep(0.3)
work()
"""


def test_a_log_line_stands_whole_on_a_line_of_its_own_beside_the_live_line():
    here, there = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", TALK], stderr=there, stdout=there, env={**os.environ, "TERM": "xterm"}
    ) as process:
        os.close(there)
        written = b""
        try:
            while chunk := os.read(here, 4096):
                written += chunk
        except OSError:  # Linux ends a closed terminal with an error
            pass
    assert process.returncode == 0
    text = written.decode()
    lines = [line.rpartition("\x1b[2K")[2] for line in text.replace("\r\n", "\n").split("\n")]
    assert "a log line " + "that is long " * 12 + "[end]" in lines
    assert "labelling [bold]" in text


def test_piped_there_are_only_plain_lines():
    found = subprocess.run([sys.executable, "-c", TALK], capture_output=True, text=True, check=True)
    assert found.stderr == "labelling [bold]\na log line " + "that is long " * 12 + "[end]\n"
