-- Beside the warehouse, which POSTGRES_DB names: once, when the data folder is made.
CREATE DATABASE registry;
CREATE DATABASE dagster;
