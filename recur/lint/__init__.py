"""What is valid in a schedule document and is probably a mistake."""
