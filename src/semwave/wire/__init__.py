"""Other programs' wire formats: GNU Radio's PMTs and ZeroMQ streams."""
