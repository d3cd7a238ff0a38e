"""Timings as other schedulers write them, and the same in the keys of our document."""
