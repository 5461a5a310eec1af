"""Why a customer got this score, why it changed, and what would move it."""
