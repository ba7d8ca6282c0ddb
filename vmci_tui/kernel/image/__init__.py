"""Where the images of kernels are in guest memory, without the note."""
