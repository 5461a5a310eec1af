"""Loading models and the snapshot, and answering from them."""
