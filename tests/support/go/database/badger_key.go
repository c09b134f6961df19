package main

import "encoding/binary"

// badgerKey is what nosql makes of table and key.
func badgerKey(table, key string) []byte {
	out := binary.LittleEndian.AppendUint16(nil, uint16(len(table)))
	out = append(out, table...)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(key)))
	return append(out, key...)
}
