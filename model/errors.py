"""The two ways in which a command ends badly by no fault of the code."""


class InputError(ValueError):
    """What the user gave cannot be used: one line with the file, the place, the value and the fix. Exit code 2."""


class WorkError(RuntimeError):
    """The work was started rightly and failed (a full disk, a score below its gate). Exit code 1."""
