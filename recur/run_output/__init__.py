"""What a run wrote: where it is stored, and how it is followed while it grows."""
