-- What lets a second set of tables, filled beside, take the place of the live one.

-- The oldest version of the schema whose readers understand these tables. A migration that takes away or changes what they read sets it
-- to its own version; one that only adds leaves it.
CREATE TABLE reader (
    oldest bigint NOT NULL
);
CREATE UNIQUE INDEX reader_once ON reader ((true));
INSERT INTO reader VALUES (9);

-- Gives every role what it may do with a schema and its tables on another with the same tables. Returns how many grants there were.
CREATE FUNCTION copy_grants(of_schema text, to_schema text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    given record;
    granted bigint := 0;
BEGIN
    FOR given IN
        SELECT a.*, format('SCHEMA %I', to_schema) AS what
        FROM pg_namespace s, aclexplode(s.nspacl) a
        WHERE s.nspname = of_schema AND a.grantee <> s.nspowner
        UNION ALL
        SELECT a.*, format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, to_schema, c.relname)
        FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.relnamespace = to_regnamespace(of_schema) AND a.grantee <> c.relowner
            AND EXISTS (SELECT FROM pg_class o WHERE o.relnamespace = to_regnamespace(to_schema) AND o.relname = c.relname)
    LOOP
        EXECUTE format('GRANT %s ON %s TO %s%s', given.privilege_type, given.what,
            CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(given.grantee)) END,
            CASE WHEN given.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
        granted := granted + 1;
    END LOOP;
    FOR given IN
        SELECT a.*, d.defaclrole, CASE d.defaclobjtype WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END AS what
        FROM pg_default_acl d, aclexplode(d.defaclacl) a
        WHERE d.defaclnamespace = to_regnamespace(of_schema) AND d.defaclobjtype IN ('r', 'S') AND a.grantee <> d.defaclrole
    LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT %s ON %s TO %s%s',
            pg_get_userbyid(given.defaclrole), to_schema, given.privilege_type, given.what,
            CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(given.grantee)) END,
            CASE WHEN given.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
        granted := granted + 1;
    END LOOP;
    RETURN granted;
END $$;

-- Views and foreign keys of other schemas that depend on the tables of some: they would go on doing so when those get another name.
CREATE FUNCTION outside_dependents(schemas text[]) RETURNS TABLE (dependent text) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT format('%I.%I', n.nspname, v.relname)
    FROM pg_depend d
    JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    JOIN pg_class v ON v.oid = r.ev_class
    JOIN pg_namespace n ON n.oid = v.relnamespace
    JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid
    JOIN pg_namespace s ON s.oid = t.relnamespace
    WHERE s.nspname = ANY (schemas) AND NOT n.nspname = ANY (schemas)
    UNION
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class t ON t.oid = k.confrelid
    JOIN pg_namespace s ON s.oid = t.relnamespace
    WHERE k.contype = 'f' AND s.nspname = ANY (schemas) AND NOT n.nspname = ANY (schemas)
    ORDER BY 1
$$;

-- Replaces the rows of a table by those of its namesake in another schema, in the columns that both have: for what does not follow from
-- the chain. Numbers that the table gives go on after them.
CREATE FUNCTION carry_over(of_schema text, of_table text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    columns text;
    numbered record;
    carried bigint;
BEGIN
    SELECT string_agg(quote_ident(a.attname), ', ') INTO columns
    FROM pg_attribute a JOIN pg_attribute b USING (attname)
    WHERE a.attrelid = of_table::regclass AND b.attrelid = format('%I.%I', of_schema, of_table)::regclass
        AND a.attnum > 0 AND NOT a.attisdropped AND NOT b.attisdropped;
    EXECUTE format('DELETE FROM %I', of_table);
    EXECUTE format('INSERT INTO %1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM %3$I.%1$I', of_table, columns, of_schema);
    GET DIAGNOSTICS carried = ROW_COUNT;
    FOR numbered IN
        SELECT attname FROM pg_attribute WHERE attrelid = of_table::regclass AND attidentity <> '' AND NOT attisdropped
    LOOP
        EXECUTE format('SELECT setval(pg_get_serial_sequence(%1$L, %2$L),
                               greatest((SELECT last_value FROM %3$s), (SELECT coalesce(max(%2$I), 1) FROM %1$I)))',
            of_table, numbered.attname,
            replace(pg_get_serial_sequence(of_schema || '.' || of_table, numbered.attname), '"', ''));
    END LOOP;
    RETURN carried;
END $$;
