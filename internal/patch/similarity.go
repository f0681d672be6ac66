package patch

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/kubelts/kubelts/internal/git"
)

const (
	chunkSize      = 64      // bytes of a chunk that no newline ends
	maxSignatures  = 3 << 20 // chunks that are remembered, twice: 24 MB each
	maxSimilarSize = 16 << 20
)

// chunk is a line, or 64 bytes of a longer one, by its hash; size is how many bytes such chunks have together.
type chunk struct{ hash, size uint32 }

// signature is what a content looks like from afar: its different chunks, sorted by hash.
type signature struct {
	size   int
	chunks []chunk
}

// sign makes a content's signature. In a text, the CR of a CR LF does not count, so that a change of line ends hides no rename.
func sign(content []byte) *signature {
	chunks := make([]chunk, 0, len(content)/24+1)
	text := bytes.IndexByte(content[:min(len(content), 8000)], 0) < 0
	const offset, prime = 2166136261, 16777619 // FNV-1a
	c := chunk{hash: offset}
	for i, b := range content {
		if text && b == '\r' && i+1 < len(content) && content[i+1] == '\n' {
			continue
		}
		c.hash = (c.hash ^ uint32(b)) * prime
		c.size++
		if c.size < chunkSize && b != '\n' {
			continue
		}
		chunks = append(chunks, c)
		c = chunk{hash: offset}
	}
	if c.size > 0 {
		chunks = append(chunks, c)
	}
	slices.SortFunc(chunks, func(a, b chunk) int { return cmp.Compare(a.hash, b.hash) })
	return &signature{size: len(content), chunks: slices.Clip(unite(chunks))}
}

// unite makes one of chunks with equal hashes, in place.
func unite(sorted []chunk) []chunk {
	out := sorted[:0]
	for _, c := range sorted {
		if n := len(out); n > 0 && out[n-1].hash == c.hash {
			out[n-1].size += c.size
		} else {
			out = append(out, c)
		}
	}
	return out
}

// similarity is the share of the larger content, of maxScore, that is made of chunks which both have.
func similarity(a, b *signature) int {
	larger := max(a.size, b.size)
	if larger == 0 || b.size == 0 {
		return 0
	}
	common := 0
	for x, y := a.chunks, b.chunks; len(x) > 0 && len(y) > 0; {
		switch {
		case x[0].hash < y[0].hash:
			x = x[1:]
		case x[0].hash > y[0].hash:
			y = y[1:]
		default:
			common += int(min(x[0].size, y[0].size))
			x, y = x[1:], y[1:]
		}
	}
	return common * maxScore / larger
}

// signatures remembers those that were made lately. It may be used from many goroutines.
type signatures struct {
	objects git.Objects

	mu         sync.Mutex
	young, old map[git.OID]*signature
	size       int // chunks in young
}

func (s *signatures) of(ctx context.Context, id git.OID) (*signature, error) {
	if found := s.known(id); found != nil {
		return found, nil
	}
	content, err := s.objects.Blob(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(content) > maxSimilarSize {
		return nil, &git.OversizeError{OID: id, Size: int64(len(content)), Limit: maxSimilarSize}
	}
	made := sign(content)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(id, made)
	return made, nil
}

func (s *signatures) known(id git.OID) *signature {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.young[id]; found != nil {
		return found
	}
	found := s.old[id]
	if found != nil {
		s.keep(id, found)
	}
	return found
}

func (s *signatures) keep(id git.OID, made *signature) {
	if s.size += len(made.chunks) + 8; s.size > maxSignatures || s.young == nil {
		s.old, s.young, s.size = s.young, map[git.OID]*signature{}, len(made.chunks)
	}
	s.young[id] = made
}
