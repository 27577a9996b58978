"""Customer Tiering: RFM, scores and tiers from raw customer and order tables."""

__version__ = "0.1.0"
