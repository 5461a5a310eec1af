"""The feature definitions, one file for each subject."""
