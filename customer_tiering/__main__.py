"""`python -m customer_tiering` is the same as `tiering`."""

from customer_tiering.cli import app

if __name__ == "__main__":
    app(prog_name="tiering")
