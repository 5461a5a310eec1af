"""What is fitted: LightGBM, baselines, encoder, calibration, intervals."""
