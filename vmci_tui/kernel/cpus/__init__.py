"""The CPUs of a dump: their registers, and what each was doing."""
