"""Recurrent batch jobs on Azure Batch: what is deployed to the function app."""

__version__ = "0.1.0"
