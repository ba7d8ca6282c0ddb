"""The registers of a CPU in the notes of a dump, for each machine."""
