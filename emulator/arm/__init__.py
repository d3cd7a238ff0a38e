"""The account's side in Azure Resource Manager: the account, its applications, its pools."""
