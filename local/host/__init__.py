"""The thin Functions host: `make start`, one tick by hand, timers, worker and status blobs."""
