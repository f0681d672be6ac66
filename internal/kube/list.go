package kube

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Bounds of lists.
const (
	pageSize = 500
	maxItem  = 8 << 20 // bytes of one object; etcd takes 1.5 MB
	maxItems = 200_000
	maxPages = 2000
	maxBytes = 4 << 30 // of one page's answer
)

const (
	protobufType = "application/vnd.kubernetes.protobuf"
	metadataType = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
	jsonType     = "application/json"
)

// listing is a list to read, object by object.
type listing struct {
	path   string
	query  url.Values
	accept string
	// binary takes an object of a protobuf answer. What it is given is overwritten afterwards.
	binary func(object []byte) error
	// text takes an object of a JSON answer from the decoder.
	text func(*json.Decoder) error
}

// message is an object that can be read from protobuf.
type message[T any] interface {
	*T
	Unmarshal([]byte) error
}

// typed reads objects of one type, as protobuf where the server can.
func typed[T any, P message[T]](path string, each func(P)) listing {
	return listing{
		path: path, accept: protobufType + "," + jsonType,
		binary: func(object []byte) error {
			p := P(new(T))
			if err := p.Unmarshal(object); err != nil {
				return err
			}
			each(p)
			return nil
		},
		text: func(d *json.Decoder) error { return decode(d, func(p *T) { each(P(p)) }) },
	}
}

// plain reads objects as JSON into a type of ours, which has only the fields that are wanted.
func plain[T any](path string, each func(*T)) listing {
	return listing{path: path, accept: jsonType, text: func(d *json.Decoder) error { return decode(d, each) }}
}

func decode[T any](d *json.Decoder, each func(*T)) error {
	p := new(T)
	if err := d.Decode(p); err != nil {
		return err
	}
	each(p)
	return nil
}

// with adds parameters to the question: name, value, name, value.
func (l listing) with(parameters ...string) listing {
	query := url.Values{}
	maps.Copy(query, l.query)
	for i := 0; i+1 < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	l.query = query
	return l
}

// list reads a list page by page. On an error, what was read up to it has been given out.
func (c *client) list(ctx context.Context, l listing) error {
	left := maxItems
	next, resumed := "", false
	for range maxPages {
		page := l.with("limit", strconv.Itoa(pageSize))
		if next != "" {
			page = page.with("continue", next)
			page.query.Del("resourceVersion")
		}
		after, err := c.page(ctx, page, &left)
		var refused *answerError
		if errors.As(err, &refused) && refused.code == http.StatusGone && refused.resume != "" && !resumed {
			next, resumed = refused.resume, true // the rest comes from a newer state, which is well for what is asked here
			continue
		}
		if err != nil || after == "" {
			return err
		}
		next, resumed = after, false
	}
	return fmt.Errorf("the list has more than %d pages", maxPages)
}

// page reads one page and returns where the list goes on.
func (c *client) page(ctx context.Context, l listing, left *int) (next string, err error) {
	body, err := c.open(ctx, question{verb: "list", path: l.path, query: l.query, accept: l.accept})
	if err != nil {
		return "", err
	}
	defer body.Close()
	r := &reader{in: bufio.NewReaderSize(io.LimitReader(body, maxBytes), 64<<10), left: left}
	start, err := r.in.Peek(4)
	if err != nil {
		return "", fmt.Errorf("the answer is empty: %w", err)
	}
	if bytes.Equal(start, []byte("k8s\x00")) && l.binary != nil {
		return r.protobuf(l.binary)
	}
	return r.json(l.text)
}

// reader reads a list as it comes.
type reader struct {
	in   *bufio.Reader
	left *int // how many objects may still come
	item []byte
}

func (r *reader) take() error {
	if *r.left--; *r.left < 0 {
		return fmt.Errorf("the list has more than %d objects", maxItems)
	}
	return nil
}

// protobuf reads an answer in Kubernetes' envelope: four bytes, then a message whose second field is the list. A list has its metadata in the first field and the objects
// in the second.
func (r *reader) protobuf(object func([]byte) error) (next string, err error) {
	if _, err := r.in.Discard(4); err != nil {
		return "", err
	}
	for {
		field, length, err := r.field()
		if errors.Is(err, io.EOF) {
			return "", errors.New("the answer has no list")
		}
		if err != nil {
			return "", err
		}
		if field != 2 {
			if _, err := io.CopyN(io.Discard, r.in, length); err != nil {
				return "", broken(err)
			}
			continue
		}
		return r.objects(length, object)
	}
}

