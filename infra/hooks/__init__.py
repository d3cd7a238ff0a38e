"""What azd runs between its own steps; see azure.yaml."""
