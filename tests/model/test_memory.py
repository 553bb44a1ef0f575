import platform
import subprocess
import sys

import pytest

_CHURN = """
import mmap, resource
from whosays.model.memory import keep_freed_memory
if {keep}:
    keep_freed_memory()
for _ in range(20):
    block = b'x' * (48 << 20)  # above what glibc maps apart whatever it has seen
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt * mmap.PAGESIZE >> 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc's")
def test_memory_is_not_asked_for_again():
    def faulted(keep: bool) -> int:
        """MiB of pages that a process had to map."""
        code = _CHURN.format(keep=keep)
        return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)

    assert faulted(True) < faulted(False) - 10 * 48
