-- CTR in percent, rounded half-up to 2 decimals; exact, since only integers are rounded.
CREATE FUNCTION realtime.ctr(clicks bigint, impressions bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN round(((20000 * clicks + impressions) / (2 * impressions))::numeric / 100, 2);
