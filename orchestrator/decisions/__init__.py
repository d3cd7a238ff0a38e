"""What follows: pure functions from the document, the ledger and what Batch says to what happens next."""
