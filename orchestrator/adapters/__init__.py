"""Each outside service is spoken to in exactly one module of this package."""
