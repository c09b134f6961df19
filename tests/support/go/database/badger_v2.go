package main

import (
	"errors"
	"slices"

	"github.com/dgraph-io/badger/v2"
	badgeroptions "github.com/dgraph-io/badger/v2/options"
)

type v2 struct{ db *badger.DB }

func openV2(directory string, ways []string) (writer, error) {
	options := badger.DefaultOptions(directory).WithLogger(nil).WithSyncWrites(false)
	if slices.Contains(ways, "compressed") {
		options = options.WithCompression(badgeroptions.Snappy)
	}
	if slices.Contains(ways, "encrypted") {
		options = options.WithEncryptionKey(make([]byte, 16)).WithIndexCacheSize(1 << 20)
	}
	if slices.Contains(ways, "small") {
		options = options.WithMaxTableSize(1 << 20).WithLevelOneSize(2 << 20).
			WithNumLevelZeroTables(2).WithNumLevelZeroTablesStall(4).
			WithValueLogFileSize(4 << 20)
	}
	db, err := badger.Open(options)
	return &v2{db}, err
}

func (w *v2) write(entries []entry) error {
	return w.db.Update(func(txn *badger.Txn) error {
		for _, e := range entries {
			key := badgerKey(e.table, e.key)
			if e.value == nil {
				if err := txn.Delete(key); err != nil {
					return err
				}
				continue
			}
			change := badger.NewEntry(key, e.value)
			if e.discard {
				change = change.WithDiscard()
			}
			if e.ttl != 0 {
				change = change.WithTTL(e.ttl)
			}
			if err := txn.SetEntry(change); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *v2) collect() error {
	for range 10 {
		err := w.db.RunValueLogGC(0.01)
		if errors.Is(err, badger.ErrNoRewrite) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *v2) close() error { return w.db.Close() }
