"""What a schedule is, does and did, as one value, and how it is shown."""
