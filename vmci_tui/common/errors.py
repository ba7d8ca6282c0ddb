"""What cannot go on. A finding is never an exception; these are, and each says what to do."""

from __future__ import annotations


class VmciError(Exception):
    """Something that stops the work: a sentence for the user, a hint what to do, an exit code."""

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(VmciError):
    """The request itself is wrong (exit code 2)."""

    exit_code = 2


class OpenError(VmciError):
    """The file cannot be read, or is not what we open (exit code 3)."""


class PackageMissing(OpenError):
    """Pages are compressed by what no installed package decompresses; all that needs no page can be read."""


class Spent(VmciError):
    """It took more steps than any real file needs: what would come out is not known."""


class EditError(UsageError):
    """A value that does not fit where it should go, or a place that is not there (exit code 2)."""


class SaveError(VmciError):
    """Nothing was saved, and nothing was lost (exit code 4)."""

    exit_code = 4


class FileTaken(SaveError):
    """There is a file of that name already."""


class Cancelled(VmciError):
    """The user stopped it (exit code 130)."""

    exit_code = 130
