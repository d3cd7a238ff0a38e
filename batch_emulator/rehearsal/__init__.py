"""A pool rehearsed: planned runs on the emulator's own pool, in virtual time and without HTTP."""
