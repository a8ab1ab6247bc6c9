-- Run once, by the image, when the database is new. vaultsigner makes its tables itself.
CREATE ROLE vaultsigner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
CREATE DATABASE vaultsigner OWNER vaultsigner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
REVOKE ALL ON DATABASE vaultsigner FROM PUBLIC;
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
