// Package visible makes text that strangers wrote safe to look at: what would not be seen, or would do something to who looks at
// it, is shown as its number. Letters of all scripts stay as they are.
//
// Promises: pure; text that is safe already comes back unchanged, so that it may be applied twice. It does not escape for HTML or
// any other format: that is the duty of who writes the format.
package visible

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text shows control characters, marks that turn the direction of text and bytes that are no characters as their numbers, such as
// <U+202E>. Tabs stay; ends of lines do not.
func Text(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "<%02x>", s[0])
		case r == '\t', !hidden(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "<U+%04X>", r)
		}
		s = s[size:]
	}
	return b.String()
}

// Lines is Text for text of several lines, whose ends stay.
func Lines(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = Text(lines[i])
	}
	return strings.Join(lines, "\n")
}

// JSON writes what Text would show as its number as \u202E in JSON that is whole: who reads it gets the same text. Bytes below 0x7f
// stay, since JSON escapes them itself or means something by them.
func JSON(b []byte) []byte {
	return escape(b, func(r rune) string {
		high, low := utf16.EncodeRune(r)
		return fmt.Sprintf(`\u%04X\u%04X`, high, low)
	})
}

// YAML is JSON for YAML in which all [Suspicious] text stands in double quotes.
func YAML(b []byte) []byte {
	return escape(b, func(r rune) string { return fmt.Sprintf(`\U%08X`, r) })
}

// escape replaces suspicious characters; far writes those beyond 0xffff.
func escape(b []byte, far func(r rune) string) []byte {
	if !bytes.ContainsFunc(b, suspicious) {
		return b
	}
	var out bytes.Buffer
	for _, r := range string(b) {
		switch {
		case !suspicious(r):
			out.WriteRune(r)
		case r > 0xffff:
			out.WriteString(far(r))
		default:
			fmt.Fprintf(&out, `\u%04X`, r)
		}
	}
	return out.Bytes()
}

// Suspicious reports whether JSON and YAML would change s.
func Suspicious(s string) bool { return strings.ContainsFunc(s, suspicious) }

func suspicious(r rune) bool { return r >= 0x7f && hidden(r) }

// plain reports whether all of s is printable ASCII or tabs.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] != '\t' && (s[i] < 0x20 || s[i] > 0x7e) {
			return false
		}
	}
	return true
}

func hidden(r rune) bool {
	return !unicode.IsPrint(r) && r != '\u00a0' && !unicode.In(r, unicode.Zs) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Copy returns a deep copy of v in which every string has gone through [Lines], keys of maps too. It is for trees of data: what has
// fields that are not exported, such as a time, is taken as it is.
func Copy[T any](v T) T {
	out := reflect.New(reflect.TypeFor[T]()).Elem()
	copyInto(out, reflect.ValueOf(&v).Elem())
	return out.Interface().(T) //nolint:forcetypeassert // it was made with this type
}

func copyInto(out, in reflect.Value) {
	switch in.Kind() {
	case reflect.String:
		out.SetString(Lines(in.String()))
	case reflect.Pointer:
		if !in.IsNil() {
			out.Set(reflect.New(in.Type().Elem()))
			copyInto(out.Elem(), in.Elem())
		}
	case reflect.Slice:
		if !in.IsNil() {
			out.Set(reflect.MakeSlice(in.Type(), in.Len(), in.Len()))
			for i := range in.Len() {
				copyInto(out.Index(i), in.Index(i))
			}
		}
	case reflect.Map:
		copyMap(out, in)
	case reflect.Struct:
		copyStruct(out, in)
	default:
		out.Set(in)
	}
}

func copyMap(out, in reflect.Value) {
	if in.IsNil() {
		return
	}
	out.Set(reflect.MakeMapWithSize(in.Type(), in.Len()))
	for pairs := in.MapRange(); pairs.Next(); {
		key, value := reflect.New(in.Type().Key()).Elem(), reflect.New(in.Type().Elem()).Elem()
		copyInto(key, pairs.Key())
		copyInto(value, pairs.Value())
		out.SetMapIndex(key, value)
	}
}

func copyStruct(out, in reflect.Value) {
	if _, ok := reflect.TypeAssert[time.Time](in); ok {
		out.Set(in)
		return
	}
	for i := range in.NumField() {
		if in.Type().Field(i).IsExported() {
			copyInto(out.Field(i), in.Field(i))
		}
	}
}
