// Makes databases as step-ca would have them after years, and is the judge of
// what is in a database: it reads with the same libraries as step-ca.
//
//	database make  TYPE DIRECTORY ROWS [WAY...]
//	database judge TYPE DIRECTORY < lines of "TABLE KEY"
//
// "make" prints the serial numbers, one a line. "small" takes small files, so
// that there are many of them on several levels; "crash" exits without closing;
// "compressed" and "encrypted" are what step-ca never does, with badgerv2.
// "revoked" revokes every certificate and changes nothing later on.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/smallstep/nosql"
)

const (
	certs   = "x509_certs"
	data    = "x509_certs_data"
	revoked = "revoked_x509_certs"
)

// entry is one change. A nil value deletes.
type entry struct {
	table, key string
	value      []byte
	ttl        time.Duration
	discard    bool
}

// writer takes changes in transactions of any size.
type writer interface {
	write([]entry) error
	// collect moves values to other files, where there is such a thing.
	collect() error
	close() error
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch args[0] {
	case "make":
		rows, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		return makeDatabase(args[1], args[2], rows, args[4:])
	case "judge":
		return judge(args[1], args[2])
	}
	return fmt.Errorf("unknown command %s", args[0])
}

func open(kind, directory string, ways []string) (writer, error) {
	switch kind {
	case "badgerv1":
		return openV1(directory, slices.Contains(ways, "small"))
	case "badgerv2":
		return openV2(directory, ways)
	}
	return openBolt(directory)
}

// makeDatabase writes two rows for each certificate, revokes each fiftieth,
// changes, deletes and expires some, and writes on after the first closing.
func makeDatabase(kind, directory string, rows int, ways []string) error {
	db, err := open(kind, directory, ways)
	if err != nil {
		return err
	}
	count := rows / 2
	every := 50
	if slices.Contains(ways, "revoked") {
		every = 1
	}
	if err := fill(db, 0, count*9/10, every); err != nil {
		return err
	}
	if every != 1 {
		if err := change(db, count*9/10); err != nil {
			return err
		}
	}
	if err := db.collect(); err != nil {
		return err
	}
	if err := db.close(); err != nil {
		return err
	}
	if db, err = open(kind, directory, ways); err != nil {
		return err
	}
	if err := fill(db, count*9/10, count, every); err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	for i := range count {
		fmt.Fprintln(out, serial(i))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if slices.Contains(ways, "crash") {
		return nil
	}
	return db.close()
}

func serial(i int) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(i)))
	return new(big.Int).SetBytes(sum[:16]).String()
}

func fill(db writer, from, to, every int) error {
	var batch []entry
	for i := from; i < to; i++ {
		number := serial(i)
		batch = append(batch,
			entry{table: certs, key: number, value: bulk(i), discard: i%7 == 0},
			entry{table: data, key: number, value: fmt.Appendf(nil,
				`{"provisioner":{"id":"admin:%d","name":"admin","type":"JWK"}}`, i)})
		if i%every == 0 {
			batch = append(batch, entry{table: revoked, key: number, value: revocation(number)})
		}
		if len(batch) >= 200 || i == to-1 {
			if err := db.write(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}

// change makes what compaction and collection of values live on.
func change(db writer, count int) error {
	var batch []entry
	for i := range count {
		number := serial(i)
		switch {
		case i%11 == 0:
			batch = append(batch, entry{table: certs, key: number})
		case i%13 == 0:
			batch = append(batch, entry{table: data, key: number})
		case i%17 == 0:
			batch = append(batch, entry{table: certs, key: number, value: []byte("expired"), ttl: time.Nanosecond})
		case i%19 == 0:
			batch = append(batch, entry{table: certs, key: number, value: bulk(i + 1), ttl: time.Hour})
		case i%23 == 0:
			batch = append(batch, entry{table: data, key: number, value: []byte(`{"provisioner":{"id":"changed"}}`)})
		}
		if len(batch) >= 200 || i == count-1 {
			if err := db.write(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}

// bulk is as large as a certificate, now and then as a large one.
func bulk(i int) []byte {
	size := 700
	if i%40 == 0 {
		size = 3000
	}
	if i%400 == 0 {
		size = 20000
	}
	out := make([]byte, 0, size+32)
	for n := 0; len(out) < size; n++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", i, n))
		out = append(out, sum[:]...)
	}
	return out[:size]
}

func revocation(number string) []byte {
	return fmt.Appendf(nil, `{"Serial":%q,"ProvisionerID":"admin:1","ReasonCode":0,"Reason":"","RevokedAt":"2026-01-02T03:04:05Z","ExpiresAt":"0001-01-01T00:00:00Z","TokenID":"","MTLS":true,"ACME":false}`, number)
}

func judge(kind, directory string) error {
	place := directory
	if kind == "bbolt" {
		place = filepath.Join(directory, "step.db")
	}
	db, err := nosql.New(kind, place)
	if err != nil {
		return err
	}
	defer db.Close()
	out := bufio.NewWriter(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var table, key string
		if _, err := fmt.Sscan(lines.Text(), &table, &key); err != nil {
			return err
		}
		value, err := db.Get([]byte(table), []byte(key))
		switch {
		case nosql.IsErrNotFound(err):
			fmt.Fprintln(out, "-")
		case err != nil:
			return err
		default:
			fmt.Fprintln(out, "="+hex.EncodeToString(value))
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return out.Flush()
}
