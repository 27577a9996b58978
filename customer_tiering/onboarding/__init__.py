"""The first hour with somebody's data: what files are and hold (`tiering inspect`), and a mapping of them (`tiering init`)."""
