"""A migration stream as a memory image: its pages, the addresses of its blocks, its entry."""
