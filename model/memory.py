"""How the C library's allocator treats what a network frees."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's malloc.h
_LARGEST_INT = 2**31 - 1


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, for the next batch.

    glibc gives large blocks back to the system as soon as they are free, which then has to clear and map every page
    again for the next batch. It concerns the whole process, so it is for programs and not for libraries. Other C
    libraries have no such setting and are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, _LARGEST_INT)
