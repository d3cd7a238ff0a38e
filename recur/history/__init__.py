"""What happened: the ledger read for people and programs, by the commands that only look."""
