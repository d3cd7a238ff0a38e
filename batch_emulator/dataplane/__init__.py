"""The REST interface of the account: operations, what they read, and what they answer."""
