"""The page that is published with every warehouse: overview.html, for anybody, without a server."""
