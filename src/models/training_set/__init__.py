"""Labels, splits and training sets."""
