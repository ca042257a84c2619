package = "alpha"
version = "1.0-1"
