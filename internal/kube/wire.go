package kube

import (
	"encoding/binary"
	"errors"
)

var errWire = errors.New("no protobuf message")

// fields calls f for each field of a protobuf message that has content of some length, in order. Numbers are passed over.
func fields(message []byte, f func(number uint64, content []byte) error) error {
	for at := 0; at < len(message); {
		tag, n := binary.Uvarint(message[at:])
		if n <= 0 {
			return errWire
		}
		at += n
		length := uint64(0)
		switch tag & 7 {
		case 0:
			_, n := binary.Uvarint(message[at:])
			if n <= 0 {
				return errWire
			}
			length = uint64(n)
		case 1:
			length = 8
		case 2:
			var n int
			if length, n = binary.Uvarint(message[at:]); n <= 0 {
				return errWire
			}
			at += n
		case 5:
			length = 4
		default:
			return errWire
		}
		rest := message[at:]
		if length > uint64(len(rest)) {
			return errWire
		}
		end := at + int(length)
		if tag&7 == 2 {
			if err := f(tag>>3, message[at:end]); err != nil {
				return err
			}
		}
		at = end
	}
	return nil
}
