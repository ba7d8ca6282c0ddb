"""What the data of a kernel shows by its content, where no table names its variables: the log, the utsname."""
