"""The release of makedumpfile that a kernel's pages need: older ones leave out pages that are in use, or fail.

makedumpfile prints `The kernel version is not supported.` for each kernel that is newer than its LATEST_VERSION
(makedumpfile.h: 1.7.2 has 6.0.1, 1.7.3 6.3.0, 1.7.4 6.6.0, 1.7.5 6.8.4, 1.7.6 6.11.4, 1.7.7 6.14.2, 1.7.8 6.17.4,
1.7.9 7.0.0), and continues. If the kernel changed nothing that matters to it, as in 6.1, the result is still right.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.knowledge.debug_packages import version_of


class ReleaseNeed(NamedTuple):
    """A change of the kernel that makedumpfile must know."""

    kernel: tuple[int, int]
    release: str
    """The first release of makedumpfile that knows it; the word after "makedumpfile"."""
    why: str
    """What an older one does: a sentence without its subject."""

    @property
    def since(self) -> str:
        """The first kernel with it: `6.2`."""
        return "{}.{}".format(*self.kernel)

    @property
    def until(self) -> tuple[int, ...] | None:
        """The numbers of that release; None if it is not known yet."""
        return tuple(map(int, self.release.split("."))) if self.release[0].isdigit() else None


NEEDS: Final = (
    ReleaseNeed((6, 2), "1.7.3", "leaves slab pages out"),  # 5f17bdd
    ReleaseNeed((6, 3), "1.7.3", "does not find compound pages"),  # 446c4f6
    ReleaseNeed((6, 6), "1.7.4", "does not find compound pages"),  # 9661c1d
    ReleaseNeed((6, 9), "1.7.6", "does not find hugetlb pages"),  # 985e575
    ReleaseNeed((6, 10), "1.7.6", "leaves slab pages out"),  # bad2a7c
    ReleaseNeed((6, 12), "1.7.7", "mistakes pages with a type for user pages"),  # 72c3414
    ReleaseNeed((6, 16), "1.7.8", "does not know pages of a confidential guest that were never accepted"),  # c1a9301
    ReleaseNeed((7, 1), "later than 1.7.9", "leaves the tails of compound pages out"),  # f50c015
)
"""In order of kernels, each with the commit of makedumpfile."""


def need_of(osrelease: bytes, version: tuple[int, ...] = ()) -> ReleaseNeed | None:
    """Return the newest need of a kernel that a version of makedumpfile does not meet, with () none of those known.

    None if the version, or 1.7.2, is enough, or the release is malformed.
    """
    kernel = version_of(osrelease)
    need = None if kernel is None else next((need for need in reversed(NEEDS) if need.kernel <= kernel), None)
    return None if need is None or (need.until is not None and version >= need.until) else need


def need_message(need: ReleaseNeed, osrelease: bytes) -> Safe:
    """Return the need as the message of a finding."""
    release = need.release if need.release[0].isalpha() else f"{need.release} or later"
    return Safe(f"Linux {visible(osrelease[:64])} needs makedumpfile {release}")
