"""The ledger as the commands read it: schedules, runs and records, found by few calls."""
