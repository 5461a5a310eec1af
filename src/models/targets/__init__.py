"""The targets: what is predicted, one file each."""
