-- What the directory is searched by, what is known of tokens, and the views of dashboards.

-- A text as it is compared: the first 256 characters, in one form of Unicode (NFKC) and in small letters. The case of letters beyond ASCII
-- is that of the best collation that this server has; the database's own may know none.
DO $$
DECLARE
    best text := (
        SELECT format(' COLLATE pg_catalog.%I', collname) FROM pg_collation
        WHERE collnamespace = 'pg_catalog'::regnamespace AND collname IN ('pg_c_utf8', 'und-x-icu')
        ORDER BY collname LIMIT 1);
BEGIN
    EXECUTE format('CREATE FUNCTION search_text(of_text text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
        $f$ SELECT lower(normalize(left(of_text, 256), NFKC)%s) $f$', coalesce(best, ''));
END $$;

-- All pieces of one, two and three characters of such a text. An array under GIN finds any part of a name without an extension, which
-- would belong to one schema and go with it when another takes its place.
CREATE FUNCTION search_pieces(of_text text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(of_text, at, size)), '{}')
    FROM generate_series(1, length(of_text)) at, generate_series(1, 3) size
    WHERE at + size - 1 <= length(of_text)
$$;

CREATE INDEX sale_by_text ON sale USING gin (search_pieces(search_text(name)));
-- A line break stands between them: nobody can search for one.
CREATE INDEX currency_by_text ON currency USING gin (search_pieces(search_text(symbol || chr(10) || name)));
CREATE INDEX sale_of_token ON sale (chain_id, token, block_number);
