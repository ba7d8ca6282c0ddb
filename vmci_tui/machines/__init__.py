"""What is known of each machine, and what programs make of it."""
