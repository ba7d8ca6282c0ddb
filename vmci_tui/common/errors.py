"""Errors that abort an operation. Each has a message, a hint and an exit code; a finding is never an exception."""

from __future__ import annotations


class VmciError(Exception):
    """An error that aborts the operation: a message for the user, a hint what to do, an exit code."""

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
    """The file cannot be read, or is of a type that vmci does not open (exit code 3)."""


class PackageMissing(OpenError):
    """No installed package decompresses the pages; everything outside the pages can still be read."""


class Spent(VmciError):
    """The work took more steps than any real file needs; its result is unknown."""


class EditError(UsageError):
    """A value does not fit into its field, or the place does not exist (exit code 2)."""


class SaveError(VmciError):
    """Nothing was saved, and nothing was lost (exit code 4)."""

    exit_code = 4


class FileTaken(SaveError):
    """A file of that name already exists."""


class Cancelled(VmciError):
    """The user stopped the operation (exit code 130)."""

    exit_code = 130
