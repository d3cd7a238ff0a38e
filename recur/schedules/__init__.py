"""What the commands about the schedule document share: reading, spelling, lint, occurrences."""
