"""The import of a company's tables into its history, in full or incrementally."""
