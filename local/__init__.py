"""The laptop: Azurite, the emulator and the timer functions, without Azure."""
