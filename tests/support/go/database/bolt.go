package main

import (
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

type bolt struct{ db *bbolt.DB }

func openBolt(directory string) (writer, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(filepath.Join(directory, "step.db"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		return nil, err
	}
	return &bolt{db}, db.Update(func(tx *bbolt.Tx) error {
		for _, table := range []string{certs, data, revoked, "used_ott"} {
			if _, err := tx.CreateBucketIfNotExists([]byte(table)); err != nil {
				return err
			}
		}
		return nil
	})
}

// write ignores lifetimes, which bbolt does not have.
func (w *bolt) write(entries []entry) error {
	return w.db.Update(func(tx *bbolt.Tx) error {
		for _, e := range entries {
			bucket := tx.Bucket([]byte(e.table))
			var err error
			if e.value == nil {
				err = bucket.Delete([]byte(e.key))
			} else {
				err = bucket.Put([]byte(e.key), e.value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *bolt) collect() error { return nil }

func (w *bolt) close() error { return w.db.Close() }
