"""One import: every table checked and stored, in full or only what is new."""
