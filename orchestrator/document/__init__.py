"""What is written: the TOML document of all schedules, and messages about what is wrong with it."""
