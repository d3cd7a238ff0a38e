"""Recurrent batch jobs on Azure Batch: what is deployed to the function app."""
