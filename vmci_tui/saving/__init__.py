"""Writing a dump safely: the plan, a copy or in place, the undo journal, the comparison afterwards."""
