"""`NamedTuple`, `dataclass`, `field` and `replace` as in the standard library, made in a tenth of the time.

The standard library compiles code for each class while modules are imported: for the hundreds of records of the program
that took a fifth of `vmci check`, and as much of the app's start. The classes of this folder share their code, and do
what the program uses. Type checkers see the standard ones.
"""

from vmci_tui.common.records.data_classes import dataclass, field, field_names, replace
from vmci_tui.common.records.named_tuples import NamedTuple

__all__ = ["NamedTuple", "dataclass", "field", "field_names", "replace"]
