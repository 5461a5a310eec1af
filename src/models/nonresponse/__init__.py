"""Survey non-response: response propensity, corrected NPS and CSAT, next invitations."""
