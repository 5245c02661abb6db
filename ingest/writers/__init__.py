"""Write data sets: one module per export format, and the data card."""
