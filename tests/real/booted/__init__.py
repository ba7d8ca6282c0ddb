"""Guests that were booted for this, with what they said of themselves: boot/README.md makes them."""
