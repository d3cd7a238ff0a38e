"""What is kept: records, requests and the state of both passes."""
