-- A page of investors, the largest payers first and those of the same sum by address, goes on behind (paid, investor). An index that is
-- sorted one way and then the other cannot begin there: of many who paid the same it read all that were on the pages before. Sorted by
-- -paid both go the same way.
DROP INDEX IF EXISTS position_by_paid;
-- Where a first backfill does without it for now.
DELETE FROM deferred_index WHERE name = 'position_by_paid';
CREATE INDEX position_by_size ON position (chain_id, sale, (-paid), investor);
