"""What operators ask for: requests in the ledger, which the next tick carries out and answers."""
