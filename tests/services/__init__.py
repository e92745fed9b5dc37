"""The real parts that tests run against: a broker, a database, a browser."""
