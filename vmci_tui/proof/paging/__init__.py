"""Page tables of each machine, walked in guest memory."""
