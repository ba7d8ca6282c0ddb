"""Where the CPUs were in the kernel's code: program counters and return addresses as symbols."""
