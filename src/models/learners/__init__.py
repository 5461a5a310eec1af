"""Estimators: LightGBM, baselines, encoder, calibration, prediction intervals, survival curve."""
