"""The account in Azure Resource Manager: itself, its applications with their versions, its pools."""
