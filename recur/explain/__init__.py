"""Why an occurrence is as it is: what the ledger holds of it, and the sentence that follows."""
