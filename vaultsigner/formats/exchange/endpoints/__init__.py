"""The endpoints of Binance's APIs, one module a product. Data only; each row names the page of Binance's documentation."""
