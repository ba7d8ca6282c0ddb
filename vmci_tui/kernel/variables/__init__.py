"""What the variables of a kernel and its types say of it: how long it was up, which modules it has."""
