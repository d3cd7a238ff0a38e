"""What is deployed to Azure, and the check that what is committed of it is what was written."""