// objects reads the list itself, which has so many bytes.
func (r *reader) objects(length int64, object func([]byte) error) (next string, err error) {
	seen := &tally{}
	r.in = bufio.NewReaderSize(io.TeeReader(io.LimitReader(r.in, length), seen), 64<<10)
	for {
		field, size, err := r.field()
		if errors.Is(err, io.EOF) && seen.n == length {
			return next, nil
		}
		if err != nil {
			return next, broken(err)
		}
		content, err := r.content(size)
		if err != nil {
			return next, err
		}
		switch field {
		case 1:
			var meta metav1.ListMeta
			if err := meta.Unmarshal(content); err != nil {
				return next, fmt.Errorf("read the list's metadata: %w", err)
			}
			next = meta.Continue
		case 2:
			if err := r.take(); err != nil {
				return next, err
			}
			if err := object(content); err != nil {
				return next, fmt.Errorf("read an object: %w", err)
			}
		}
	}
}

// content reads so many bytes. They stand until the next call.
func (r *reader) content(size int64) ([]byte, error) {
	if size > maxItem {
		return nil, fmt.Errorf("an object of %d bytes", size)
	}
	if int64(cap(r.item)) < size {
		r.item = make([]byte, size+size/4)
	}
	r.item = r.item[:size]
	_, err := io.ReadFull(r.in, r.item)
	return r.item, broken(err)
}

// tally counts bytes.
type tally struct{ n int64 }

func (t *tally) Write(p []byte) (int, error) {
	t.n += int64(len(p))
	return len(p), nil
}

// field reads the number of the next field and its length. All fields of envelopes and lists are of the kind that has one.
func (r *reader) field() (number uint64, length int64, err error) {
	tag, err := binary.ReadUvarint(r.in)
	if err != nil {
		return 0, 0, err
	}
	const lengthPrefixed = 2
	if tag&7 != lengthPrefixed {
		return 0, 0, fmt.Errorf("a field of kind %d where a list has none", tag&7)
	}
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return 0, 0, broken(err)
	}
	if n > maxBytes {
		return 0, 0, fmt.Errorf("a field of %d bytes", n)
	}
	return tag >> 3, int64(n), nil
}

// broken makes the end of an answer in its midst an error that is not taken for its proper end.
func broken(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// json reads an answer in JSON.
func (r *reader) json(object func(*json.Decoder) error) (next string, err error) {
	budget := &budget{in: r.in, left: maxItem}
	d := json.NewDecoder(budget)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return "", errors.Join(errors.New("the answer is no JSON object"), broken(err))
	}
	found := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return next, broken(err)
		}
		budget.left = maxItem
		switch key {
		case "metadata":
			var meta metav1.ListMeta
			if err := d.Decode(&meta); err != nil {
				return next, broken(err)
			}
			next = meta.Continue
		case "items":
			found = true
			if err := r.array(d, budget, object); err != nil {
				return next, err
			}
		default:
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return next, broken(err)
			}
		}
	}
	if _, err := d.Token(); err != nil {
		return next, broken(err)
	}
	if !found {
		return next, errors.New("the answer has no list")
	}
	return next, nil
}

func (r *reader) array(d *json.Decoder, budget *budget, object func(*json.Decoder) error) error {
	start, err := d.Token()
	if err != nil {
		return broken(err)
	}
	if start == nil { // null is an empty list
		return nil
	}
	if start != json.Delim('[') {
		return errors.New("the answer's items are no list")
	}
	for d.More() {
		budget.left = maxItem
		if err = r.take(); err != nil {
			return err
		}
		if err = object(d); err != nil {
			return broken(err)
		}
	}
	_, err = d.Token()
	return broken(err)
}

// budget bounds how much is read for one value, which a decoder keeps as a whole.
type budget struct {
	in   io.Reader
	left int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("an object of more than %d bytes", maxItem)
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
