"""The proposal of a company file: what the tables of a folder or a database probably are."""
