package main

import (
	"errors"

	"github.com/dgraph-io/badger"
)

type v1 struct{ db *badger.DB }

func openV1(directory string, small bool) (writer, error) {
	options := badger.DefaultOptions(directory).WithLogger(nil).WithSyncWrites(false)
	if small {
		options = options.WithMaxTableSize(1 << 20).WithLevelOneSize(2 << 20).
			WithNumLevelZeroTables(2).WithNumLevelZeroTablesStall(4).
			WithValueLogFileSize(4 << 20)
	}
	db, err := badger.Open(options)
	return &v1{db}, err
}

func (w *v1) write(entries []entry) error {
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

func (w *v1) collect() error {
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

func (w *v1) close() error { return w.db.Close() }
